"""Exhibits of items and of raters' intraclass correlations: what is shown, what is withheld, and what may be had from the rest."""

from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
from exhibit_study import CONFIG, context

from bscstudy.exhibits import item_statistics, rater_icc
from bscstudy.measures.intraclass import six_icc

ITEM = {
    "scale": "buy_in", "wave": "T1", "place": 1, "item": "lead1", "keyed": "as answered", "n_asked": 50, "n_not_asked": 2, "n_skipped": 5,
    "n_coded": 1, "n_not_possible": 0, "n": 40, "mean": 3.5, "sd": 1.0, "floor": 0.15, "ceiling": 0.25, "n_complete": 38,
    "item_total": 0.45, "alpha_if_deleted": 0.7,
}  # fmt: skip
ITEMS = [{"item": "lead1", "label": "Leaders make time", "instrument": "staff"}]
SHARES = ("Not answered", "At lowest", "At highest")


def items(*rows, options=None):
    tables = {
        "measures/items": pd.DataFrame([{**ITEM, **row} for row in rows]),
        "measures/reliability": pd.DataFrame([{"scale": s, "wave": w, "alpha": 0.65} for s in ("buy_in", "stress") for w in ("T1", "T2")]),
    }
    config = {**CONFIG, "items": ITEMS, "scales": [{**row, "instrument": "staff", "items": "", "waves": ""} for row in CONFIG["scales"]]}
    return item_statistics.build(tables, context(config=config, options=options or {}))


def shares(shown, row=0):
    return tuple(shown.table.loc[row, name] for name in SHARES)


def test_items_stand_in_the_order_of_the_scale_and_then_of_waves():
    second = {"item": "first", "place": 2, "keyed": "reversed", "item_total": 0.1}
    shown = items(second, {"wave": "T2"}, {"scale": "stress", "item": "s1"}, {})
    assert list(shown.table["Item"]) == ["Leaders make time", "Leaders make time", "first (reversed)", "s1"]
    assert list(shown.table["Wave"]) == ["Before", "After", "Before", "Before"] and list(shown.table["n"]) == ["48"] * 4
    assert shares(shown) == ("12%", "15%", "25%") and list(shown.table["Item-total"]) == ["0.45", "0.45", "0.10", "0.45"]
    assert "below .30 at some wave for 1 of 3 (33%) items" in shown.sentences[0] and "'first (reversed)' of Buy-in" in shown.sentences[1]
    assert "for 3 of 3 (100%) items" in shown.sentences[2], "alpha without the item is .70, with it .65"
    assert list(items(second, {}, options={"scales": "stress"}).table.columns) == ["Not shown"]


def test_what_few_people_answered_is_a_range_in_table_figure_and_data():
    shown = items({"n_skipped": 1, "n_coded": 0, "floor": 3 / 40, "ceiling": 0.0})
    assert shares(shown) == ("2% to 8%", "2% to 10%", "0%")
    assert shown.data.loc[0, ["floor_least", "floor_most"]].tolist() == [1 / 40, 4 / 40]
    assert [bar.get_width() for bar in shown.figure.axes[0].patches] == pytest.approx([1 / 40, 3 / 40])
    assert items({"floor": 4 / 40}).table.equals(items({"floor": 1 / 40}).table), "a reader cannot tell one person from four"


def test_of_two_answers_one_does_not_give_the_other_away():
    shown = items({"floor": 2 / 40, "ceiling": 38 / 40})
    assert shares(shown)[1:] == ("2% to 10%", "90% to 98%")
    assert shares(items({"floor": 20 / 40, "ceiling": 20 / 40}))[1:] == ("50%", "50%")


def test_items_of_few_people_are_withheld():
    few = items({"n_asked": 6, "n": 4, "n_complete": 4, "floor": 0.25, "ceiling": 0.75, "n_skipped": 0, "n_coded": 0})
    row = few.table.iloc[0]
    assert row["n"] == "<5" and {row[c] for c in ("Mean", "SD", "At lowest", "At highest", "Item-total", "Alpha")} == {"–"}
    assert few.data[["floor_most", "ceiling_most"]].isna().all(axis=None) and "cannot" not in few.caption
    complete = items({"n_complete": 4}).table.iloc[0]
    assert (complete["Item-total"], complete["Alpha without it"], complete["Mean"]) == ("–", "–", "3.50")


def icc_rows(score, ratings, note=""):
    forms = [asdict(form) for form in six_icc(ratings)]
    kept = [form for form in forms if not note or form["form"].startswith("ICC(1")]
    return [{"instrument": "form", "score": score, "n_visits": len(ratings), "n_raters": 4, "note": note, **form} for form in kept]


SHROUT_FLEISS = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float)
PARTS = [{"id": name, "label": name.title()} for name in ("key", "warmth", "flags")]


def icc(*rows, options=None):
    config = {**CONFIG, "observation": [{"id": "form", "label": "Form", "kind": "ratings", "scores": PARTS}]}
    return rater_icc.build({"measures/rater_icc": pd.DataFrame(rows)}, context(config=config, options=options or {}))


def test_the_six_forms_stand_beside_each_other():
    shown = icc(*icc_rows("key", SHROUT_FLEISS)[::-1], *icc_rows("warmth", SHROUT_FLEISS[:, ::-1] * 2 - 3))
    forms = [f"ICC({number},{of})" for of in "1k" for number in (1, 2, 3)]
    assert list(shown.table.columns) == ["Instrument", "Score", "Visits", "Raters", *forms]
    assert [cell.split(" ")[0] for cell in shown.table.loc[0, forms]] == ["0.17", "0.29", "0.71", "0.44", "0.62", "0.91"]  # their table 4
    assert shown.table.loc[0, forms].tolist() == shown.table.loc[1, forms].tolist(), "units of the scale do not matter"
    assert shown.sentences == ("Form: the intraclass correlation of one rater's score, ICC(2,1), is 0.29 (key) to 0.29 (warmth).",)
    assert shown.notes["Exclusions"].endswith("no two visits were scored twice for Flags") and "Forms" not in shown.notes
    drawn = [bars.lines[0].get_xdata()[0] for bars in shown.figure.axes[0].containers]
    assert drawn == pytest.approx(shown.data["estimate"][:6].tolist())


def test_forms_that_raters_of_their_own_leave_out_are_said():
    note = "visits have different raters"
    shown = icc(*icc_rows("key", SHROUT_FLEISS), *icc_rows("warmth", SHROUT_FLEISS, note))
    assert shown.table.loc[1, ["ICC(2,1)", "ICC(3,k)"]].tolist() == ["–", "–"] and shown.table.loc[1, "ICC(1,1)"].startswith("0.17")
    assert shown.notes["Forms"] == f"all scores: {note}"
    only = icc(*icc_rows("warmth", SHROUT_FLEISS, note), options={"scores": "warmth"})
    assert "ICC(2,1)" not in only.table and "twice for" not in only.notes["Exclusions"] and "ICC(1,1)" in only.sentences[0]


def test_without_double_coding_or_observation_it_says_so():
    unlike = icc(*icc_rows("key", np.full((4, 3), 2.0)))
    assert unlike.figure is None and unlike.table.loc[0, "ICC(2,1)"] == "–" and not unlike.sentences
    empty = pd.DataFrame(columns=["instrument", "score", "form"])
    assert "two raters" in rater_icc.build({"measures/rater_icc": empty}, context()).caption
    assert "no classroom observation" in rater_icc.build({}, context()).caption
