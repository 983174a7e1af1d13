"""The error of theme shares: the range it leaves to rho, calibrated shares, slopes against simulation, refusals."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bscstudy.integrate.share_error import calibrate_shares, rho_under_share_error
from bscstudy.integrate.share_slopes import share_slope, slope_formula
from bscstudy.qual.clustered_shares import clustered_share

PRESENT, ASKED = np.array([3, 1, 4, 0, 2, 5]), np.array([4, 3, 4, 3, 5, 5])


def test_calibrated_shares_are_the_posterior_means_of_a_beta_prior():
    alike, share = clustered_share(PRESENT, ASKED).correlation, PRESENT.sum() / ASKED.sum()
    weight = (1 - alike) / alike
    means = [stats.beta(weight * share + x, weight * (1 - share) + n - x).mean() for x, n in zip(PRESENT, ASKED, strict=True)]
    found = calibrate_shares(PRESENT, ASKED)
    assert found.shares == pytest.approx(means, rel=1e-12) and 0 < found.reliability < 1
    assert np.isnan(calibrate_shares(np.array([2, 2, 2, 1]), np.full(4, 4)).reliability)  # less different than chance
    assert np.isnan(calibrate_shares(np.array([1, 0, 1]), np.ones(3)).reliability)  # one session a center tells nothing of their likeness


def test_the_range_of_rho_closes_with_many_sessions_and_is_wide_with_few():
    outcome = np.array([0.3, 0.1, 0.8, 0.0, 0.4, 0.9])
    present, asked = np.array([3, 1, 4, 0, 2, 9]), np.array([4, 3, 4, 3, 5, 10])
    rho = stats.spearmanr(present / asked, outcome).statistic
    many = rho_under_share_error(present * 10_000, asked * 10_000, outcome, seed=1)
    assert many == pytest.approx((rho, rho), abs=1e-12)  # no order changes
    low, high = rho_under_share_error(PRESENT, ASKED, outcome, seed=1)
    assert low < rho - 0.3 and high <= 1 and (low, high) == rho_under_share_error(PRESENT, ASKED, outcome, seed=1)
    draws = np.random.default_rng(8)
    drawn = [stats.spearmanr(draws.beta(PRESENT + 0.5, ASKED - PRESENT + 0.5), outcome).statistic for _ in range(3000)]
    assert (low, high) == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.06)  # error of two sets of draws of a coarse statistic


def simulated(generator, centers=23, sessions=6, people=8, slope=2.0, alike=0.35, change=True):
    """People whose change (or level) rises by `slope` from a share of 0 to 1, and sessions that show the share with error."""
    weight = (1 - alike) / alike
    share = generator.beta(0.6 * weight, 0.4 * weight, centers)
    names = np.array([f"c{i:02d}" for i in range(centers)])
    counts = pd.DataFrame({"n_asked": sessions, "n_present": generator.binomial(sessions, share)}, index=names)
    who = np.repeat(np.arange(centers), people)
    person = generator.normal(0, 0.4, len(who)) + generator.normal(0, 0.3, centers)[who]
    drift = generator.normal(0, 0.15, centers)[who]
    parts = []
    for later in (0, 1) if change else (1,):
        score = 3 + person + later * (slope * share[who] + drift) + generator.normal(0, 0.3, len(who))
        names_of = {"center_id": names[who], "person_id": [f"p{i}" for i in range(len(who))], "wave": f"T{later + 1}"}
        parts.append(pd.DataFrame({**names_of, "later": float(later), "score": score}))
    return pd.concat(parts, ignore_index=True), counts


@pytest.mark.slow
@pytest.mark.parametrize("change", [True, False])
def test_the_corrected_slope_is_nearly_unbiased_where_the_naive_is_attenuated(change):
    generator = np.random.default_rng(20)
    fits = [share_slope(*simulated(generator, change=change), change=change) for _ in range(40)]
    kept = [fit for fit in fits if not fit.reason]
    assert len(kept) >= 36
    slope, naive = (10 * np.mean([getattr(fit, name) for fit in kept]) for name in ("slope", "naive"))
    error = 10 * np.std([fit.slope for fit in kept]) / np.sqrt(len(kept))
    assert abs(slope - 2.0) < 0.1 + 3 * error, (slope, error)  # small-sample bias of the ratio below 5%, and chance of 40 studies
    assert naive == pytest.approx(2.0 * 0.76, abs=0.2)  # reliability 6 x .35 / (1 + 5 x .35) = .76
    held = np.mean([10 * fit.low <= 2.0 <= 10 * fit.high for fit in kept])
    assert held >= 0.84  # 95% less three standard errors of 40 studies


def test_without_error_both_slopes_are_the_same():
    rows, counts = simulated(np.random.default_rng(3), sessions=4000)
    fit = share_slope(rows, counts, change=True)
    assert fit.slope == pytest.approx(fit.naive, rel=2e-3) and fit.reliability > 0.99  # 1 in 4000 sessions
    assert fit.df == 21 and fit.n_centers == 23 and fit.low < fit.slope < fit.high


def test_what_cannot_be_carried_is_refused_with_its_reason():
    rows, counts = simulated(np.random.default_rng(5))
    six = share_slope(rows, counts.iloc[:6], change=True)
    assert six.reason == "6 centers leave 4 degrees of freedom, fewer than 5" and np.isnan(six.slope)
    assert share_slope(rows, counts.iloc[:0], change=True).reason.startswith("0 centers leave 0")
    assert "same in all centers" in share_slope(rows, counts.assign(n_present=3), change=True).reason
    close = counts.assign(n_present=[2 + i % 2 for i in range(23)])
    refused = share_slope(rows, close, change=True)
    exact = share_slope(rows.assign(score=3 + rows["later"]), counts, change=True)
    assert exact.reason == "the multilevel model could not be fitted: the fixed columns reproduce the response exactly"
    assert "by chance" in refused.reason and np.isnan(refused.slope) and not np.isnan(refused.naive)


def test_the_model_has_the_levels_that_the_rows_can_tell_apart():
    rows, _ = simulated(np.random.default_rng(5), centers=7)
    alone = rows.drop_duplicates(["center_id", "wave"])
    assert slope_formula(rows, True) == "score ~ later * share + (1 | center_id/person_id) + (1 | center_id:wave)"
    assert slope_formula(alone, True) == "score ~ later * share + (1 | center_id)"
    assert slope_formula(alone[alone["later"] == 1], False) == "score ~ share"
