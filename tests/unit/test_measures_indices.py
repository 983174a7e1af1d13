"""Fidelity indices: every rule on a table small enough to count by hand, and the log scores of a real study."""

import numpy as np
import pandas as pd
import pytest

from bscstudy.errors import BscError
from bscstudy.measures.indices import derive_fields, fidelity_indices

NA = np.nan
CENTERS = pd.DataFrame({"center_id": ["a", "b", "z"], "collaborative": ["north", "north", "south"]})
LOG = pd.DataFrame(
    {
        "center_id": ["a", "a", "a", "a", "b"],
        "person_id": ["p1", "p2", "p1", None, "p3"],
        "session_id": ["s1", "s1", "s2", "s2", "s1"],
        "role": ["director", "teacher", "director", "parent", "teacher"],
        "present": [1.0, 1.0, 0.0, 1.0, NA],
        "minutes": [10.0, 20.0, NA, 30.0, NA],
    }
)


def index(rule, by=("center_id",), **more):
    return {"id": "x", "label": "X", "element": "dose", "source": "log", "by": list(by), "rule": rule, **more}


def values(spec, log=LOG, centers=CENTERS):
    table = fidelity_indices({"log": log}, {"fidelity": [spec], "derive": []}, None, centers)
    return table.set_index("unit_id")


@pytest.mark.parametrize(
    "spec, expected",
    [
        (index("count", where="present == 1"), {"a": 3, "b": 0, "z": 0}),
        (index("share", where="present == 1", within="role == 'director'"), {"a": 0.5, "b": NA, "z": NA}),
        (index("sum", column="minutes", weight=0.5), {"a": 30, "b": NA, "z": 0}),
        (index("sum", column="minutes", where="role == 'teacher'"), {"a": 20, "b": NA, "z": 0}),
        (index("mean", column="minutes"), {"a": 20, "b": NA, "z": NA}),
        (
            index("share_of_groups", group="session_id", where_each=["role == 'director' and present == 1", "present == 1"]),
            {"a": 0.5, "b": 0, "z": NA},
        ),
        (index("rate", where="present == 1", per=["session_id"]), {"a": 1.5, "b": 0, "z": NA}),
        (index("rate", column="minutes", per=["person_id", "session_id"]), {"a": 20, "b": NA, "z": NA}),
        (index("completeness", group="session_id", expected=4), {"a": 0.5, "b": 0.25, "z": 0}),
        (index("prorated_sum", column="minutes", valid_if_any=["minutes"]), {"a": 80, "b": NA, "z": NA}),
        (index("count", by=("person_id",)), {"p1": 2, "p2": 1, "p3": 1}),
        (index("count", divided_by=4), {"a": 1.0, "b": 0.25, "z": 0}),
        (index("distinct", per=["person_id"]), {"a": 2, "b": 1, "z": 0}),
        (index("distinct", per=["session_id"], where="present == 1"), {"a": 2, "b": 0, "z": 0}),
        (index("largest_group", group="session_id", where="role != 'parent'"), {"a": 2, "b": 1, "z": 0}),
    ],
)
def test_rules(spec, expected):
    found = values(spec)["value"]
    assert sorted(found.index) == sorted(expected)
    np.testing.assert_allclose([found[unit] for unit in expected], list(expected.values()), atol=1e-12)


def test_value_is_numerator_over_denominator_and_places_are_named():
    found = values(index("share", by=("person_id",), where="present == 1"))
    assert found.loc["p1", ["numerator", "denominator", "value"]].tolist() == [1, 2, 0.5]
    assert found.loc["p1", ["level", "center_id", "collaborative", "wave"]].tolist() == ["person", "a", "north", ""]


def test_an_average_needs_all_its_parts():
    specs = [index("count"), {**index("mean", column="minutes"), "id": "y"}, {**index("mean_of", indices=["x", "y"]), "id": "both"}]
    found = fidelity_indices({"log": LOG}, {"fidelity": specs, "derive": []}, None, CENTERS)
    both = found[found["index"] == "both"].set_index("unit_id")["value"]
    assert both["a"] == 12 and np.isnan(both["b"])
    with pytest.raises(BscError, match="BSC-CFG-207"):
        fidelity_indices({"log": LOG}, {"fidelity": specs[::-1], "derive": []}, None, CENTERS)


@pytest.mark.parametrize(
    "spec, code",
    [
        (index("count", where="attended == 1"), "BSC-CFG-204"),
        (index("sum", column="role"), "BSC-CFG-205"),
        (index("completeness", group="session_id", expected=1), "BSC-CFG-206"),
    ],
)
def test_faulty_declarations_stop(spec, code):
    with pytest.raises(BscError, match=code):
        values(spec)


@pytest.fixture(scope="module")
def gti_log(gti_folder):
    raw = pd.read_csv(gti_folder / "raw" / "GTI-TeachLog-Data.csv", low_memory=False)
    topics = [c for c in raw.columns if c.startswith("TL0") and c != "TL02"]
    raw[topics] = raw[topics].where(raw[topics] < 9000)
    return raw, topics


def test_row_fields_of_the_gti_log(gti_log):
    raw, _ = gti_log
    fields = {"OTL_FUNCTIONS": ["TL06D", "TL08"], "OTL_ALGEBRA": ["TL03", "TL04", "TL06A", "TL06B", "TL06C"], "OTL_REASONING": ["TL07"]}
    rules = [{"column": f"own_{name}", "rule": "max", "of": items} for name, items in fields.items()]
    derived = derive_fields(raw, rules)
    for name in fields:
        assert np.isclose(derived[f"own_{name}"], pd.to_numeric(raw[name], errors="coerce"), equal_nan=True).sum() == 5163


def test_teacher_totals_of_the_gti_log(gti_folder, gti_log):
    raw, topics = gti_log
    logged = raw[raw["DATE_TL"].notna() | raw["LESSON_DATE_M"].notna() | raw[topics].notna().any(axis=1)]
    logged = logged[~((logged["LESSON_DATE_D"].isna()) & logged["TL02"].isna() & logged[topics].isna().all(axis=1))]
    log = logged[["T_ID", *topics]].rename(columns={"T_ID": "person_id"})
    specs = [{**index("prorated_sum", by=("person_id",), column=t, weight=0.5, valid_if_any=topics), "id": f"{t}_SUM"} for t in topics] + [
        {**index("mean_of", by=("person_id",), indices=["TL06D_SUM", "TL08_SUM"]), "id": "OTL_TL_FUNCTIONS"}
    ]
    found = fidelity_indices({"log": log}, {"fidelity": specs, "derive": []}, None, None)
    official = pd.read_csv(gti_folder / "oracle" / "log_scores.csv.gz").set_index(["index", "T_ID"])["value"]
    expected = pd.read_csv(gti_folder / "oracle" / "log_key.csv").set_index("index")["n_match"]
    found = found.set_index(["index", "unit_id"])["value"]
    for name in (s["id"] for s in specs):
        both = found[name].reindex(official[name].index)
        assert np.isclose(both, official[name], atol=1e-5).sum() == expected[name], name  # single precision


def test_a_ratio_divides_one_finished_index_by_another():
    members = index("distinct", per=["person_id"]) | {"id": "members"}
    posts = index("count") | {"id": "posts"}
    ratio = {"id": "x", "label": "X", "element": "dose", "by": ["center_id"], "rule": "ratio", "indices": ["posts", "members"]}
    config = {"fidelity": [members, posts, ratio | {"divided_by": 2}], "derive": []}
    found = fidelity_indices({"log": LOG}, config, None, CENTERS).query("index == 'x'").set_index("unit_id")
    assert found.loc["a", ["numerator", "denominator", "value"]].tolist() == [4, 4, 1] and np.isnan(found.loc["z", "value"])
    with pytest.raises(BscError) as fault:
        fidelity_indices({"log": LOG}, {**config, "fidelity": [ratio, members, posts]}, None, CENTERS)
    assert fault.value.code == "BSC-CFG-207"
