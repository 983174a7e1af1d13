"""Changes of instruments reach the reader: the picture of drift, and the flag of a map beside every number that rests on it."""

import io

import numpy as np
import pandas as pd
import pytest
from check_frames import item
from exhibit_study import CONFIG, context, estimates, fits, scores

from bscstudy import cli
from bscstudy.checks.drift_picture import declared_drift, drift_picture, picture_text
from bscstudy.exhibits import (
    change_by_wave,
    descriptives,
    facilitators,
    harmonised,
    instrument_drift,
    marginal_means,
    observation,
    report_words,
    style,
    variance_partition,
)
from bscstudy.exhibits.base import HARMONISED, check_exhibit
from bscstudy.steps import make_exhibits
from bscstudy.tables import read_json, write_table
from bscstudy.workflow import Job

SOURCES = {f"staff_{wave}": {"instrument": "staff", "wave": wave} for wave in ("T1", "T2")}
ITEMS = [
    item("same"), item("old", waves="T1"), item("new", waves="T2"), item("lone", waves="T2"),
    item("words"), item("words", waves="T2", version=2, wording="other"),
    item("range"), item("range", waves="T2", version=2, response_scale="agree7", maximum=7.0),
]  # fmt: skip
MAP = dict.fromkeys(("new_item", "scale", "waves", "recode"), "") | {
    "instrument": "staff", "item": "words", "version": 1, "new_version": 2, "rule": "identity", "a": None, "b": None,
    "reason": "Read aloud to six people", "decided_by": "team", "decided_on": "2025-01-02",
}  # fmt: skip


def study(*harmonisation):
    scales = [
        {**CONFIG["scales"][0], "instrument": "staff", "items": "same new -words range", "rule": "mean", "construct": "trust", "waves": ""},
        {**CONFIG["scales"][1], "instrument": "staff", "items": "same words", "rule": "mean", "construct": "", "waves": ""},
    ]
    return {**CONFIG, "scales": scales, "items": ITEMS, "sources": SOURCES, "harmonisation": list(harmonisation)}


def states(config):
    picture = drift_picture(declared_drift(config), config)
    return {key: (row.state, row.harmonised) for row in picture.itertuples() for key in [(row.construct, row.item, row.wave)]}


def test_the_picture_says_for_each_construct_and_wave_what_became_of_an_item():
    found = states(study(MAP, {**MAP, "item": "old", "new_item": "new", "new_version": 1}))
    after = {item: found[("trust", item, "T2")] for item in ("same", "old", "words", "range")}
    expected = {"same": ("same", ""), "old": ("dropped", "identity"), "words": ("reworded", "identity"), "range": ("rescaled", "")}
    assert after == expected and found[("trust", "same", "T1")] == ("asked", "")
    assert found[("items in no scale", "lone", "T1")] == ("", "") and found[("items in no scale", "lone", "T2")] == ("added", "")
    assert ("stress", "words", "T2") in found  # a scale without a construct stands for itself
    text = picture_text(drift_picture(declared_drift(study(MAP)), study(MAP)))
    assert "words  asked  reworded (identity)" in text and "5 change(s)" in text and "; 1 brought together" in text


def test_the_exhibit_of_drift_has_a_word_in_every_cell_and_the_reason_of_the_map():
    shown = context(config=study(MAP))
    exhibit = instrument_drift.build({"checks/drift": declared_drift(shown.config)}, shown)
    check_exhibit(exhibit, shown, True)
    rows = exhibit.table.set_index("Item")
    assert rows.loc["words: words", "After"].tolist() == ["reworded *"] * 2
    assert "identity, Read aloud to six people (team, 2025-01-02)" in rows.loc["words: words", "Map"].tolist()[0]
    drawn = {text.get_text() for text in exhibit.figure.axes[0].texts}
    assert {"asked", "same", "reworded *", "rescaled", "dropped", "added", "not asked"} <= drawn
    assert len({(colour, hatch) for colour, hatch in instrument_drift.LOOK.values()}) == len(instrument_drift.LOOK) - 1  # asked and same
    assert style.figure_bytes(exhibit.figure, "svg") == style.figure_bytes(
        instrument_drift.build({"checks/drift": declared_drift(shown.config)}, shown).figure, "svg"
    )


def test_the_exhibit_says_that_nothing_changed():
    shown = context(config={**study(), "items": [item("same"), item("words")]})
    exhibit = instrument_drift.build({"checks/drift": declared_drift(shown.config)}, shown)
    assert exhibit.figure is None and "No item changed" in exhibit.caption


FLAG = "buy_in: item words, version 1, is taken as version 2, unchanged: Read aloud"


@pytest.mark.parametrize("kind", [change_by_wave, variance_partition, marginal_means])
def test_what_rests_on_a_map_says_so_in_every_exhibit_of_models(kind):
    flagged = fits(notes=[FLAG, "", ""], harmonised=[FLAG, None, None])
    means = {"model": "m1", "means": "wave", "cell": "T1", "label": "Before", "scale": "response", "estimate": 3.0, "low": 2.0, "high": 4.0}
    parts = {"model": "m1", "level": "center", "n_groups": 7, "share": 0.2, "low": 0.1, "high": 0.3}
    sized = pd.DataFrame([{**means, "std_error": 0.1, "df": 5.0, "n": 30, "n_people": 30, "n_centers": 7}])
    tables = {"models/fits": flagged, "models/estimates": estimates(), "models/variance_partition": pd.DataFrame([parts])}
    tables |= {"models/marginal_means": sized, "models/variance_components": pd.DataFrame(columns=["model", "group", "term", "variance"])}
    exhibit = kind.build(tables, context())
    assert exhibit.notes[HARMONISED] == FLAG
    assert HARMONISED not in kind.build({**tables, "models/fits": fits(harmonised=None)}, context()).notes
    if kind is change_by_wave:
        assert any(FLAG in note for note in exhibit.footnotes) and "[a]" in exhibit.table["Outcome"].iloc[0]


@pytest.mark.parametrize(("kind", "flagged"), [(change_by_wave, "m1"), (facilitators, "f1")])
def test_a_sentence_on_a_harmonised_outcome_carries_the_word(kind, flagged):
    told = fits().assign(harmonised=[FLAG if model == flagged else None for model in fits()["model"]])
    said = kind.build({"models/fits": told, "models/estimates": estimates()}, context()).sentences
    assert any("uy-in (harmonised)" in text for text in said)
    other = told.assign(harmonised=FLAG.replace("buy_in", "dose"))  # a predictor, not the outcome
    said = kind.build({"models/fits": other, "models/estimates": estimates()}, context()).sentences
    assert "(harmonised)" not in " ".join(said)


def test_what_cannot_be_said_counts_the_models_that_rest_on_a_map():
    said = report_words.cannot_say(fits().assign(harmonised=[FLAG, None, FLAG]))
    assert [text for text in said if text.startswith("2 of 3 (67%) models use items or scales that changed")]
    assert "Harmonised" not in " ".join(report_words.cannot_say(fits()))


def test_sentences_and_figure_of_an_exhibit_end_with_what_was_harmonised(tmp_path):
    tables = {"fits": fits().assign(harmonised=[FLAG, None, None]), "estimates": estimates()}
    paths = {name: tmp_path / f"derived/models/{name}.csv" for name in tables}
    for name, table in tables.items():
        write_table(table, paths[name], key=[])
    forms = ("figures_svg", "figures_png", "tables_html", "tables_csv", "records")
    outputs = {form: [tmp_path / form / "F1_change"] for form in forms}
    row = {"exhibit": "F1_change", "kind": "change_by_wave", "title": "Change", "section": "Change", "order": 1, "options": ""}
    make_exhibits.run(Job({"tables": list(paths.values())}, outputs, {**CONFIG, "exhibits": [row]}, {}, 1))
    told = "Harmonised (versions brought together, see the note below the table): Buy-in."
    assert read_json(outputs["records"][0])["sentences"][-1] == told
    assert "Harmonised" in outputs["figures_svg"][0].read_text()


def test_scores_of_waves_that_cannot_be_compared_are_not_drawn_side_by_side():
    both = pd.concat([scores().assign(harmonised="words"), scores().assign(scale="stress", harmonised="words")])
    exhibit = descriptives.build({"measures/scores": both}, context(config=study(MAP)))
    for name in ("Buy-in", "Stress"):
        assert f"{name}: item words, version 1, is taken as version 2" in exhibit.notes[HARMONISED]
    assert "Buy-in: scored from other items between T1 and T2: new" in exhibit.notes["Not comparable between waves"]
    assert [axis.get_title(loc="left") for axis in exhibit.figure.axes if axis.get_visible()] == ["Stress"]
    assert exhibit.table["Scale"].nunique() == 2
    neither = descriptives.build({"measures/scores": both}, context(config=study()))
    assert neither.figure is None and HARMONISED not in neither.notes


@pytest.mark.parametrize(
    ("rule", "apart"),
    [(None, ["words", "range"]), ("identity", ["range"]), ("recode", ["words", "range"])],  # observed as it was given
)
def test_observed_scores_are_compared_by_the_rule_of_scales(rule, apart):
    parts = [{"id": item, "label": item, "items": [item, "same"], "better": "higher"} for item in ("same", "words", "range")]
    mapped = [{**MAP, "rule": rule, "recode": "1=1 2=2 3=3 4=4 5=5" if rule == "recode" else ""}] if rule else []
    config = {**study(*mapped), "observation": [{"id": "form", "source": "staff_T1", "kind": "indicators", "parts": parts}]}
    visits = [(part["id"], wave, n) for part in parts for wave in ("T1", "T2") for n in range(12)]
    data = pd.DataFrame(visits, columns=["score", "wave", "observation_id"]).assign(
        instrument="form", center_id="c", value=0.5, numerator=1.0, denominator=2.0, n_interview=0.0, scored_from="single", why=None
    )
    exhibit = observation.build({"measures/observation": data}, context(config=config))
    assert {"T1", "T2"} <= set(data["wave"]) and exhibit.table["Score"].nunique() == 3
    drawn = [axis.get_title(loc="left") for axis in exhibit.figure.axes if axis.get_visible()]
    assert drawn == [item for item in ("same", "words", "range") if item not in apart]
    told = exhibit.notes["Not comparable between waves"].split("; ")
    assert [text.partition(":")[0] for text in told] == apart and (HARMONISED in exhibit.notes) is (rule == "identity")
    assert observation.build({"measures/observation": data[data["score"] == "range"]}, context(config=config)).figure is None


def test_a_figure_that_rests_on_a_map_is_marked():
    figure, axis = style.new_figure(4, 3)
    axis.plot(np.arange(3))
    style.finish(figure, context())
    before = len(figure.texts)
    (text,) = harmonised.flag({HARMONISED: f"{FLAG}; stress__change: item x"}, context())
    style.add_foot(figure, text)
    assert len(figure.texts) == before + 1 and figure.texts[-1].get_text().replace("\n", " ").endswith("table): Buy-in, Stress.")
    figure.savefig(io.BytesIO(), format="svg")
    bottom = figure.texts[-1].get_window_extent().y1
    assert axis.get_tightbbox().y0 >= bottom  # the mark lies below the axis


def test_commands(repository, capsys):
    assert cli.main(["drift", str(repository), "--changed"]) == 0
    said = capsys.readouterr().out
    assert "peer3" in said and "reworded (identity)" in said and "coach1" not in said
    assert cli.main(["wording-hash", "We talk openly"]) == 0
    assert len(capsys.readouterr().out.strip()) == 16
