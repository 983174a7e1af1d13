"""Control charts against R qicharts2 0.8.1 and qcc, on Montgomery's tables among others, and against what their formulas promise."""

import numpy as np
import pandas as pd
import pytest

from bscstudy.measures.control_charts import c4, control_limits


@pytest.fixture(scope="module")
def series(reference_folder):
    """(dataset, call) of a Shewhart chart -> kind, values, sizes, multiplier, first month of the second part or None."""
    folder = reference_folder / "qi"
    infections = pd.read_csv(folder / "qicharts2_cdi.csv")
    trigger = pd.read_csv(folder / "qicharts2_gtt.csv.gz")
    surgery = pd.read_csv(folder / "qicharts2_cabg.csv.gz", parse_dates=["date"])
    harms = trigger.groupby("month").agg(
        harms=("harms", "sum"), days=("days", "sum"), n=("harms", "size"), harmed=("harms", np.count_nonzero)
    )
    month = surgery.groupby(surgery["date"].dt.to_period("M"))
    patients = month.agg(n=("los", "size"), readmitted=("readmission", "sum"), deaths=("death", "sum"), stay=("los", "mean"))
    return {
        ("cdi", "u n/days x10000 part=24"): ("u", infections["n"] / infections["days"], infections["days"], 1e4, 24),
        ("gtt", "u harm/days x1000"): ("u", harms["harms"] / harms["days"], harms["days"], 1e3, None),
        ("gtt", "p nharm/n"): ("p", harms["harmed"] / harms["n"], harms["n"], 1, None),
        ("cabg", "p readm/n"): ("p", patients["readmitted"] / patients["n"], patients["n"], 1, None),
        ("cabg", "p deaths/n"): ("p", patients["deaths"] / patients["n"], patients["n"], 1, None),
        ("cabg", "i mean los"): ("i", patients["stay"], None, 1, None),
    }


def test_limits_of_qicharts2(reference_folder, series):
    """Every row with limits: centre line, first and last limits, number of points outside."""
    expected = pd.read_csv(reference_folder / "qi" / "REFERENCE_runcharts_qicharts2.csv")
    expected = expected[expected["lcl_first"].notna()]
    assert len(expected) == 7
    for row in expected.to_dict("records"):
        kind, values, sizes, times, cut = series[row["dataset"], row["call"]]
        part = slice(None) if cut is None else [slice(0, cut), slice(cut, None)][row["part"] - 1]
        chart = control_limits(kind, values.to_numpy(float)[part], None if sizes is None else sizes.to_numpy(float)[part])
        found = np.array([chart.centre[0], chart.lower[0], chart.upper[0], chart.lower[-1], chart.upper[-1]]) * times
        # the reference divides a moving range by 1.128, not by 2 / sqrt(pi) = 1.12838
        np.testing.assert_allclose(
            found, [row[n] for n in ("cl", "lcl_first", "ucl_first", "lcl_last", "ucl_last")], rtol=2e-4 if kind == "i" else 1e-12
        )
        assert [chart.outside.sum(), len(chart.values)] == [row["n_sigma"], row["n.obs"]]


@pytest.mark.parametrize(
    ("chart", "expected"),
    [
        # qicharts2, tests/testthat/ex_6.3_1.rds, ex_6.3_2.rds, ex_7.1_5.rds, ex_7.3_3.rds: its stored limits of these charts
        ("table 6.3 means", (74.001176, 73.98776012, 74.01459188)),
        ("table 6.3 standard deviations", (0.009399483886, 0, 0.0196355018)),
        ("table 7.3 without samples 15 and 23", (0.215, 0.04070284, 0.38929716)),
        ("table 7.8 without samples 6 and 20", (19.6666667, 6.362532, 32.9708013)),
        # R qcc, vignettes/qcc.Rmd as printed: qcc(x[trial], sizes = size[trial], type = "c") of the same boards (data circuit)
        ("table 7.8", (19.84615, 6.481447, 33.21086)),
    ],
)
def test_charts_of_montgomery(reference_folder, chart, expected):
    """Montgomery (2009), Introduction to statistical quality control, 6th edition: his tables, the charts two R packages draw of them."""
    folder = reference_folder / "qi"
    if chart.startswith("table 6.3"):
        rings = pd.read_csv(folder / "qicharts2_tbl_06.03.csv").groupby("sample")["obs"].agg(["mean", "std", "size"])
        mean, spread, size = (rings[name].to_numpy(float) for name in ("mean", "std", "size"))
        found = control_limits("xbar", mean, size, spread) if "means" in chart else control_limits("s", spread, size)
    elif chart.startswith("table 7.3"):
        cans = pd.read_csv(folder / "qicharts2_tbl_07.03.csv").query("phase == 1 and sample not in (15, 23)")
        found = control_limits("p", (cans["count"] / cans["size"]).to_numpy(), cans["size"].to_numpy())
    else:
        boards = pd.read_csv(folder / "qicharts2_tbl_07.08.csv").query("phase == 1")
        boards = boards.query("sample not in (6, 20)") if "without" in chart else boards
        found = control_limits("c", boards["count"].to_numpy(float))
    got = [found.centre[0], found.lower[0], found.upper[0]]
    np.testing.assert_allclose(got, expected, rtol=2e-7)  # seven digits are printed


def test_rates_of_unequal_areas(reference_folder):
    """Montgomery's table 7.11, faults on each 50 square meters of dyed cloth: the limits stored in qicharts2, ex_7.5_1.rds."""
    cloth = pd.read_csv(reference_folder / "qi" / "qicharts2_tbl_07.11.csv")
    areas = cloth["meters"].to_numpy() / 50
    chart = control_limits("u", cloth["count"].to_numpy() / areas, areas)
    upper = [2.5550377, 2.6886264, 2.4158942, 2.5550377, 2.5844395, 2.5550377, 2.4564266, 2.5277618, 2.4564266, 2.4355523]
    lower = [0.29147393, 0.15788520, 0.43061744, 0.29147393, 0.26207210, 0.29147393, 0.39008503, 0.31874979, 0.39008503, 0.41095932]
    assert chart.centre[0] == pytest.approx(1.4232558, abs=5e-8)  # printed with eight digits, as the limits
    np.testing.assert_allclose(chart.upper, upper, atol=5.1e-8)
    np.testing.assert_allclose(chart.lower, lower, atol=5.1e-9)


def test_a_baseline_is_frozen_and_gaps_have_no_range():
    values = np.array([5.0, 7, 5, 7, np.nan, 30, 31])
    baseline = np.arange(7) < 4
    chart = control_limits("i", values, baseline=baseline)
    assert chart.centre[0] == 6 and chart.outside.tolist() == [False] * 5 + [True, True]
    assert np.isclose(chart.sigma[0], 2 * np.sqrt(np.pi) / 2)
    ranges = control_limits("mr", values, baseline=baseline)
    assert np.isnan(ranges.values[[0, 4, 5]]).all() and ranges.values[6] == 1
    assert np.isnan(control_limits("p", np.full(3, np.nan), np.ones(3)).centre).all()


def test_c4_is_the_mean_standard_deviation():
    drawn = np.random.default_rng(4).normal(size=(200_000, 5)).std(axis=1, ddof=1)
    assert abs(drawn.mean() - c4(5)) < 4 * drawn.std() / np.sqrt(200_000)  # four standard errors of the simulation
    assert np.isclose(c4(2), np.sqrt(2 / np.pi)) and np.isnan(c4(1))


@pytest.mark.parametrize("kind", ["p", "u"])
def test_laney_leaves_binomial_and_poisson_series_alone_and_widens_others(kind):
    """Sigma z is 1 where common causes are those of the distribution, and the true factor where months differ besides."""
    rng, sizes = np.random.default_rng(5), np.full(20_000, 400.0)

    def drawn(level):
        return (rng.binomial(400, level) if kind == "p" else rng.poisson(400 * level)) / 400

    plain = control_limits(f"{kind}_prime", drawn(np.full(20_000, 0.3)), sizes)
    assert abs(plain.sigma_z - 1) < 0.02  # simulation error of 20,000 months, about 0.006
    between = 0.05
    spread = control_limits(f"{kind}_prime", drawn(0.3 + between * rng.standard_normal(20_000)), sizes)
    within = (0.21 - between**2 if kind == "p" else 0.3) / 400
    expected = np.sqrt((within + between**2) / (within + (between**2 / 400 if kind == "p" else 0)))
    assert abs(spread.sigma_z / expected - 1) < 0.02
    assert np.allclose(spread.upper - spread.centre, 3 * spread.sigma)


def test_laney_limits_do_not_rest_on_the_assumed_distribution():
    """Sigma z takes out whatever constant the formula of sigma has: the charts p_prime and u_prime of one series are the same."""
    rng, sizes = np.random.default_rng(6), np.linspace(60, 120, 24)
    values = rng.binomial(sizes.astype(int), 0.3) / sizes
    shares, rates = (control_limits(kind, values, sizes) for kind in ("p_prime", "u_prime"))
    np.testing.assert_allclose(shares.upper, rates.upper, rtol=1e-12)
    np.testing.assert_allclose(shares.sigma_z, rates.sigma_z / np.sqrt(1 - shares.centre[0]), rtol=1e-12)
