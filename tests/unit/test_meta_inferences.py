"""Meta-inferences: only a changed value of their own turns them stale, old and new stand side by side, signing keeps the file."""

import shutil

import numpy as np
import pandas as pd
import pytest
import yaml

from bscstudy.cli import main
from bscstudy.errors import BscError
from bscstudy.exhibits import meta_inferences as exhibit
from bscstudy.exhibits.base import Context
from bscstudy.exhibits.published_values import published_values
from bscstudy.inferences.signing import VALUES
from bscstudy.integrate.columns import INFERENCE_VALUES, INFERENCES
from bscstudy.integrate.meta_inferences import check_signatures, digest_of, judge, reference_text, references_of
from bscstudy.loading import load_study
from bscstudy.steps.judge_inferences import _row, _value_rows
from bscstudy.tables import write_table
from bscstudy.waves.config_text import with_keys

MODEL, THEME = "model m, contrast c", "theme t"
ONE = {"id": "one", "construct": "k", "results": [{"model": "m", "contrast": "c"}], "themes": ["t"]}
TWO = {"id": "two", "construct": "k", "results": [{"fidelity": "f"}], "themes": ["u", "t"], "fit": "expand", "statement": "Both rose."}
NOW = {MODEL: {"estimate": "+0.30", "95% interval": "0.10 to 0.50"}, THEME: {"raised by": "22 of 40", "direction": "+0.33"}}
ALL = {**NOW, "fidelity f": {"mean": "0.75"}, "theme u": {"raised by": "30 of 40", "direction": "−0.10"}}


def own(inference, published=ALL):
    return {reference: published[reference] for reference in references_of(inference)}


def signed(inference, published=ALL):
    now = own(inference, published)
    said = {"fit": "confirm", "statement": "The strands agree."}
    return said | inference | {"author": "A. Invented", "date": "2025-01-31", "rests_on": digest_of(now), "rested_on": now}


def test_a_changed_value_turns_exactly_the_inference_stale_that_refers_to_it():
    entries = [signed(ONE), signed(TWO)]
    assert [judge(entry, own(entry)).state for entry in entries] == ["signed", "signed"]
    other = ALL | {MODEL: {"estimate": "+0.31", "95% interval": "0.10 to 0.50"}}
    judged = [judge(entry, own(entry, other)) for entry in entries]
    assert [j.state for j in judged] == ["stale", "signed"] and not judged[1].changed
    assert [(v.reference, v.value, v.then, v.now) for v in judged[0].changed] == [(MODEL, "estimate", "+0.30", "+0.31")]
    elsewhere = ALL | {"fidelity g": {"mean": "1"}, "theme u": {"raised by": "31 of 41", "direction": "−0.10"}}
    assert [judge(entry, own(entry, elsewhere)).state for entry in entries] == ["signed", "stale"]


def test_the_order_of_references_keys_and_values_does_not_count():
    turned = {**TWO, "themes": ["t", "u"], "results": [{"fidelity": "f"}]}
    assert digest_of(own(TWO)) == digest_of(dict(reversed(own(turned).items())))
    assert digest_of({"a": {"x": "1", "y": "2"}}) == digest_of({"a": {"y": "2", "x": "1"}}) != digest_of({"a": {"x": "1", "y": "3"}})
    assert reference_text({"contrast": "c", "model": "m"}) == MODEL and reference_text({"run_chart": "r"}) == "run_chart r, group all"


@pytest.mark.parametrize(
    ("entry", "published", "state", "changed"),
    [
        (ONE, ALL, "proposed", []),
        (ONE | {"author": "A", "date": "2025-01-31"}, ALL, "proposed", []),
        (signed(ONE), ALL | {THEME: None}, "refers_to_nothing", [("direction", "+0.33", None), ("raised by", "22 of 40", None)]),
        (ONE, ALL | {MODEL: None}, "refers_to_nothing", []),
        (signed(ONE) | {"themes": ["t", "u"]}, ALL, "stale", [("direction", None, "−0.10"), ("raised by", None, "30 of 40")]),
        (signed(TWO) | {"themes": ["t"]}, ALL, "stale", [("direction", "−0.10", None), ("raised by", "30 of 40", None)]),
    ],
)
def test_states(entry, published, state, changed):
    judgement = judge(entry, own(entry, published))
    assert judgement.state == state
    assert sorted(((v.value, v.then, v.now) for v in judgement.changed), key=str) == changed


def test_a_signature_that_is_not_whole_or_was_edited_is_refused():
    check_signatures([ONE, signed(TWO)])
    with pytest.raises(BscError, match="BSC-QUA-070") as found:
        check_signatures([{**signed(ONE), "author": "", "rested_on": None}])
    assert "without author, rested_on" in str(found.value)
    edited = signed(ONE)
    with pytest.raises(BscError, match="BSC-QUA-071"):
        check_signatures([{**edited, "rested_on": {**edited["rested_on"], THEME: {"raised by": "40 of 40"}}}])


CONFIG = {
    "privacy": {"min_cell": 5, "show_centers": False},
    "waves": [{"id": "T1", "order": 1}, {"id": "T2", "order": 2}],
    "models": {},
}
FIT = {"model": "m", "state": "ok", "link": "identity"}
LINE = {"model": "m", "kind": "contrast", "term": "c", "estimate": 0.3049, "low": 0.1, "high": 0.5, "p_value": 0.02, "p_adjusted": np.nan}
SESSIONS = {"theme": "t", "wave": "all", "role": "all", "unit": "session", "n_asked": 40, "n_present": 22, "net_direction": 1 / 3}


@pytest.mark.parametrize(
    ("reference", "fit", "line", "theme", "expected"),
    [
        ({"model": "m", "contrast": "c"}, {}, {}, {}, {"estimate": "+0.30", "95% interval": "0.10 to 0.50", "p": ".020"}),
        (
            {"model": "m", "contrast": "c"},
            {"link": "logit"},
            {"p_adjusted": 0.04},
            {},
            {"estimate": "+0.30 log odds", "95% interval": "0.10 to 0.50", "p adjusted": ".040"},
        ),
        ({"model": "m", "contrast": "c"}, {"state": "failed"}, {}, {}, {"estimate": "not estimated (failed)"}),
        ({"model": "m", "contrast": "c"}, {}, {"cell_n": 4}, {}, {"estimate": "withheld"}),
        ({"model": "m", "contrast": "c"}, {}, {"cell_n": 40, "cell_centers": 2}, {}, {"estimate": "withheld"}),
        ({"model": "m", "term": "c"}, {}, {}, {}, None),
        ({"model": "other", "contrast": "c"}, {}, {}, {}, None),
        ({"theme": "t"}, {}, {}, {}, {"raised by": "22 of 40", "direction": "+0.33"}),
        ({"theme": "t"}, {}, {}, {"n_present": 3}, {"raised by": "<5 of 40", "direction": "–"}),
        ({"theme": "t"}, {}, {}, {"n_asked": 4, "n_present": 0}, {"raised by": "<5 asked", "direction": "–"}),
        ({"theme": "t"}, {}, {}, {"role": "director"}, None),
    ],
)
def test_values_are_rounded_and_withheld_as_in_the_exhibits(reference, fit, line, theme, expected):
    tables = {
        "models/fits": pd.DataFrame([FIT | fit]),
        "models/estimates": pd.DataFrame([{"cell_n": 40, "cell_centers": 7} | LINE | line]),
        "qual/theme_summary": pd.DataFrame([SESSIONS | theme]),
    }
    assert published_values(reference, {"id": "k"}, tables, Context("x", config=CONFIG)) == expected


def test_fidelity_observation_and_charts_give_what_is_published():
    visits = [("s", w, c, v) for c, (a, b) in {"A": (1, 2), "B": (2, 4), "C": (3, 3)}.items() for w, v in (("T1", a), ("T2", b))]
    index = {"index": "f", "level": "center", "wave": None}
    signal = {"metric": "r", "group": "all", "limits": "none", "n_outside": 0, "signal": "none"}
    month = {"metric": "r", "kind": "run", "value": 0.5, "numerator": 5, "denominator": 10}
    tables = {
        "measures/observation": pd.DataFrame(visits, columns=["score", "wave", "center_id", "value"]),
        "measures/fidelity": pd.DataFrame(
            [index | {"unit_id": c, "center_id": c, "value": v} for c, v in zip("ABC", (1, 2, 6), strict=True)]
        ),
        "measures/run_chart_signals": pd.DataFrame([signal | {"phase": 2, "centre": 0.6}, signal | {"phase": 1, "centre": 0.25}]),
        "measures/run_charts": pd.DataFrame([month]),
    }
    context = Context("x", config=CONFIG)
    assert published_values({"fidelity": "f"}, {}, tables, context) == {"mean": "3"}
    assert published_values({"fidelity": "g"}, {}, tables, context) is None
    change = published_values({"observation": "s"}, {"id": "k"}, tables, context)
    # mean of 1, 2, 0 and its t interval with 2 df: 1 -/+ 4.3027 / sqrt(3)
    assert change == {"waves": "T1 to T2", "change": "+1.00", "95% interval": "−1.48 to 3.48"}
    charts = published_values({"run_chart": "r"}, {}, tables, context)
    assert charts["phase 1, centre line"] == "25%" and charts["phase 2, centre line"] == "60%" and charts["phase 2, signal"] == "no signal"
    assert published_values({"run_chart": "r", "group": "x"}, {}, tables, context) is None
    people = tables["measures/fidelity"].assign(level="person")
    assert published_values({"fidelity": "f"}, {}, {"measures/fidelity": people}, context) == {"mean": "withheld"}


def shown(*entries, published=ALL, proposed="expand"):
    rows, values = [], []
    for place, entry in enumerate(entries):
        judgement = judge(entry, own(entry, published))
        joint = {"label": f"Construct {place}", "place": place}
        rows.append(_row(entry, joint, judgement) | {"fit_proposed": proposed, "rule": "its rule"})
        values += _value_rows(entry["id"], judgement, {reference: reference.title() for reference in references_of(entry)})
    tables = {"integrate/meta_inferences": pd.DataFrame(rows), "integrate/meta_inference_values": pd.DataFrame(values)}
    fits = pd.DataFrame(columns=["model", "state"])
    return exhibit.build(tables | {"models/fits": fits}, Context("T1", config=CONFIG | {"meta_inferences": list(entries)}))


def test_the_exhibit_counts_signed_and_stale_and_shows_old_beside_new():
    later = ALL | {THEME: {"raised by": "40 of 74", "direction": "+0.40"}}
    made = shown(signed(ONE), TWO | {"id": "three"}, published=later)
    assert made.sentences[0].startswith("1 of 2 meta-inferences is signed; 1 of them is stale")
    assert "Construct 0 (2 values changed)" in made.sentences[0] and made.sentences[1].startswith("Construct 1: only a proposal")
    rows = made.table.set_index("Rests on")
    assert tuple(rows.loc["Theme: Theme T, raised by", ["When signed", "Now"]]) == ("22 of 40", "40 of 74")
    assert tuple(rows.loc["Model M, Contrast C", ["When signed", "Now"]]) == ("the same", "estimate +0.30, 95% interval 0.10 to 0.50")
    headings = list(dict.fromkeys(made.table["Meta-inference"]))
    assert headings[0].startswith("Construct 0. Fit: confirm; the rule proposes expand (its rule). Stale") and "A. Invented" in headings[0]
    assert headings[1] == "Construct 1. Proposed fit: expand (its rule); drafted, not signed: expand. Proposal, not signed. Both rose."
    assert "none of them is stale" in shown(signed(ONE)).sentences[0]


@pytest.mark.parametrize(
    ("now", "old"),
    [
        ("40 of 74", "22 of 40"),
        ("24 of 74", "differs by fewer than 5 sessions"),
        ("30 of 42", "differs by fewer than 5 sessions"),
        ("<5 of 43", "differs by fewer than 5 sessions"),
    ],
)
def test_old_and_new_counts_together_do_not_tell_what_few_sessions_said(now, old):
    made = shown(signed(ONE), published=ALL | {THEME: {"raised by": now, "direction": "+0.34"}})
    rows = made.table.set_index("Rests on")["When signed"]
    assert rows["Theme: Theme T, raised by"] == old
    assert (rows["Theme: Theme T, direction"] == "+0.33") == (old == "22 of 40")
    assert set(made.data.loc[made.data["changed"].eq(1), "then"]) == {rows["Theme: Theme T, raised by"], rows["Theme: Theme T, direction"]}


TEXT = """# about the file
meta_inferences:
  - id: one   # the first
    construct: k
    themes: [t]
    statement: >-
      Both
      rose.  # part of the text

  # about the second
  - {id: two, construct: k, themes: [t]}  # in one line
  - id: three
    author: Old Name   # who
    rested_on:
      a: {x: "1"}
      b: {y: "2"}   # the end
# the last line
"""


@pytest.mark.parametrize("name", ["one", "two", "three"])
def test_keys_are_written_and_everything_else_stays(name):
    values = {"author": "Name: #2", "rests_on": "0123456789012345", "rested_on": {"m, c": {"95% interval": "−1 to > 2"}, "t": {"z": "–"}}}
    new = with_keys(TEXT, "meta_inferences", name, values)
    entries = {entry["id"]: entry for entry in yaml.safe_load(TEXT)["meta_inferences"]}
    assert {entry["id"]: entry for entry in yaml.safe_load(new)["meta_inferences"]} == entries | {name: entries[name] | values}
    assert new.count("\n  - ") == 3
    assert all(comment in new for comment in ("# about the file", "# the first", "# about the second", "# in one line", "# the last line"))
    assert with_keys(new, "meta_inferences", name, values) == new


@pytest.fixture
def study(repository, tmp_path):
    """The demonstration's configuration with one unsigned inference, and the values of a run."""
    shutil.copytree(repository / "config", tmp_path / "config")
    entry = {"id": "one", "construct": "climate", "results": [{"fidelity": "attendance_rate"}], "themes": ["stress_and_pace"]}
    write_entry(tmp_path, entry)
    judgement = judge(entry, {"fidelity attendance_rate": {"mean": "0.75"}, "theme stress_and_pace": {"raised by": "20 of 40"}})
    rows = _value_rows("one", judgement, {reference: reference for reference in references_of(entry)})
    write_table(pd.DataFrame(rows), tmp_path / VALUES, key=["inference", "reference", "value"], columns=INFERENCE_VALUES)
    row = pd.DataFrame([_row(entry, {"label": "Climate", "place": 1}, judgement) | {"fit_proposed": "expand", "rule": "its rule"}])
    write_table(row, tmp_path / "data/derived/integrate/meta_inferences.csv", key=["inference"], columns=INFERENCES)
    return tmp_path, entry


def write_entry(folder, *entries):
    text = yaml.safe_dump({"meta_inferences": list(entries)}, sort_keys=False)
    (folder / "config/meta_inferences.yaml").write_text(text, encoding="utf-8")


SIGN = ["--author", "A. Invented", "--date", "2025-01-31", "--study"]


def test_signing_writes_what_the_report_showed_and_the_list_says_so(study, capsys):
    folder, entry = study
    assert main(["inferences", "--study", str(folder)]) == 0
    assert "one: proposed, not signed; the rule says expand (its rule)" in capsys.readouterr().out
    write_entry(folder, entry | {"fit": "confirm", "statement": "They agree."})
    assert main(["sign-inference", "one", *SIGN, str(folder)]) == 0
    written = load_study(folder / "config")["meta_inferences"][0]
    assert written["rested_on"]["theme stress_and_pace"] == {"raised by": "20 of 40"} and written["author"] == "A. Invented"
    assert main(["inferences", "--study", str(folder)]) == 0
    assert "one: signed (confirm, A. Invented, 2025-01-31)" in capsys.readouterr().out
    changed = pd.read_csv(folder / VALUES, dtype=str).replace("20 of 40", "41 of 74")
    changed.to_csv(folder / VALUES, index=False)
    assert main(["inferences", "--study", str(folder)]) == 0
    said = capsys.readouterr().out
    assert "stale" in said and "theme stress_and_pace, raised by: 20 of 40 -> 41 of 74" in said


@pytest.mark.parametrize(
    ("name", "change", "options", "code"),
    [
        ("on", {}, SIGN, "BSC-QUA-073"),
        ("one", {}, ["--author", "A", "--date", "2025-02-30", "--study"], "BSC-QUA-074"),
        ("one", {}, ["--author", " ", "--date", "2025-01-31", "--study"], "BSC-QUA-074"),
        ("one", {"statement": None}, SIGN, "BSC-QUA-075"),
        ("one", {"themes": ["time_and_cover"]}, SIGN, "BSC-QUA-076"),
    ],
)
def test_what_cannot_be_signed_is_refused_and_nothing_is_written(study, capsys, name, change, options, code):
    folder, entry = study
    entry = {key: v for key, v in (entry | {"fit": "confirm", "statement": "They agree."} | change).items() if v is not None}
    write_entry(folder, entry)
    before = (folder / "config/meta_inferences.yaml").read_bytes()
    assert main(["sign-inference", name, *options, str(folder)]) == 3
    assert code in capsys.readouterr().err and (folder / "config/meta_inferences.yaml").read_bytes() == before


def test_merged_keys_results_that_are_not_there_and_a_study_without_a_run_are_refused(study, capsys):
    folder, entry = study
    whole = entry | {"fit": "confirm", "statement": "They agree."}
    write_entry(folder, whole)
    text = (folder / "config/meta_inferences.yaml").read_text(encoding="utf-8")
    (folder / "config/meta_inferences.yaml").write_text(text.replace("- id: one", "- <<: {id: one}"), encoding="utf-8")
    assert main(["sign-inference", "one", *SIGN, str(folder)]) == 3
    assert "BSC-QUA-078" in capsys.readouterr().err
    write_entry(folder, whole)
    rows = pd.read_csv(folder / VALUES, dtype=str)
    rows.assign(now=rows["now"].where(rows["value"] != "mean")).to_csv(folder / VALUES, index=False)
    assert main(["sign-inference", "one", *SIGN, str(folder)]) == 3
    assert "BSC-QUA-077" in (said := capsys.readouterr().err) and "fidelity attendance_rate" in said
    (folder / VALUES).unlink()
    assert main(["sign-inference", "one", *SIGN, str(folder)]) == 3
    assert "BSC-QUA-072" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"construct": "climat"}, "construct 'climat'"),
        ({"themes": ["stress"]}, "theme 'stress'"),
        ({"results": [{"model": "change_climat", "contrast": "change_post"}]}, "model 'change_climat'"),
        ({"results": [{"model": "change_climate", "contrast": "change_pst"}]}, "contrast of change_climate 'change_pst'"),
        ({"results": [{"fidelity": "attendance"}]}, "fidelity index 'attendance'"),
        ({"results": [{"observation": "practices"}]}, "observation score 'practices'"),
        ({"results": [{"run_chart": "talk"}]}, "monthly metric 'talk'"),
        ({"results": [{"run_chart": "family_communication", "group": "A01"}]}, "group of charts 'A01'"),
        ({"strategy": "recheck"}, "'strategy' says what is done about a discord"),
        ({"results": [{"run_chart": "family_communication", "fidelity": "attendance_rate"}]}, "mixes two of them"),
    ],
)
def test_references_that_lead_nowhere_are_named(study, change, said):
    folder, entry = study
    write_entry(folder, entry | change)
    with pytest.raises(BscError, match="BSC-CFG-00[23]") as found:
        load_study(folder / "config")
    assert said in str(found.value)
