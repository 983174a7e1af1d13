"""What one model can depend on: a wave, a role or a scale that its file does not name changes nothing of what it reads."""

import numpy as np
import pandas as pd
import pytest
from test_models_fit import CONFIG, fit_declared, spec, staff

from bscstudy.errors import BscError
from bscstudy.models.fit import fit_model
from bscstudy.models.inputs import model_comparability, model_evidence, model_table, model_waves

SAMPLE = {"sample": {"waves": ["T1", "T4"], "where": "years >= 0"}}


def with_more(frame: pd.DataFrame) -> pd.DataFrame:
    """The same answers and a scale, a wave and people that no model names."""
    later = frame[frame["wave"] == "T4"].assign(wave="T5", buy_in=9.0)
    return pd.concat([frame, later], ignore_index=True).assign(another_scale=1.5)


def test_what_a_model_reads_stays_as_it_is_when_a_wave_and_a_scale_come():
    declared, frame = spec(**SAMPLE), staff().assign(years=np.arange(len(staff())))
    own = model_table(declared, "person", frame)
    pd.testing.assert_frame_equal(model_table(declared, "person", with_more(frame)), own)
    assert set(own["wave"]) == {"T1", "T4"} and {"years", "buy_in", "person_id", "center_id"} <= set(own.columns)


def test_a_fit_on_its_own_rows_is_the_fit_on_all_rows():
    declared, frame = spec(**SAMPLE), with_more(staff()).assign(years=1)
    whole = fit_model(declared, {"person": frame}, CONFIG, model_comparability(declared, {"person": frame}, CONFIG)).as_dict()
    own = fit_declared(declared, {"person": frame}).as_dict()
    assert own.pop("n_outside_sample") < whole.pop("n_outside_sample")
    assert own == whole


def test_a_column_that_is_not_there_is_still_named_with_the_one_meant():
    with pytest.raises(BscError, match="Did you mean 'buy_in'"):
        fit_declared(spec(outcome="buy_im"), {"person": with_more(staff())})


def test_waves_are_those_of_the_sample_and_of_the_pieces_of_time():
    assert model_waves(spec()) is None
    assert model_waves(spec(sample={"waves": ["T4", "T2"]}, time={"during": ["T1", "T2"]})) == ["T1", "T2", "T4"]


def test_evidence_of_other_scales_and_waves_is_left_out():
    evidence = pd.DataFrame({"scale": ["a", "a", "b", "c"], "wave": ["T1", "T5", "T5", "T1"]})
    predictors = {"x": {"column": "a", "center": "between"}, "y": {"column": "b__change", "from": "center"}}
    kept = model_evidence(spec(predictors=predictors, sample={"waves": ["T1"]}), evidence)
    assert kept.to_numpy().tolist() == [["a", "T1"], ["b", "T5"]]
