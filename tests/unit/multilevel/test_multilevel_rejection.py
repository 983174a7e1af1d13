"""The simulation of rejection rates: its data, its shortcuts and its counts are what they say."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

BENCHMARKS = Path(__file__).resolve().parents[3] / "benchmarks"


@pytest.fixture(autouse=True)
def _import_from_benchmarks(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))


@pytest.fixture
def study():
    from rejection_data import draw_study

    return draw_study(7, np.random.default_rng(3))


def test_staff_answer_in_both_waves_of_every_center(study):
    forms = pd.DataFrame({"center": study.center, "person": study.person, "wave": study.wave})
    assert set(map(tuple, forms[["center", "wave"]].drop_duplicates().to_numpy())) == {(c, w) for c in range(7) for w in (0, 1)}
    assert not forms.duplicated().any()
    assert (forms.groupby("person").center.nunique() == 1).all()
    assert forms.groupby("person").wave.nunique().eq(1).any(), "somebody is there in one wave only"
    assert len(study.exposure) == 7


def test_center_means_are_means_of_the_forms(study):
    scores = np.random.default_rng(1).standard_normal((len(study.wave), 2))
    frame = pd.DataFrame({"center": study.center, "wave": study.wave, "score": scores[:, 1]})
    assert study.center_means(scores)[:, 1] == pytest.approx(frame.groupby("center").score.mean().to_numpy(), abs=1e-12)
    late = frame[frame.wave == 1].groupby("center").score.mean().to_numpy()
    assert study.center_means(scores, 1)[:, 1] == pytest.approx(late, abs=1e-12)


def test_drawn_scores_have_the_stated_variances_and_no_effect(study):
    from rejection_data import draw_responses

    scores = draw_responses(study, 0.2, np.random.default_rng(2), 20_000)
    late = study.wave == 1
    assert scores.mean(axis=1) == pytest.approx(0, abs=0.03)  # 5 standard errors of a mean of 20,000
    # .3^2 + .5^2 + .45^2, and .2^2 in the second wave; 5 standard errors of a variance of 20,000
    assert scores[~late].var(axis=1) == pytest.approx(0.5425, abs=0.03)
    assert scores[late].var(axis=1) == pytest.approx(0.5825, abs=0.03)
    first, second = (np.flatnonzero(late & (study.center == 0))[i] for i in (0, 1))
    assert np.cov(scores[first], scores[second])[0, 1] == pytest.approx(0.3**2 + 0.2**2, abs=0.02)


@pytest.mark.parametrize("slope", [False, True])
def test_shared_preparation_gives_the_fit_of_the_formula(study, slope):
    from rejection_data import draw_responses
    from rejection_rates import all_fits

    from bscstudy.multilevel import fit_mixed_model

    responses = draw_responses(study, 0.8, np.random.default_rng(5), 3)  # wide, so that the change of centers is not estimated as 0
    shared = list(all_fits(study, responses, slope=slope))[2]
    frame = pd.DataFrame({"center": study.center, "person": study.person, "wave": study.wave, "y": responses[:, 2]})
    formula = "y ~ wave + exposure + (1 | center/person)" + " + (0 + wave | center)" * slope
    own = fit_mixed_model(formula, frame.assign(exposure=study.exposure[study.center]))
    assert shared.log_likelihood == pytest.approx(own.log_likelihood, abs=1e-9)
    assert shared.beta == pytest.approx(own.fit.beta, abs=1e-7)  # two searches that end within their own tolerance
    assert np.diag(shared.covariance) == pytest.approx(np.diag(own.fit.covariance), rel=1e-6)


@pytest.mark.parametrize("part", ["indicators", "answers"])
def test_generalized_design_is_that_of_the_formula(part):
    import rejection_generalized as generalized

    from bscstudy.multilevel import fit_mixed_model

    rng = np.random.default_rng(4)
    outcome = {"indicators": generalized.INDICATORS, "answers": generalized.ANSWERS}[part]
    study, trials = generalized.draw_units(outcome, 12, rng)
    response = generalized.draw_outcome(study, outcome, trials, 0.0, rng)
    design = replace(generalized.generalized_design(study, outcome, trials), response=response)
    frame = pd.DataFrame({"y": response, "wave": study.wave, "exposure": study.exposure[study.center], "center": study.center})
    frame["unit"] = study.person
    left = "y" if trials is None else "cbind(y, trials - y)"
    own = fit_mixed_model(f"{left} ~ wave + exposure + (1 | center/unit)", frame.assign(trials=trials), family=outcome.family)
    assert generalized.refit(design, family=outcome.family).log_likelihood == pytest.approx(own.log_likelihood, abs=1e-7)


def test_a_generalized_model_that_cannot_be_fitted_fails_on_every_rung():
    from rejection_generalized import generalized_bootstrap, rungs_of_generalized

    answers = [*rungs_of_generalized(None, None), *generalized_bootstrap(None, None, 1)]
    assert len(answers) == 8
    assert all(answer.failed for _, _, answer in answers)


def test_likelihood_ratios_of_all_responses_at_once_are_those_of_one(study):
    from rejection_data import draw_responses
    from rejection_rates import all_fits, likelihood_ratios
    from rejection_rungs import QUESTIONS

    from bscstudy.multilevel.likelihood_ratio import likelihood_ratio
    from bscstudy.multilevel.linear import fit_linear

    responses = draw_responses(study, 0.2, np.random.default_rng(5), 3)
    one = likelihood_ratio(list(all_fits(study, responses, slope=True))[1], lambda d, start: fit_linear(d, reml=False, start=start))
    ratios = likelihood_ratios(study, responses, slope=True)
    for question, contrasts in QUESTIONS.items():
        assert ratios[question][1] == pytest.approx(one.statistic(contrasts)[0], abs=1e-7)


def test_robust_rungs_are_those_of_cluster_robust(study):
    from rejection_data import draw_responses
    from rejection_rates import all_fits
    from rejection_rungs import QUESTIONS, ROBUST, rungs_of_fit

    from bscstudy.multilevel.cluster_robust import cluster_robust

    fit = next(all_fits(study, draw_responses(study, 0.0, np.random.default_rng(5), 1), slope=False))
    answers = {(rung, question): answer for rung, question, answer in rungs_of_fit(fit)}
    for kind in ROBUST:
        robust = cluster_robust(fit, "center", kind=kind)
        assert answers[kind, "both"].p_value == pytest.approx(robust.joint(QUESTIONS["both"]).p_value, rel=1e-12)
        assert answers[kind, "exposure"].p_value == pytest.approx(robust.tests(QUESTIONS["exposure"]).p_value[0], rel=1e-12)


def test_leaving_out_hopeless_replicates_changes_no_decision(study):
    from rejection_data import draw_responses
    from rejection_rates import all_fits
    from rejection_rungs import HOPELESS, QUESTIONS, REPLICATES, rejects, staged_bootstrap

    from bscstudy.multilevel.parametric_bootstrap import likelihood_ratio_bootstrap

    responses = draw_responses(study, 0.0, np.random.default_rng(8), 12) + 0.25 * study.wave[:, None]
    decided = []
    for fit in all_fits(study, responses, slope=False):
        test = partial(likelihood_ratio_bootstrap, fit, QUESTIONS["change"])
        short, whole = (staged_bootstrap(test, 5, hopeless=h) for h in (HOPELESS, REPLICATES + 1))
        decided.append(rejects(whole.p_value, 0.05))
        assert all(rejects(short.p_value, level) == rejects(whole.p_value, level) for level in (0.05, 0.01))
        assert short.p_value == whole.p_value or short.p_value > 0.05
    assert (1 + HOPELESS) / (1 + REPLICATES) > 0.05
    assert set(decided) == {True, False}, "both decisions occur, otherwise nothing is compared"


def test_a_draw_of_centers_depends_on_its_own_number_alone():
    from rejection_rates import Task, simulate

    first, again, other = simulate(Task("linear", 7, 1, 2)), simulate(Task("linear", 7, 1, 2)), simulate(Task("linear", 7, 2, 2))
    assert first.cells == again.cells
    assert first.cells != other.cells
    assert all(counts.data_sets in (1, 2) for counts in first.cells.values())


def test_failed_answers_count_as_data_sets_that_reject_and_cover_nothing():
    from rejection_rungs import FAILED, Answer
    from rejection_tally import Tally, table_of_rates

    tally = Tally()
    answers = [Answer(0.02, False), Answer(0.5, True), FAILED, Answer(0.05, False)]
    for answer in answers:
        tally.add("truth", "model", [("rung", "change", answer)], boundary=True)
    row = table_of_rates({("linear", 7): [tally]}).iloc[0]
    assert (row.data_sets, row.failed, row.boundary) == (4, 1, 1)
    assert (row.rate_05, row.rate_01, row.coverage) == (0.5, 0, 0.25)


def test_rates_of_several_draws_carry_the_larger_standard_error():
    from rejection_tally import Counts, Tally, table_of_rates

    key = ("truth", "model", "rung", "change")
    parts = [Tally({key: Counts(data_sets=100, rejected_05=k, tests=100)}) for k in (0, 0, 20, 20)]
    row = table_of_rates({("linear", 7): parts}).iloc[0]
    assert row.rate_05 == pytest.approx(0.10)
    assert row.rate_05_se == pytest.approx(np.std([0, 0, 0.2, 0.2], ddof=1) / 2)


@pytest.mark.parametrize(
    ("rate", "error", "holds"), [(0.05, 0.003, True), (0.0595, 0.001, True), (0.065, 0.006, True), (0.065, 0.003, False)]
)
def test_a_rung_fails_where_its_rate_is_clearly_too_high(rate, error, holds):
    from rejection_tally import holds_level

    assert holds_level(rate, error) is holds
