"""Scale scores: rules, reversal, which codebook row counts, and the official scores of a real study."""

import numpy as np
import pandas as pd
import pytest

from bscstudy.errors import BscError
from bscstudy.identity import add_identity
from bscstudy.measures.item_keys import item_bounds, items_in_use, keyed_answers, parse_terms
from bscstudy.measures.pooled import KINDS, pool_parts
from bscstudy.measures.scale_rows import aggregation_row, item_rows, reliability_row
from bscstudy.measures.scales import scale_parts, score_scale
from bscstudy.measures.score_tables import score_table

NA = np.nan
KEYED = np.array([[1, 2, 3], [1, NA, 4], [NA, NA, 2], [NA, NA, NA]], float)


@pytest.mark.parametrize(
    "rule, minimum, expected, why",
    [
        ("mean", 2, [2, 2.5, NA, NA], ["", "", "too_few_items", "too_few_items"]),
        ("mean", None, [2, NA, NA, NA], ["", "too_few_items", "too_few_items", "too_few_items"]),
        ("sum", 1, [6, 5, 2, NA], ["", "", "", "too_few_items"]),  # partly answered sums are not scaled up
        ("count_correct", None, [6, 5, 2, NA], ["", "", "", "too_few_items"]),
    ],
)
def test_rules(rule, minimum, expected, why):
    found = score_scale(KEYED, rule, minimum)
    np.testing.assert_array_equal(found.score, expected)
    assert found.why.tolist() == why


def test_a_prorated_sum_takes_the_mean_for_what_is_missing():
    found = score_scale(KEYED, "sum", 2, prorate=True)
    np.testing.assert_array_equal(found.score, [6, 7.5, NA, NA])
    np.testing.assert_array_equal(found.score, 3 * score_scale(KEYED, "mean", 2).score)


def test_count_correct_is_zero_once_anything_of_the_form_is_answered():
    found = score_scale(KEYED, "count_correct", None, answered=np.array([True, True, True, True]))
    assert found.score.tolist() == [6, 5, 2, 0]


def test_not_asked_is_told_from_too_few_items():
    found = score_scale(KEYED, "mean", 1, asked=np.array([[True] * 3] * 3 + [[False] * 3]))
    assert found.why.tolist() == ["", "", "", "not_asked"]


def test_terms_and_keyed_answers():
    terms = parse_terms("a -b c=2|3", ["a", "b", "c"])
    answers = pd.DataFrame({"a": [1.0, NA], "b": [1.0, 4.0], "c": [3.0, NA]})
    found = keyed_answers(answers, terms, {"b": (1, 5)})
    np.testing.assert_array_equal(found, [[1, 5, 1], [NA, 2, NA]])
    text = keyed_answers(pd.DataFrame({"c": pd.Series(["x", "y", None], dtype="str")}), parse_terms("c=x", []), {})
    np.testing.assert_array_equal(text, [[1], [0], [NA]])


def test_reversal_needs_bounds_and_numbers():
    with pytest.raises(BscError, match="BSC-CFG-201"):
        keyed_answers(pd.DataFrame({"b": [1.0]}), parse_terms("-b", []), {"b": (1, NA)})
    with pytest.raises(BscError, match="BSC-DAT-201"):
        keyed_answers(pd.DataFrame({"b": pd.Series(["often"], dtype="str")}), parse_terms("b", []), {})


def test_bounds_come_from_the_response_scale_without_missing_codes():
    definition = {"instrument": "s", "item": "a", "response_scale": "agree", "minimum": None, "maximum": None}
    codes = [{"response_scale": "agree", "code": c} for c in ("1", "4", "9")]
    assert item_bounds(definition, codes, [{"instrument": "s", "item": "", "code": "9", "reason": "refused"}]) == (1, 4)
    assert item_bounds({**definition, "maximum": 5.0}, codes, []) == (1, 5)


def test_the_later_version_counts_in_its_wave_only():
    items = [
        {"instrument": "s", "item": "a", "waves": "", "sources": "", "version": 1, "maximum": 5},
        {"instrument": "s", "item": "a", "waves": "T4", "sources": "", "version": 2, "maximum": 4},
    ]
    assert items_in_use(items, "s", "x", "T1")["a"]["maximum"] == 5
    assert items_in_use(items, "s", "x", "T4")["a"]["maximum"] == 4


@pytest.fixture
def small_study():
    def item(name, kind="ordinal", **more):
        return {
            "instrument": "survey",
            "item": name,
            "type": kind,
            "minimum": 1.0,
            "maximum": 5.0,
            "waves": "",
            "sources": "",
            "version": 1,
            **more,
        }

    config = {
        "sources": {"s1": {"instrument": "survey"}},
        "items": [item("a"), item("b"), item("c", waves="T3"), item("remark", kind="free_text")],
        "scales": [
            {
                "scale": "calm",
                "instrument": "survey",
                "construct": "x",
                "rule": "mean",
                "items": "a -b",
                "minimum_valid": 2,
                "roles": "teacher",
            },
            {"scale": "late", "instrument": "survey", "rule": "mean", "items": "c", "minimum_valid": 1},
            {"scale": "missing", "instrument": "survey", "rule": "count_missing", "items": "*"},
        ],
    }
    table = pd.DataFrame(
        {
            "row": [2, 3, 4, 5],
            "wave": ["T1", "T1", "T1", "T3"],
            "person_id": ["p1", "p2", "p3", "p1"],
            "role": ["teacher", "director", "teacher", "teacher"],
            "a": [5.0, 4.0, NA, 3.0],
            "a__why": [None, None, "refused", None],
            "b": [1.0, 2.0, NA, 4.0],
            "b__why": [None, None, "skipped", None],
            "c": [NA, NA, NA, 2.0],
            "c__why": ["not_asked"] * 3 + [None],
            "remark": [1, 0, 0, 0],
        }
    )
    people = pd.DataFrame({"person_id": ["p1", "p2", "p3"], "wave": "T1", "center_id": ["c1", "c1", "c2"], "collaborative": "north"})
    return {"s1": table}, config, people


def test_scores_of_a_small_study(small_study):
    tables, config, people = small_study
    scores = score_table(scale_parts(tables, config), people, None).set_index(["scale", "wave", "person_id"])
    calm = scores.loc["calm"]
    assert calm["why"].to_dict() == {("T1", "p1"): "", ("T1", "p2"): "not_asked", ("T1", "p3"): "too_few_items", ("T3", "p1"): ""}
    assert calm["score"].dropna().tolist() == [5.0, 2.5]
    assert calm["center_id"].tolist() == ["c1", "c1", "c2", "c1"]  # p1 stays in the one center the register knows
    assert scores.loc["late"]["why"].tolist() == ["not_asked"] * 3 + [""]
    assert scores.loc["missing"]["score"].tolist() == [0, 0, 1, 0]  # the blank and the item not asked do not count


def test_a_number_alone_does_not_make_a_form_answered(small_study):
    tables, config, _ = small_study
    config["items"].append({**config["items"][0], "item": "derived", "type": "number"})
    table = {"s1": tables["s1"].assign(derived=1.0)}
    answered = {part.wave: part.answered.tolist() for part in scale_parts(table, config)}
    assert answered == {"T1": [True, True, False], "T3": [True]}


def test_a_person_twice_in_a_wave_stops_without_naming_the_person(small_study):
    tables, config, people = small_study
    tables["s1"].loc[1, "person_id"] = "p1"
    with pytest.raises(BscError, match="BSC-KEY-203") as caught:
        score_table(scale_parts(tables, config), people, None)
    assert caught.value.where == ("source s1, row 2", "source s1, row 3")
    assert "p1" not in str(caught.value)


def test_an_item_the_codebook_asks_for_may_not_be_absent(small_study):
    tables, config, _ = small_study
    with pytest.raises(BscError, match="BSC-DAT-202"):
        list(scale_parts({"s1": tables["s1"].drop(columns="b")}, config))


def test_codes_that_count_as_blank_cannot_be_counted(small_study):
    tables, config, _ = small_study
    with pytest.raises(BscError, match="BSC-CFG-202"):
        list(scale_parts(tables, {**config, "missing_codes": [{"instrument": "survey", "item": "", "code": "9", "reason": "skipped"}]}))


def test_reliability_and_aggregation_rest_on_scored_persons(small_study):
    tables, config, people = small_study
    scores = score_table(scale_parts(tables, config), people, None)
    pooled = pool_parts(scale_parts(tables, config), scores)
    assert ("late", "T1") not in pooled
    row = reliability_row(pooled["calm", "T1"])
    assert (row["n"], row["k"], row["ceiling"], row["floor"]) == (1, 2, 1.0, 0.0)
    assert aggregation_row(pooled["calm", "T1"])["aggregate"] == "no"


GTI_SCALES = {
    "TA_CLASSMAN": ("-TQA07A -TQA07B -TQA07C TQA07D TQA07E TQA07F TQA07G -TQA07H TQA07I TQA07J", "mean", 5, 679),
    "TB_SELFEFF": (" ".join(f"TQB17{c}" for c in "ABCDEFGHIJKL"), "mean", 6, 679),
    "TA_SELFEFF": (" ".join(f"TQA11{c}" for c in "ABCDEFGHIJKL"), "mean", 6, 678),
    "TA_IMPVAL": ("TQA13D=2 TQA13E=1 TQA13F=1 TQA13G=1", "sum", 2, 679),
    "TB_KNOWLEDGE": ("TQB22_1=3 TQB22_2=3 TQB22_3=2 TQB22_4=1", "count_correct", None, 676),
}


@pytest.mark.parametrize("column", GTI_SCALES)
def test_official_scores_of_the_gti_teachers(gti_folder, column):
    text, rule, minimum, n_match = GTI_SCALES[column]
    raw = pd.read_csv(gti_folder / "raw" / "GTI-Teacher-Data.csv", low_memory=False)
    items = [c for c in raw.columns if c.startswith(f"TQ{column[1]}") and not c.endswith("_SCORE")]
    answers = raw[items].where(raw[items] < 9990)
    terms = parse_terms(text, [])
    keyed = keyed_answers(answers, terms, {term.item: (1.0, 4.0) for term in terms})
    found = score_scale(keyed, rule, minimum, answered=answers.notna().any(axis=1).to_numpy()).score
    same = np.isclose(found, raw[column], atol=1e-6, equal_nan=True)  # official values are in single precision
    assert same.sum() == n_match


def test_the_register_decides_by_wave_and_never_guesses():
    people = pd.DataFrame({"person_id": ["p1", "p1"], "wave": ["T1", "T3"], "center_id": ["a", "b"]})
    rows = pd.DataFrame({"person_id": ["p1"] * 3 + ["p2"], "wave": ["T1", "T3", "T4", "T1"], "center_id": [None, "z", None, None]})
    centers = pd.DataFrame({"center_id": ["a"], "collaborative": ["north"]})
    found = add_identity(rows, people, centers)
    assert found["center_id"].fillna("?").tolist() == ["a", "z", "?", "?"]  # p1 moved, so T4 is not known
    assert found["collaborative"].fillna("?").tolist() == ["north", "?", "?", "?"]


def test_missing_answers_are_told_apart_by_item_and_scale(small_study):
    tables, config, people = small_study
    scores = score_table(scale_parts(tables, config), people, None)
    found = pool_parts(scale_parts(tables, config), scores)["calm", "T1"]
    assert (found.n_asked, found.n_not_asked) == (2, 1)  # the director is not asked
    counts = {row["item"]: tuple(row[f"n_{kind}"] for kind in KINDS) for row in item_rows(found)}
    assert counts == {"a": (0, 0, 1, 0), "b": (0, 1, 0, 0)}  # of the person without a score: refused, left blank
    row = reliability_row(found)
    assert [row[f"missing_{kind}"] for kind in KINDS] == [0, 0.25, 0.25, 0]
    assert [r["keyed"] for r in item_rows(found)] == ["as answered", "reversed"]


def test_a_declared_sum_is_prorated_in_the_table_of_scores(small_study):
    tables, config, people = small_study
    tables["s1"].loc[0, "b"] = NA
    config["scales"][0] |= {"rule": "sum", "minimum_valid": 1}
    plain = score_table(scale_parts(tables, config), people, None)["score"].iloc[0]
    config["scales"][0]["prorate"] = "yes"
    assert (plain, score_table(scale_parts(tables, config), people, None)["score"].iloc[0]) == (5.0, 10.0)
