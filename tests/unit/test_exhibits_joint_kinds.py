"""The joint displays beyond the first: bands in place of small shares, no person's answer as a center's, TODO(author) for people's part."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from exhibit_study import fits as exhibit_fits

from bscstudy.exhibits import joint_side_by_side, pillar_integration, statistics_by_themes, style, theme_links, themes_on_run_chart
from bscstudy.exhibits.base import Context, check_exhibit
from bscstudy.exhibits.themes_on_run_chart import _place
from bscstudy.integrate.theme_groups import theme_groups
from bscstudy.integrate.theme_links import theme_links as linked

CENTERS = [f"center_{name}" for name in ("one", "two", "three", "four", "five", "six", "seven")]
ASKED, PRESENT = [3, 3, 3, 3, 3, 3, 2], [0, 1, 1, 2, 2, 3, 2]
CHANGES = [0.0, 0.1, -0.1, 0.4, 0.3, 0.6, 0.7]
CONFIG = {
    "study": {"seed": 5, "synthetic": True},
    "waves": [
        {"id": "T1", "label": "Midpoint", "order": 1, "phase": "baseline", "start": "2024-02-15", "end": "2024-04-15"},
        {"id": "T2", "label": "Later", "order": 2, "phase": "post", "start": "2024-06-01", "end": "2024-06-30"},
    ],
    "collaboratives": [{"id": "x", "label": "Alder"}],
    "roles": [{"id": "director", "label": "Director"}],
    "scales": [{"scale": "sel", "label": "Practice", "better": "higher", "instrument": "staff", "rule": "mean", "items": "a"}],
    "items": [{"instrument": "staff", "item": "a", "type": "ordinal", "response_scale": "agree", "minimum": 1, "maximum": 5}],
    "sources": {},
    "harmonisation": [],
    "models": {},
    "fidelity": [{"id": "dose", "label": "Dose"}],
    "themes": [{"theme": "a", "label": "Time", "construct": "k"}, {"theme": "b", "label": "Leaders", "construct": "l"}],
    "theory_of_change": {"constructs": [{"id": "k", "scales": ["sel"]}]},
    "privacy": {"min_cell": 5, "show_centers": True},
    "integration": {
        "links": [{"id": "one", "theme": "a", "outcome": "sel", "declared": "2024-01-02"}, {"id": "two", "theme": "a", "outcome": "dose"}],
        "pillars": [{"construct": "k", "checking": "Checked by hand.", "pillar": "It moved.", "author": "A. Writer"}],
    },
    "run_charts": {"metrics": [{"id": "talk", "label": "Talk", "better": "higher"}]},
}  # fmt: skip


def scores(people: int) -> pd.DataFrame:
    rows = [
        {"scale": "sel", "instrument": "staff", "wave": wave, "row_id": f"{wave}{c}{p}", "person_id": f"{c}{p}", "center_id": c,
         "score": 3 + later * change + 0.1 * ((p + 2 * later) % people)}
        for later, wave in enumerate(("T1", "T2")) for c, change in zip(CENTERS, CHANGES, strict=True) for p in range(people)
    ]  # fmt: skip
    return pd.DataFrame(rows)


@pytest.fixture
def tables():
    return made(people=6)


def made(people: int, asked=ASKED, present=PRESENT) -> dict:
    centers = pd.DataFrame({"center_id": CENTERS, "collaborative": "x"})
    counts = {"n_asked": asked, "n_present": present, "n_facilitator": present, "n_barrier": 0, "net_direction": 1.0}
    whole = pd.DataFrame({"theme": "a", "center_id": CENTERS, "wave": "all", **counts})
    whole["share"] = whole["n_present"] / whole["n_asked"]
    fidelity = pd.DataFrame({"index": "dose", "unit_id": CENTERS, "wave": None, "center_id": CENTERS, "value": range(7)})
    links, values = linked(CONFIG, whole, scores(people), fidelity, centers, seed=1)
    cells = whole.assign(outcome="sel", outcome_waves="T1 to T2", outcome_change=CHANGES, outcome_rank=range(7), collaborative="x")
    rows = []
    for wave, present, asked in (("T1", 20, 30), ("T2", 3, 25), ("all", 23, 55)):
        row = {"theme": "a", "wave": wave, "role": "all", "unit": "session", "n_asked": asked, "n_present": present}
        rows.append({**row, "share": present / asked, "low": 0.1, "high": 0.9, "net_direction": 0.5, "n_centers": 7})
    sessions = {"theme": "a", "unit": "session", "asked": 1, "coded": 1, "present": 1}
    return {
        "centers": centers,
        "qual/theme_center": whole,
        "integrate/theme_links": links,
        "integrate/theme_link_centers": values,
        "integrate/center_themes": cells,
        "integrate/theme_groups": theme_groups(cells, seed=1),
        "qual/theme_summary": pd.DataFrame(rows),
        "qual/presence": pd.DataFrame({"unit_id": CENTERS, "center_id": CENTERS, **sessions}),
        "models/fits": exhibit_fits().iloc[[0]].assign(model="m"),
        "measures/run_charts": run_chart(),
        "measures/run_chart_signals": pd.DataFrame({"metric": ["talk"], "group": ["all"], "phase": [1], "signal": ["shift"]}),
    }


def run_chart() -> pd.DataFrame:
    months = [f"2024-0{m}" for m in range(1, 7)]
    frame = pd.DataFrame({"metric": "talk", "group": "all", "level": "all", "month": months, "value": [0.2, 0.3, 0.3, 0.5, 0.6, 0.7]})
    blank = {name: np.nan for name in ("lower", "upper")}
    return frame.assign(numerator=frame["value"] * 10, denominator=10, kind="run", phase=1, centre=0.4, outside=0, n_centers=7, **blank)


def context(options=None, **privacy) -> Context:
    return Context("F1", "x", "Title", "Part", options or {}, {**CONFIG, "privacy": {**CONFIG["privacy"], **privacy}})


def drawn(axis) -> dict[str, tuple[float, float]]:
    return {text.get_text(): text.get_position() for text in axis.texts if len(text.get_text()) == 1}


def test_links_show_a_half_in_place_of_the_share_of_few_sessions(tables):
    figure = theme_links.build(tables, context()).figure
    points = drawn(figure.axes[0])
    assert len(points) == 6  # of the center with two sessions nothing is told
    for _, (x, _) in points.items():
        assert min(abs(x - 0.25), abs(x - 0.75)) < 0.2 and "33%" not in str(figure.axes[0].get_xticklabels())
    assert {round(y, 2): x < 0.5 for x, y in points.values()} == {0.0: True, 0.1: True, -0.1: True, 0.4: False, 0.3: False, 0.6: False}


def test_links_draw_no_center_whose_outcome_is_that_of_few_people():
    axes = theme_links.build(made(people=2), context()).figure.axes
    assert not drawn(axes[0]) and len(drawn(axes[1])) == 6  # the second outcome is an index, no answer of people
    assert any("too few" in text.get_text() for text in axes[0].texts)


def test_links_name_no_center_where_none_may_be_shown(tables):
    exhibit = theme_links.build(tables, context(show_centers=False))
    assert not drawn(exhibit.figure.axes[0]) and "Small charts" not in exhibit.alt


def test_links_say_associated_and_never_more(tables):
    exhibit = theme_links.build(tables, context())
    text = " ".join([*exhibit.table.to_csv().split(), *exhibit.sentences, exhibit.caption, *exhibit.notes.values()])
    assert "associated across 7 centers" in exhibit.sentences[0]
    assert not [word for word in ("predict", "effect", "cause", "impact", "because of") if word in text.lower()]
    assert "all 2 declared links" in exhibit.notes["Several links"] and "2024-01-02" in exhibit.notes["Declared"]
    turned = {**tables, "integrate/theme_links": tables["integrate/theme_links"].iloc[::-1]}
    assert theme_links.build(turned, context()).table.equals(exhibit.table)  # in the order in which they were declared
    row = exhibit.table.iloc[0]
    assert row["High minus low centers (p)"].startswith("+0.43 (3 and 3;") and row["Outcome"] == "Change in practice, T1 to T2"
    one = tables["integrate/theme_links"].assign(split_n_low=1)
    assert set(theme_links.build({**tables, "integrate/theme_links": one}, context()).table["High minus low centers (p)"]) == {
        "not shown: one center (3 and 1)"
    }
    assert not [name for name in CENTERS if name in text + exhibit.alt + exhibit.data.to_csv()]


def test_statistics_by_themes_hide_a_group_of_one_center_where_centers_are_not_shown(tables):
    alone = {**tables, "integrate/theme_groups": theme_groups(tables["integrate/center_themes"].iloc[[0, 1, 2, 5]], seed=1)}
    shown = statistics_by_themes.build(alone, context()).table.iloc[0]
    assert "+0.60" in shown.to_list() and "+0.60" in shown["Difference"]
    hidden = statistics_by_themes.build(alone, context(show_centers=False))
    assert hidden.table.iloc[0, 1:].to_list() == ["1", "–", "3", "–", "–", "not shown: one center"] and not hidden.sentences
    assert hidden.data[["high_mean", "low_mean", "difference"]].isna().all(axis=None)


JOINT = {
    "construct": "k", "label": "Practice", "block": "practice", "place": 1, "model": "m", "outcome": "sel", "contrast_label": "T1 to T2",
    "change": 0.3, "low": 0.1, "high": 0.5, "change_state": "ok", "better": "higher", "observation_score": None, "observation_waves": None,
    "observation_change": None, "observation_low": None, "observation_high": None, "fidelity_index": "dose", "fidelity": 3.0, "n_asked": 55,
    "n_present": 23, "share": 0.42, "share_low": 0.3, "share_high": 0.5, "net_direction": 0.5,
}  # fmt: skip
SILENT = {
    "change": None,
    "low": None,
    "high": None,
    "change_state": "no_model",
    "fidelity": None,
    "n_asked": 0,
    "n_present": 0,
    "share": None,
}


@pytest.fixture
def joint(tables):
    few = {"fidelity": None, "n_asked": 30, "n_present": 3, "share": 0.1}
    rows = [JOINT, {**JOINT, "construct": "l", "label": "Leading", "place": 2, **few},
            {**JOINT, **SILENT, "construct": "n", "label": "Nothing", "place": 3}]  # fmt: skip
    return {**tables, "integrate/joint_display": pd.DataFrame(rows)}


def test_side_by_side_gives_signed_inferences_only(joint):
    said = {"construct": ["k", "k", "l"], "statement": ["It rose.", "It fell.", "Not signed."], "author": ["A", "B", None]}
    given = {**joint, "integrate/meta_inferences": pd.DataFrame({**said, "state": ["signed", "stale", "proposed"]})}
    table = joint_side_by_side.build(given, context()).table.set_index("Domain")
    assert table.loc["Practice", "Inference"] == "It rose. It fell. (stale: the numbers have changed since)"
    assert (
        table.loc["Leading", "Inference"] == "TODO(author)" and table.loc["Nothing", "Survey"] == "no survey scale with a model of change"
    )
    assert table.loc["Practice", "Survey"] == "rose: +0.30 (0.10 to 0.50), T1 to T2"
    assert table.loc["Practice", "Interviews and focus groups"] == "Time: 23 of 55, more often as a facilitator"
    assert set(joint_side_by_side.build(joint, context()).table["Inference"]) == {"TODO(author)"}


def test_side_by_side_withholds_the_share_of_few_sessions(joint):
    exhibit = joint_side_by_side.build(joint, context())
    assert exhibit.data.set_index("construct").loc["l", ["share", "share_low", "share_high"]].isna().all()
    assert any(text.get_text() == "too few to show" for text in exhibit.figure.axes[1].texts)


def test_pillars_are_written_by_people_and_matched_by_the_program(joint):
    exhibit = pillar_integration.build(joint, context())
    table = exhibit.table.set_index("Domain")
    assert list(table.index) == ["Practice", "Leading"]  # where no strand speaks there is nothing to list
    assert (
        table.loc["Practice", "2 Matching"] == "survey and fidelity with themes"
        and table.loc["Practice", "3 Checking"] == "Checked by hand."
    )
    assert table.loc["Practice", "4 Pillar"] == "It moved. (A. Writer)" and table.loc["Leading", "3 Checking"] == "TODO(author)"
    assert "2 of 2 domains; pillars are written for 1" in exhibit.sentences[0]
    marks = exhibit.data.set_index("construct")
    assert marks.loc["k"].to_list() == [1, 0, 1, 1, 1, 1] and marks.loc["l"].to_list() == [1, 0, 0, 1, 0, 0]


def test_themes_stand_below_the_months_of_their_wave(tables):
    exhibit = themes_on_run_chart.build(tables, context())
    row = exhibit.table.set_index("Row")
    heads = ["Midpoint (2024-02 to 2024-04)", "Later (2024-06 to 2024-06)"]
    assert row.loc["Talk", heads].to_list() == ["30% to 50% (3 months)", "70% (1 month)"]
    assert row.loc["Time", heads].to_list() == ["hidden of 30", "<5 of 25"]  # 23 of all raised it: 20 would tell the 3
    assert exhibit.data["share"].isna().all()
    bars = [bar for bar in exhibit.figure.axes[1].patches if bar.get_height() == 0.82]
    assert len(bars) == 2 and bars[1].get_x() == pytest.approx(4.5) and bars[1].get_width() == pytest.approx(1.0)  # the whole of June
    part = run_chart()
    assert _place("2024-02-15", part) == pytest.approx(0.5 + 14 / 29) and _place("2024-03-31", part, end=True) == pytest.approx(2.5)


def test_what_is_said_at_the_foot_stands_above_what_was_said_before(joint):
    figure = pillar_integration.build(joint, context()).figure
    style.add_foot(figure, "Another thing. " * 12)
    figure.draw_without_rendering()
    first, second = (text.get_window_extent() for text in figure.texts[-2:])
    assert "Another" in figure.texts[-1].get_text() and second.y0 >= first.y1


@pytest.mark.parametrize("kind", [theme_links, statistics_by_themes, joint_side_by_side, pillar_integration, themes_on_run_chart])
@pytest.mark.parametrize("show", [True, False])
def test_each_kind_is_whole_and_names_no_center(kind, show, joint):
    exhibit = kind.build(joint, context(show_centers=show))
    check_exhibit(exhibit, context(), kind.FIGURE)
    text = exhibit.table.to_csv() + exhibit.data.to_csv() + " ".join(exhibit.sentences) + exhibit.alt + str(exhibit.notes)
    assert exhibit.figure is not None and not [name for name in CENTERS if name in text]
    empty = kind.build({}, replace(context(), options={}))
    assert list(empty.table.columns) == ["Not shown"]
