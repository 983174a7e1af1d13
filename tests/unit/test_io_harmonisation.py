"""Versions of items and the map between them: dates, hashes, rules, refusals without a map, and what a map does to scores."""

import copy

import numpy as np
import pandas as pd
import pytest
from check_frames import WAVES, item

from bscstudy.errors import BscError
from bscstudy.io.comparability import comparable, scored_waves
from bscstudy.io.harmonisation import Step, harmonised_items
from bscstudy.io.harmonisation_checks import check_harmonisation
from bscstudy.io.instrument_versions import check_versions, wording_hash
from bscstudy.measures.pooled import pool_parts
from bscstudy.measures.scale_rows import aggregation_row, reliability_row
from bscstudy.measures.scales import scale_parts
from bscstudy.measures.score_tables import score_table

SCALE = {
    "scale": "calm",
    "instrument": "staff",
    "rule": "mean",
    "items": "q1 -q2",
    "waves": "",
    "minimum_valid": 2,
    "low": None,
    "high": None,
}
SOURCES = {name: {"instrument": "staff", "wave": wave} for name, wave in (("first", "T1"), ("third", "T3"))}
BASE = [item("q1"), item("q2")]
FIVE_TO_SEVEN = [item("q2", waves="T3", version=2, response_scale="agree7", maximum=7.0)]
REWORDED = [item("q2", waves="T3", version=2, wording="other words")]


def step(**more):
    """One row of harmonisation.csv: q2 of version 1 is taken as version 2."""
    plain = {
        "instrument": "staff",
        "item": "q2",
        "version": 1,
        "new_item": "",
        "new_version": 2,
        "scale": "",
        "waves": "",
        "rule": "identity",
    }
    numbers = {"a": None, "b": None, "recode": ""}
    return {**plain, **numbers, "reason": "Judged the same; see minutes", "decided_by": "team", "decided_on": "2025-02-01", **more}


def whole(**more):
    return step(item="", version=None, new_version=None, scale="calm", waves="T1", **more)


def study(items, *harmonisation, scales=(SCALE,)):
    tables = {"response_scales": [], "missing_codes": []}
    return {"waves": WAVES, "sources": SOURCES, "items": items, "scales": list(scales), "harmonisation": list(harmonisation), **tables}


def verdict(items, *harmonisation, scales=SCALE):
    return comparable(scales, ["T1", "T3"], items, SOURCES, list(harmonisation))


@pytest.mark.parametrize(
    ("items", "why"),
    [
        (BASE, None),
        (BASE + [item("q2", waves="T3", column="other")], None),
        (BASE + REWORDED, "wording of version 1 -> 2"),
        (BASE + FIVE_TO_SEVEN, "agree5 -> agree7"),
        (BASE + [item("q1", sources="third", version=2, minimum=0.0)], "range 1 to 5 -> 0 to 5"),
        ([item("q1"), item("q2", waves="T1")], "scored from other items between T1 and T3: q2"),
    ],
)
def test_waves_across_a_changed_item_are_refused_without_a_map(items, why):
    found = verdict(items)
    assert found.comparable is (why is None) and not found.harmonised
    assert why is None or (why in found.reasons[0] and "harmonisation.csv does not say" in found.reasons[0])


@pytest.mark.parametrize(
    "late", [{"items": "q1 q2"}, {"items": "q1"}, {"rule": "sum"}, {"prorate": "yes", "rule": "sum"}, {"items": "q1=4 q2=5"}]
)
def test_waves_scored_in_another_way_are_refused_without_a_map(late):
    assert not verdict(BASE, scales=[{**SCALE, "waves": "T1"}, {**SCALE, "waves": "T3", **late}]).comparable


def test_a_map_lets_waves_be_compared_and_says_so_with_its_reason():
    found = verdict(BASE + REWORDED, step())
    assert found.comparable and found.harmonised == (
        "item q2, version 1, is taken as version 2, unchanged: Judged the same, see minutes (decided by team, 2025-02-01), used in T1",
    )
    assert verdict(BASE + FIVE_TO_SEVEN, step(rule="linear")).comparable
    assert comparable(SCALE, ["T1"], BASE + FIVE_TO_SEVEN, SOURCES, [step(rule="linear")]).harmonised  # its scores are in new points too
    assert not verdict(BASE + FIVE_TO_SEVEN, step(item="q1", new_version=1)).comparable  # a row about something else


def test_items_with_one_reason_are_told_together():
    later = [item(name, waves="T3", version=2, wording="other") for name in ("q1", "q2")]
    refused, mapped = verdict(BASE + later), verdict(BASE + later, step(), step(item="q1"))
    assert len(refused.reasons) == len(mapped.harmonised) == 1
    assert refused.reasons[0].startswith("q1 q2 between T1 and T3: wording")
    assert mapped.harmonised[0].startswith("items q1 q2, version 1, are taken as version 2, unchanged")


@pytest.mark.parametrize(
    ("late", "fits"),
    [({"items": "q1"}, True), ({"items": "q3 q4"}, True), ({"items": "q7 q8"}, False), ({"items": "q1", "rule": "sum"}, False)],
)
def test_identity_of_a_whole_scale_needs_points_of_one_size(late, fits):
    items = [*(item(f"q{i}") for i in range(1, 5)), item("q7", maximum=7.0), item("q8", maximum=7.0)]
    rows = [{**SCALE, "waves": "T1"}, {**SCALE, "waves": "T3", **late}]
    assert not verdict(items, scales=rows).comparable
    found = verdict(items, whole(), scales=rows)
    assert found.comparable is fits and len(found.harmonised) == 1


def test_a_scale_is_scored_only_in_waves_that_have_a_source():
    assert scored_waves([SCALE], {**study(BASE), "waves": [{"id": "T2", "order": 2}, *WAVES]}) == ["T1", "T3"]
    renamed = [item("old", waves="T1"), item("q2", waves="T3")]  # all its items had other names before
    config = study(renamed, step(item="old", new_item="q2", new_version=1))
    assert scored_waves([{**SCALE, "items": "q2"}], config) == ["T1", "T3"]


def test_steps_follow_each_other_and_stop_where_the_successor_is_asked_too():
    items = [item("q", version=1), item("q", version=2, waves="T9"), item("new", version=1, waves="T9")]
    rows = [step(item="q", new_version=2), step(item="q", version=2, new_item="new", new_version=1)]
    assert harmonised_items({"q": items[0]}, items, rows)["new"].item == "q"
    both = harmonised_items({"q": items[0], "new": items[2]}, items, rows)
    assert set(both) == {"q", "new"} and both["q"].definition["version"] == 2


def test_linear_is_the_closed_form_and_keeps_the_ends():
    rng = np.random.default_rng(1)
    for _ in range(50):
        low, span, new_low, new_span = rng.integers(-3, 4), rng.integers(1, 9), rng.integers(-3, 4), rng.integers(1, 9)
        ends = ((float(low), float(low + span)), (float(new_low), float(new_low + new_span)))
        values = np.array([low, low + span, low + span / 3, np.nan])
        by_ends = Step(step(rule="linear"), ends).convert(values)
        slope = new_span / span
        by_line = Step(step(rule="linear", a=new_low - slope * low, b=slope)).convert(values)
        np.testing.assert_allclose(by_ends, by_line, rtol=0, atol=1e-12)  # the same line, other rounding
        assert by_ends[:2].tolist() == list(ends[1]) and np.isnan(by_ends[3])  # the ends are met exactly
    assert Step(step(rule="linear"), ((1.0, 5.0), (1.0, 4.0))).convert(np.array([1, 2, 3, 4, 5])).tolist() == [1, 1.75, 2.5, 3.25, 4]


def test_recode_looks_codes_up_and_refuses_one_it_does_not_have():
    row = Step(step(rule="recode", recode="1=1 2=2 3=2 4=3 5=4"))
    np.testing.assert_array_equal(row.convert(np.array([5, np.nan, 3, 1])), [4, np.nan, 2, 1])
    with pytest.raises(BscError, match="BSC-CFG-087") as caught:
        row.convert(np.array([5, 9]))
    assert "9" not in str(caught.value)


def answers():
    rng = np.random.default_rng(7)
    frames = {}
    for source, wave, high in (("first", "T1", 5), ("third", "T3", 7)):
        q = rng.integers(1, high + 1, (40, 2)).astype(float)
        q[rng.random((40, 2)) < 0.1] = np.nan
        q[0] = 1, high
        centers = [f"c{i % 4}" for i in range(40)]
        keys = {"row": range(2, 42), "wave": wave, "center_id": centers}
        frames[source] = pd.DataFrame({**keys, "q1": np.clip(q[:, 0], None, 5), "q2": q[:, 1]})
    return frames


def scored(config):
    frames = answers()
    if not any(i["maximum"] == 7 for i in config["items"]):
        frames["third"]["q2"] = frames["third"]["q2"].clip(upper=5)
    scores = score_table(scale_parts(frames, config), None, None)
    pooled = pool_parts(scale_parts(frames, config), scores)
    return scores, {key: {**reliability_row(part), **aggregation_row(part)} for key, part in pooled.items()}, frames


def test_identity_changes_no_number_and_is_told_in_the_scores():
    plain, plain_rows, _ = scored(study(BASE + REWORDED))
    mapped, mapped_rows, _ = scored(study(BASE + REWORDED, step()))
    pd.testing.assert_frame_equal(plain.drop(columns="harmonised"), mapped.drop(columns="harmonised"))
    assert plain_rows == pytest.approx(mapped_rows, rel=0, abs=0, nan_ok=True) if False else repr(plain_rows) == repr(mapped_rows)
    assert set(plain["harmonised"]) == {""} and mapped.groupby("wave")["harmonised"].unique().map(list).to_dict() == {
        "T1": ["q2"],
        "T3": [""],
    }


def test_a_converted_item_is_reversed_in_the_range_of_the_new_version():
    scores, _, frames = scored(study(BASE + FIVE_TO_SEVEN, step(rule="linear")))
    first = frames["first"]
    expected = (first["q1"] + (1 + 7 - (1 + (first["q2"] - 1) * 6 / 4))) / 2
    found = scores[scores["wave"] == "T1"]["score"].to_numpy()
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)  # rounding of one division
    alone = scored(study(BASE + FIVE_TO_SEVEN, step(rule="linear"), scales=[{**SCALE, "items": "q2", "minimum_valid": 1}]))[1]
    assert np.isnan(alone[("calm", "T1")]["r_wg_median"])  # answers on a line share no ordinal scale
    assert alone[("calm", "T3")]["r_wg_median"] >= 0


def test_an_item_of_another_name_stands_in_for_its_successor():
    items = [item("q1"), item("old", waves="T1"), item("q2", waves="T3")]
    config = study(items, step(item="old", new_item="q2", new_version=1))
    frames = answers()
    frames["first"] = frames["first"].rename(columns={"q2": "old"})
    scores = score_table(scale_parts(frames, config), None, None)
    assert (scores.loc[scores["wave"] == "T1", "score"].notna() & (scores.loc[scores["wave"] == "T1", "n_valid"] == 2)).any()
    assert verdict(items, *config["harmonisation"]).comparable


def test_scores_of_a_whole_scale_are_converted_with_their_range():
    rows = [{**SCALE, "rule": "sum", "waves": "T1", "low": 2.0, "high": 10.0}, {**SCALE, "waves": "T3", "items": "q1", "minimum_valid": 1}]
    config = study(BASE, whole(rule="linear", a=0.0, b=0.5), scales=rows)
    check_harmonisation(config)
    plain, before, _ = scored(study(BASE, scales=rows))
    mapped, after, _ = scored(config)
    first = mapped["wave"] == "T1"
    np.testing.assert_array_equal(mapped.loc[first, "score"], plain.loc[first, "score"] / 2)
    assert before[("calm", "T1")]["ceiling"] == after[("calm", "T1")]["ceiling"]
    assert set(mapped.loc[first, "harmonised"]) == {"whole_scale"}


BAD = {
    "both": (step(scale="calm"), "085"),
    "version": (step(new_version=9), "085"),
    "item": (step(item="q9"), "085"),
    "itself": (step(new_version=1), "085"),
    "instrument": (step(instrument="parents"), "085"),
    "scale": ({**whole(), "scale": "joy"}, "085"),
    "wave": ({**whole(), "waves": "T9"}, "085"),
    "rescaled": (step(), "086"),
    "one number": (step(rule="linear", a=1.0), "086"),
    "flat": (step(rule="linear", a=1.0, b=0.0), "086"),
    "outside": (step(rule="linear", a=0.0, b=2.0), "086"),
    "incomplete": (step(rule="recode", recode="1=1 2=2 3=3"), "086"),
    "beyond": (step(rule="recode", recode="1=1 2=2 3=4 4=6 5=8"), "086"),
    "twice": (step(rule="recode", recode="1=1 1=2 2=2 3=4 4=6 5=7"), "086"),
    "unreadable": (step(rule="recode", recode="1>1"), "086"),
    "stray": (step(rule="linear", recode="1=1"), "086"),
    "one row": (whole(rule="linear", a=0.0, b=2.0), "086"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_map_that_cannot_be_followed_is_refused(name):
    row, code = BAD[name]
    with pytest.raises(BscError) as caught:
        check_harmonisation(study(BASE + FIVE_TO_SEVEN, row))
    assert caught.value.code == f"BSC-CFG-{code}" and "row 2" in str(caught.value)


@pytest.mark.parametrize(
    "rule", [{"rule": "linear"}, {"rule": "recode", "recode": "1=1 2=2 3=4 4=6 5=7"}, {"rule": "linear", "a": 8.0, "b": -1.0}]
)
def test_a_sound_map_is_accepted(rule):
    check_harmonisation(study(BASE + FIVE_TO_SEVEN, step(**rule)))


def test_the_declared_range_of_a_scale_is_that_of_the_new_versions():
    check_harmonisation(study(BASE + FIVE_TO_SEVEN, step(rule="linear"), scales=[{**SCALE, "low": 1.0, "high": 6.0}]))  # (5 + 7) / 2
    with pytest.raises(BscError, match="`high` is 5, and the versions its items are taken as give 6") as caught:
        check_harmonisation(study(BASE + FIVE_TO_SEVEN, step(rule="linear"), scales=[{**SCALE, "low": 1.0, "high": 5.0}]))
    assert caught.value.code == "BSC-CFG-086"


TWO_OLD = [item("p", waves="T1"), item("r", waves="T1"), item("n", waves="T3")]
CONTRADICTIONS = {
    "mapped twice": (BASE + REWORDED, [step(), step()]),
    "a circle": (BASE + REWORDED, [step(), step(version=2, new_version=1)]),
    "two become one": (BASE + TWO_OLD, [step(item=name, new_item="n", new_version=1) for name in "pr"]),
    "one number for two versions": (BASE + REWORDED + [item("q2", waves="T9", version=2, maximum=7.0)], [step()]),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_rows_that_contradict_each_other_are_refused(name):
    items, rows = CONTRADICTIONS[name]
    with pytest.raises(BscError, match="BSC-CFG-085"):
        check_harmonisation(study(items, *rows))


@pytest.mark.parametrize(
    ("first", "last", "fits"),
    [
        ("2023-12-01", "", True),
        ("2024-01-01", "2024-11-30", True),
        ("2024-02-01", "", False),
        ("", "2024-10-15", False),
        ("2025-01-01", "2024-01-01", False),
    ],
)
def test_dates_of_a_version_must_cover_the_waves_that_use_it(first, last, fits):
    rows = [item("q1", effective_from=first, effective_to=last)]
    if fits:
        check_versions(study(rows))
    else:
        with pytest.raises(BscError, match="BSC-CFG-083"):
            check_versions(study(rows))


def test_a_version_replaced_by_a_later_one_is_dated_by_the_waves_it_is_left_with():
    early, late = item("q2", effective_to="2024-05-01"), item("q2", version=2, waves="T3", effective_from="2024-06-01")
    check_versions(study([early, late]))
    with pytest.raises(BscError, match="wave T1 begins before"):
        check_versions(study([early, {**late, "waves": ""}]))


def test_the_hash_of_a_wording_ignores_line_breaks_and_stands_for_the_wording():
    digest = wording_hash("We talk\n openly  here")
    assert digest == wording_hash("We talk openly here") != wording_hash("We talk openly there") and len(digest) == 16
    rows = [item("q1", wording="We talk openly here", wording_hash=digest)]
    check_versions(study(rows))
    with pytest.raises(BscError, match="BSC-CFG-084"):
        check_versions(study([{**rows[0], "wording": "We talk"}]))
    outside = [item("q1", waves="T1", wording_hash=digest), item("q1", waves="T3", wording="We talk openly here"), item("q2")]
    assert verdict(outside).comparable  # only the hash is kept at T1
    assert not verdict([outside[0], item("q1", waves="T3", wording_hash="0" * 16), item("q2")]).comparable


def test_the_map_does_not_change_the_codebook():
    config = study(BASE + FIVE_TO_SEVEN, step(rule="linear"))
    before = copy.deepcopy(config)
    scored(config)
    assert config == before
