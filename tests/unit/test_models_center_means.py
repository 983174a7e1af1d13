"""A model that uses a center's mean of a scale without evidence says so."""

import pandas as pd
import pytest

from bscstudy.models.center_means import center_mean_columns, unsupported_center_means

EVIDENCE = pd.DataFrame(
    {
        "scale": ["calm", "calm", "trust"],
        "wave": ["T1", "T3", "T1"],
        "aggregate": ["no", "yes", "yes"],
        "decision": ["median r_wg below 0.70; ICC(1) below 0.05", "fine", "fine"],
    }
)


@pytest.mark.parametrize(
    "spec, waves, said",
    [
        ({"outcome": "trust", "predictors": {"x": {"column": "calm", "center": "between"}}}, ["T1", "T3"], True),
        ({"outcome": "trust", "predictors": {"x": {"column": "calm", "center": "between"}}}, ["T3"], False),
        ({"outcome": "trust", "predictors": {"x": {"column": "calm", "center": "within"}}}, ["T1"], False),
        ({"outcome": "trust", "predictors": {"x": {"column": "trust", "center": "between"}}}, ["T1"], False),
        ({"outcome": "calm__change"}, [], True),
        ({"outcome": "trust", "predictors": {"x": {"column": "calm__change", "from": "center"}}}, ["T3"], True),
        ({"outcome": "calm"}, ["T1"], False),
    ],
)
def test_center_means_without_evidence(spec, waves, said):
    found = unsupported_center_means(spec, EVIDENCE, waves)
    assert bool(found) == said
    assert not said or (found[0].endswith("(T1: ICC(1) below 0.05, median r_wg below 0.70)") and "; " not in found[0])
    assert unsupported_center_means(spec, None, waves) == []


def test_only_such_models_wait_for_the_evidence():
    assert center_mean_columns({"outcome": "calm", "predictors": {"x": {"column": "dose", "center": "grand"}}}) == {}
    assert center_mean_columns({"outcome": "calm__change"}) == {"calm": True}
