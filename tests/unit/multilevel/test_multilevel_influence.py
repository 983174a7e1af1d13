"""Refits without each group, against lme4 and what can be refused."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bscstudy.errors import BscError
from bscstudy.multilevel.fit import fit_mixed_model

FOLDER = Path(__file__).parents[2] / "reference" / "data"
REFERENCE = json.loads((FOLDER / "lmm" / "result_modules.json").read_text())["leave_one_out"]
NESTED = "y ~ wave * arm + role + (1 | center/pid)"


@pytest.fixture(scope="module")
def frame():
    return pd.read_csv(FOLDER / "mixed" / "sim3.csv")


def test_refits_agree_with_lme4(frame):
    result = fit_mixed_model(NESTED, frame)
    found = result.influence()
    assert found.factor == "center"
    order = [found.names.index(name) for name in REFERENCE[0]["names"]]
    np.testing.assert_allclose(found.beta[:, order], [r["beta"] for r in REFERENCE], rtol=1e-6, atol=1e-7)  # lme4's optimum
    errors = (found.estimate - found.beta) / found.change_in_std_errors
    wave = found.names.index("wave")
    known = np.abs(found.change_in_std_errors[:, wave]) > 1e-6
    expected = np.array([r["se"] for r in REFERENCE])[:, REFERENCE[0]["names"].index("wave")]
    np.testing.assert_allclose(errors[known, wave], expected[known], rtol=1e-6)
    lowest, highest = found.ranges()
    assert np.all(lowest < found.estimate)
    assert np.all(found.estimate < highest)
    difference = found.estimate - found.beta[2]
    distance = difference @ np.linalg.solve(result.fit.covariance, difference) / 5
    assert found.cooks_distance[2] == pytest.approx(distance, rel=1e-10)


def test_a_group_that_alone_tells_a_term_leaves_a_failed_refit(frame):
    frame = frame.assign(special=(frame.center == "c3") * frame.wave)
    found = fit_mixed_model("y ~ wave + special + (1 | center)", frame).influence()
    state = dict(zip(found.labels, found.states, strict=True))
    assert [label for label, s in state.items() if s == "failed"] == ["c3"]
    assert "special" in found.reasons[found.labels.index("c3")]
    assert np.isnan(found.beta[found.labels.index("c3")]).all()
    assert found.estimated.sum() == 6


def test_refusals(frame):
    with pytest.raises(BscError, match="BSC-LMM-084"):
        fit_mixed_model(NESTED, frame).influence("centre")
    with pytest.raises(BscError, match="BSC-LMM-115"):
        fit_mixed_model("y ~ wave", frame).influence()
    few = frame[frame.center.isin(["c1", "c2", "c3"])]
    with pytest.raises(BscError, match="BSC-LMM-085"):
        fit_mixed_model("y ~ wave + (1 | center)", few).influence()
