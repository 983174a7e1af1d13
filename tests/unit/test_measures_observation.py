"""Observation scores: which answers count, and the order in which ratings are averaged."""

import numpy as np
import pandas as pd
import pytest

from bscstudy.errors import BscError
from bscstudy.measures.observation import average_ratings, indicator_scores, visit_keys
from bscstudy.measures.observation_tables import instrument_scores

NA = np.nan


def indicator_rows():
    return pd.DataFrame(
        {
            "observation_id": ["v1", "v2", "v2", "v3"],
            "rater_id": ["a", "a", "b", "a"],
            "i1": [1, 1, 1, NA],
            "i2": [0, 1, 0, NA],
            "i3": [NA, 1, NA, NA],
            "happened": [0, 1, 1, 0],
        }
    )


def test_no_opportunity_is_in_neither_numerator_nor_denominator():
    scores = indicator_scores(indicator_rows(), [{"id": "p", "items": ["i1", "i2", "i3"]}]).set_index("observation_id")
    assert scores.loc["v1", ["numerator", "denominator", "value"]].tolist() == [1, 2, 0.5]
    assert scores.loc["v2", ["numerator", "denominator", "value"]].tolist() == [2, 2.5, 0.8]  # 4 yes of 5 answers of two raters
    assert np.isnan(scores.loc["v3", "value"]) and scores.loc["v3", "why"] == "no_applicable_indicator"


def test_a_part_that_does_not_apply_is_not_scored():
    scores = indicator_scores(indicator_rows(), [{"id": "p", "items": ["i1"], "applies_if": "happened"}]).set_index("observation_id")
    assert scores["why"].to_dict() == {"v1": "not_applicable", "v2": "", "v3": "not_applicable"}
    assert scores["value"].isna().to_dict() == {"v1": True, "v2": False, "v3": True}


def test_indicators_with_other_codes_are_refused():
    with pytest.raises(BscError, match="BSC-DAT-203"):
        indicator_scores(indicator_rows().assign(i1=[1, 2, 1, 0]), [{"id": "p", "items": ["i1"]}])


def test_the_interview_answers_only_where_there_was_no_opportunity():
    rows = pd.DataFrame(
        {
            "observation_id": ["v1", "v2", "v3", "v4", "v5"],
            "i1": [1, NA, NA, NA, 0],
            "i1__why": [None, "no_opportunity", "skipped", "no_opportunity", None],
            "asked": [0, 1, 1, NA, 1],
            "i2": [1, 1, 1, 1, 1],
        }
    )
    scores = indicator_scores(rows, [{"id": "p", "items": ["i1", "i2"]}], {"i1": "asked"}).set_index("observation_id")
    columns = ["numerator", "denominator", "n_interview", "n_no_opportunity", "n_unanswered"]
    expected = {"v1": [2, 2, 0, 0, 0], "v2": [2, 2, 1, 0, 0], "v3": [1, 1, 0, 0, 1], "v4": [1, 1, 0, 1, 0], "v5": [1, 2, 0, 0, 0]}
    assert {visit: scores.loc[visit, columns].tolist() for visit in expected} == expected
    with pytest.raises(BscError, match="BSC-DAT-203"):
        indicator_scores(rows.assign(asked=7), [{"id": "p", "items": ["i1"]}], {"i1": "asked"})


def test_a_reversed_indicator_counts_a_no():
    scores = indicator_scores(indicator_rows(), [{"id": "p", "items": ["i1", "-i2"]}]).set_index("observation_id")
    assert scores.loc["v1", ["numerator", "denominator"]].tolist() == [2, 2]  # yes to i1, no to i2


def rating_rows():
    return pd.DataFrame(
        {
            "observation_id": ["v1"] * 3 + ["v2"],
            "person_id": ["p"] * 4,
            "rater_id": ["a", "a", "b", "a"],
            "segment": ["1", "2", "1", "1"],
            "x": [1.0, 3.0, 2.0, 4.0],
            "y": [5.0, NA, 2.0, 4.0],
        }
    )


@pytest.mark.parametrize(
    "order, expected",
    [
        (["items", "raters", "segments"], ((3 + 2) / 2 + 3) / 2),  # segment 1: mean of a = 3 and b = 2; segment 2: 3
        (["items", "segments", "raters"], ((3 + 3) / 2 + 2) / 2),  # a: 3 and 3; b: 2
        (["raters", "segments", "items"], ((1.5 + 3) / 2 + 3.5) / 2),  # x: 1.5 and 3; y: 3.5
    ],
)
def test_the_declared_order_decides(order, expected):
    visits, persons = average_ratings(rating_rows(), {"s": ["x", "y"]}, order)
    assert visits.set_index("observation_id").loc["v1", "s"] == pytest.approx(expected, abs=1e-12)
    assert persons is None


def test_persons_are_means_of_visits_within_a_wave():
    rows = rating_rows().assign(wave=["T1"] * 3 + ["T3"])
    _, persons = average_ratings(rows, {"s": ["x", "y"]}, ["items", "raters", "segments", "visits"])
    assert persons[["wave", "n_visits", "s"]].to_numpy().tolist() == [["T1", 1, 2.75], ["T3", 1, 4.0]]


CODEBOOK = {
    "sources": {"lessons": {"instrument": "class"}},
    "items": [
        {"instrument": "class", "item": item, "type": "ordinal", "minimum": 1.0, "maximum": 7.0, "waves": "", "sources": "", "version": 1}
        for item in "xy"
    ],
    "response_scales": [], "missing_codes": [],
}  # fmt: skip


def class_like(**more):
    """An instrument whose domain holds a reversed dimension, as negative climate."""
    scores = [{"id": "climate", "items": ["x", "-y"]}, {"id": "warm", "items": ["x"]}]
    return {
        "id": "class",
        "source": "lessons",
        "kind": "ratings",
        "scores": scores,
        "average_order": ["items", "raters", "segments", "visits"],
        **more,
    }


def test_a_reversed_dimension_counts_from_the_other_end():
    visits, _ = instrument_scores(rating_rows().assign(wave="T1"), class_like(), None, CODEBOOK)
    # y of v1: 8 - 5 = 3 and 8 - 2 = 6. Segment 1: a = (1 + 3) / 2, b = (2 + 6) / 2, mean 3; segment 2: 3, y was not rated
    assert visits.set_index(["score", "observation_id"])["value"].to_dict()[("climate", "v1")] == pytest.approx(3.0, abs=1e-12)
    with pytest.raises(BscError, match="BSC-CFG-201"):
        instrument_scores(rating_rows().assign(wave="T1"), class_like(), None, None)


@pytest.mark.parametrize(("minimum", "scored"), [(None, {"v1", "v2"}), (2, {"v1"}), (3, set())])
def test_a_visit_with_too_few_segments_has_no_score_and_enters_no_mean(minimum, scored):
    rows = rating_rows().assign(wave="T1")
    visits, persons = instrument_scores(rows, class_like(**({"minimum_segments": minimum} if minimum else {})), None, CODEBOOK)
    warm = visits[visits["score"] == "warm"].set_index("observation_id")
    assert set(warm.index[warm["value"].notna()]) == scored and warm["n_segments"].to_dict() == {"v1": 2, "v2": 1}
    assert set(warm.loc[warm["value"].isna(), "why"]) <= {"too_few_segments"}
    expected = warm["value"].mean()
    assert persons.set_index("score")["value"].to_dict()["warm"] == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("order", [["raters", "segments"], ["items", "segments"], ["items", "visits", "raters", "segments"]])
def test_an_order_that_does_not_fit_is_refused(order):
    with pytest.raises(BscError, match="BSC-CFG-203"):
        average_ratings(rating_rows(), {"s": ["x", "y"]}, order)


def test_rows_of_one_visit_must_agree():
    with pytest.raises(BscError, match="BSC-KEY-202"):
        visit_keys(rating_rows().assign(center_id=["c1", "c1", "c2", "c1"]))


def test_all_video_scores_of_the_gti_teachers(gti_folder, gti_ratings):
    oracle = gti_folder / "oracle"
    key = pd.read_csv(oracle / "video_key.csv")
    members = {row.score: row.built_from.split() for row in key.itertuples()}
    visits, persons = average_ratings(gti_ratings, members, ["items", "raters", "segments", "visits"])
    official = pd.read_csv(oracle / "video_scores.csv.gz").pivot(index="T_ID", columns="score", values="value")
    found = persons.set_index("person_id").reindex(official.index)
    assert (len(official), len(official.columns)) == (678, 29)
    difference = (found[official.columns] - official).abs().to_numpy()
    assert (difference < 1e-5).sum() == 678 * 29  # official values are printed in single precision
    lessons = pd.read_csv(oracle / "video_lesson_scores.csv.gz").set_index("IDVIDEO")
    domains = visits.set_index("observation_id").reindex(lessons.index)
    for name in ("CM", "SE", "DC", "QS", "CE", "AR", "INSTRUCT", "TOT"):
        np.testing.assert_allclose(domains[f"VDOMAIN_{name}"], lessons[name], atol=1e-12)  # printed with 13 decimals
