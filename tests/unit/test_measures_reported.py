"""Shares of what people report, what they keep to a later wave, and small groups in the exhibit."""

import numpy as np
import pandas as pd
import pytest
from exhibit_study import CONFIG, context

from bscstudy.errors import BscError
from bscstudy.exhibits import attendance, masking, peer_network, reported
from bscstudy.measures.reported import asked_waves, item_verdicts, kept_shares, mapped_rows, report_answers, report_shares

ROWS = pd.DataFrame(
    {
        "wave": ["T1"] * 4 + ["T2"] * 4, "person_id": ["p1", "p2", "p3", None, "p1", "p2", "p3", "p4"],
        "core": ["other"] * 3 + ["core"] + ["other"] * 4, "used": [1.0, 1, 0, 1, 1, 0, 1, np.nan], "device": [4.0, 3, 5, 1, 3, 2, 4, 4],
        "used__scale": "yes_no", "device__scale": ["agree5"] * 4 + ["agree4"] * 4,
    }
)  # fmt: skip
USED = {"id": "spread", "items": [{"item": "used", "label": "Used it"}]}
DEVICE = {"id": "tools", "items": [{"item": "device", "label": "Has one", "at_least": {"agree5": 4, "agree4": 3}}]}
WAVES = ["T1", "T2"]


def test_shares_leave_missing_answers_out_and_who_restricts_them():
    answers = report_answers(ROWS, {**USED, "who": "core == 'other'"})
    found = report_shares(answers, "spread", ["core"], {}).set_index(["by", "group", "wave"])
    assert found.loc[("all", "all", "T1"), ["n_asked", "n_answered", "n_yes"]].tolist() == [3, 3, 2]
    assert found.loc[("core", "other", "T2"), ["n_asked", "n_answered", "n_yes"]].tolist() == [4, 3, 2]
    assert np.isclose(found.loc[("all", "all", "T2"), "share"], 2 / 3)


def test_a_person_is_followed_only_with_an_answer_at_both_waves():
    anonymous = ROWS["person_id"].where(ROWS["person_id"] != "p4")
    rows = ROWS.assign(person_id=anonymous, used=ROWS["used"].fillna(1.0))  # two forms without an id are not one person
    kept = kept_shares(report_answers(rows, USED), "spread", ("T1", "T2"), []).iloc[0]
    assert kept[["n_both", "n_before", "n_kept", "n_taken_up"]].tolist() == [3, 2, 1, 1]
    assert (kept["share_kept"], kept["share_taken_up"]) == (0.5, 1.0)


def test_a_code_for_each_response_scale():
    answers = report_answers(ROWS, DEVICE)
    assert answers["yes"].tolist() == [1, 0, 1, 0, 1, 0, 1, 1]


def test_waves_are_compared_only_over_one_version_or_a_map():
    row = {"instrument": "staff", "item": "used", "type": "yes_no", "sources": "", "roles": "", "column": "", "response_scale": ""}
    items = [{**row, "version": 1, "waves": "T1", "wording": "Used it"}, {**row, "version": 2, "waves": "T2", "wording": "Tried it"}]
    config = {"items": items, "sources": {"s": {"instrument": "staff"}}, "harmonisation": []}
    spec = {**USED, "sources": ["s"]}
    assert "wording" in item_verdicts(spec, {"used": WAVES}, config)["used"].reasons[0]
    assert item_verdicts(spec, {"used": ["T2"]}, config)["used"].comparable
    shares = report_shares(report_answers(ROWS, USED), "spread", [], item_verdicts(spec, {"used": WAVES}, config))
    assert shares["not_comparable"].str.contains("version 1 -> 2").all()


STEP = {"instrument": "staff", "item": "device", "version": 1, "new_item": "", "new_version": 2, "scale": "", "waves": "", "a": None}
STEP |= {"b": None, "recode": "", "reason": "one digit less", "decided_by": "two readers", "decided_on": "2026-01-01"}


def study(rule, new="device", **more):
    """Return sources, codebook and map of an item answered on 1 to 5 at T1 and on 1 to 4 at T2."""
    row = {"instrument": "staff", "item": "device", "type": "ordinal", "roles": "", "column": "", "wording": "I have one", "minimum": 1.0}
    first = {**row, "version": 1, "waves": "T1", "sources": "one", "response_scale": "agree5", "maximum": 5.0}
    later = {**row, "item": new, "version": 2, "waves": "T2", "sources": "two", "response_scale": "agree4", "maximum": 4.0}
    sources = {"one": {"instrument": "staff", "wave": "T1"}, "two": {"instrument": "staff", "wave": "T2"}}
    renamed = {"new_item": new} if new != "device" else {}
    return {"items": [first, later], "sources": sources, "harmonisation": [{**STEP, "rule": rule, **renamed, **more}]}


def counted(config, item):
    tables = {
        name: ROWS.loc[ROWS["wave"] == wave].drop(columns=["used__scale", "device__scale"])
        for name, wave in zip(config["sources"], WAVES, strict=True)
    }
    tables["two"] = tables["two"].rename(columns={"device": item["item"]})
    spec = {"id": "tools", "sources": ["one", "two"], "items": [{"label": "Has one", **item}]}
    rows = mapped_rows(tables, spec, config)
    assert asked_waves(rows, spec, WAVES) == {item["item"]: WAVES}
    verdicts = item_verdicts(spec, {item["item"]: WAVES}, config)
    return report_shares(report_answers(rows, spec), "tools", [], verdicts).set_index("wave")


@pytest.mark.parametrize(
    ("config", "name", "n_yes"),
    [
        (study("recode", recode="1=1 2=1 3=2 4=2 5=4"), "device", 1),  # of 4 3 5 1: only 5 becomes 3 or more
        (study("recode", recode="1=1 2=2 3=3 4=3 5=4"), "device", 3),
        (study("linear"), "device", 2),  # 1 + (x - 1) * 3 / 4: 3.25 2.5 4 1
        (study("linear", a=-2.97, b=1.4925), "device", 2),  # 4 becomes 2.9999999999999996, which is 3
        (study("linear", new="owned"), "owned", 2),
    ],
)
def test_shares_are_of_the_answers_that_the_map_gives(config, name, n_yes):
    shares = counted(config, {"item": name, "at_least": {"agree4": 3}})
    assert shares["n_yes"].tolist() == [n_yes, 3] and shares["n_answered"].tolist() == [4, 4]
    assert (shares["not_comparable"] == "").all() and shares["harmonised"].str.contains("one digit less").all()


@pytest.mark.parametrize(
    ("config", "item", "code"),
    [
        (study("linear"), {"item": "device", "at_least": 3}, "BSC-CFG-250"),
        (study("linear"), {"item": "device", "at_least": {"agree5": 4}}, "BSC-CFG-291"),
        (study("linear"), {"item": "device"}, "BSC-CFG-290"),
        (study("linear", new="owned"), {"item": "device", "at_least": {"agree4": 3}}, "BSC-CFG-251"),
        (study("recode", recode="1=1 2=1 3=2 4=2"), {"item": "device", "at_least": {"agree4": 3}}, "BSC-CFG-087"),
    ],
)
def test_a_map_that_cannot_be_applied_is_refused(config, item, code):
    with pytest.raises(BscError) as fault:
        counted(config, item)
    assert fault.value.code == code


@pytest.mark.parametrize(
    ("item", "code"),
    [
        ({"item": "device", "label": "x"}, "BSC-CFG-290"),
        ({"item": "used", "label": "x", "by": ["program_type"]}, "BSC-CFG-292"),
        ({"item": "core", "label": "x"}, "BSC-CFG-290"),
        ({"item": "absent", "label": "x"}, "BSC-CFG-290"),
        ({"item": "device", "label": "x", "at_least": 4}, "BSC-CFG-291"),
        ({"item": "device", "label": "x", "at_least": {"agree5": 4}}, "BSC-CFG-291"),
    ],
)
def test_what_is_not_yes_or_no_needs_a_code_for_every_scale(item, code):
    with pytest.raises(BscError) as fault:
        report_answers(ROWS, {"id": "tools", "items": [item], "by": item.get("by")})
    assert fault.value.code == code


def test_a_hidden_group_cannot_be_had_from_the_total():
    within = pd.DataFrame({"item": ["x"] * 3 + ["y"] * 3})
    first, sizes = pd.Series([True, False, False] * 2) & (within["item"] == "x"), pd.Series([2, 30, 9] * 2)
    hidden = masking.with_complement(first, (sizes,), within, 5)
    assert hidden.tolist() == [True, False, True, False, False, False]
    said_no = pd.Series([2, 20, 0] * 2)  # the two hidden rows together: 2, which the total less 20 tells
    assert masking.with_complement(first, (sizes, said_no), within, 5).tolist() == [True, True, True, False, False, False]


def many(yes, no, **columns):
    return pd.DataFrame(
        {"used": [1.0] * yes + [0.0] * no, "used__scale": "yes_no", "person_id": [f"{columns}{i}" for i in range(yes + no)]}
    ).assign(**columns)


def test_the_exhibit_shows_no_small_group_and_no_center_without_leave():
    rows = pd.concat([many(2, 9, role="director", wave="T1", center_id="A1"), many(9, 9, role="teacher", wave="T1", center_id="B1")])
    by = ["role", "center_id"]
    shares = report_shares(report_answers(rows, USED), "spread", by, {})
    kept = kept_shares(report_answers(rows, USED), "spread", ("T1", "T2"), by)
    tables = {"measures/reported": shares, "measures/reported_kept": kept, "centers": pd.DataFrame({"center_id": ["A1", "B1"]})}
    config = {**CONFIG, "reported": [{**USED, "label": "Spread", "by": by}]}
    shown = reported.build(tables, context(config=config, options={"by": "role center_id"}))
    assert shown.table["Group"].tolist() == ["All", "Director", "Teacher"]
    assert shown.table["Before"].tolist() == ["11 of 29 (38%)", "hidden", "hidden"] and shown.data["share"].notna().sum() == 1
    allowed = context(config={**config, "privacy": {"min_cell": 2, "show_centers": True}}, options={"by": "center_id"})
    shown = reported.build(tables, allowed)
    assert sorted(shown.table["Group"]) == ["All", "Center A", "Center B"] and "A1" not in shown.table.to_string()


def test_attendance_of_a_small_group_is_not_shown():
    row = {"session": "s1", "day": None, "date": "2024-01-01", "collaborative": "all", "mode": "all", "n_unknown": 0, "n_centers": 9}
    counts = [("all", 40, 30), ("director", 9, 8), ("teacher", 31, 22)]
    table = pd.DataFrame([{**row, "role": r, "n_expected": n, "n_present": k, "n_centers_present": 9} for r, n, k in counts])
    shown = attendance.build({"measures/attendance": table}, context())
    assert shown.table["Share"].tolist() == ["75%", "–", "–"] and shown.table["Present"].tolist() == ["30", "–", "–"]


def test_the_network_names_no_center_without_leave():
    row = {"wave": "T1", "n_answered": 8, "n_nodes": 9, "n_ties": 9, "density": 0.1, "reciprocity": 0.5, "n_mutual_pairs": 1}
    row |= {"cross_center": 0.2, "n_cross_center": 2, "isolated": 0.125, "n_isolated": 1, "n_unknown": 0, "n_left_out": 0}
    tables = {
        "measures/peer_network": pd.DataFrame([{**row, "level": "person"}, {**row, "level": "center", "cross_center": np.nan}]),
        "measures/peer_ties": pd.DataFrame({"wave": ["T1"], "from_center": ["A1"], "to_center": ["B1"], "n_people": [1], "n_ties": [1]}),
        "centers": pd.DataFrame({"center_id": ["A1", "B1", "C1"]}),
    }
    shown = peer_network.build(tables, context())
    assert not [text.get_text() for axis in shown.figure.axes for text in axis.texts if text.get_text()]
    assert shown.table["Isolated"].tolist() == ["1 of 8 (12%)", "<5"] and "A1" not in shown.table.to_string() + shown.data.to_string()
    assert shown.data["isolated"].isna().tolist() == [False, True], "the share would say how few"
