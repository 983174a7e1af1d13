"""Run charts against R qicharts2 0.8.1: every series of the reference file, recomputed from its data."""

import numpy as np
import pandas as pd
import pytest

from bscstudy.measures.run_charts import monthly_series, read_charts, run_signals

NAMES = ["n.useful", "longest.run", "longest.run.max", "n.crossings", "n.crossings.min", "runs.signal"]


@pytest.fixture(scope="module")
def charts(reference_folder):
    """(dataset, call) -> values, weights of the mean or None for a median, months in the first part, months of the baseline."""
    folder = reference_folder / "qi"
    infections = pd.read_csv(folder / "qicharts2_cdi.csv")
    trigger = pd.read_csv(folder / "qicharts2_gtt.csv.gz")
    surgery = pd.read_csv(folder / "qicharts2_cabg.csv.gz", parse_dates=["date"])
    harms = trigger.groupby("month").agg(
        harms=("harms", "sum"), days=("days", "sum"), n=("harms", "size"), harmed=("harms", lambda h: (h > 0).sum())
    )
    month = surgery.groupby(surgery["date"].dt.to_period("M"))
    patients = month.agg(n=("los", "size"), readmitted=("readmission", "sum"), deaths=("death", "sum"), stay=("los", "mean"))
    rate = (infections["n"] / infections["days"], infections["days"])
    return {
        ("cdi", "run n by month"): (infections["n"], None, None, None),
        ("cdi", "run n by month freeze=24"): (infections["n"], None, None, 24),
        ("cdi", "run n by month part=24"): (infections["n"], None, 24, None),
        ("cdi", "u n/days x10000 part=24"): (*rate, 24, None),
        ("gtt", "run harm/days x1000"): (harms["harms"] / harms["days"], None, None, None),
        ("gtt", "u harm/days x1000"): (harms["harms"] / harms["days"], harms["days"], None, None),
        ("gtt", "p nharm/n"): (harms["harmed"] / harms["n"], harms["n"], None, None),
        ("gtt", "run nharm/n"): (harms["harmed"] / harms["n"], None, None, None),
        ("cabg", "run readm/n"): (patients["readmitted"] / patients["n"], None, None, None),
        ("cabg", "p readm/n"): (patients["readmitted"] / patients["n"], patients["n"], None, None),
        ("cabg", "p deaths/n"): (patients["deaths"] / patients["n"], patients["n"], None, None),
        ("cabg", "i mean los"): (patients["stay"], pd.Series(1.0, index=patients.index), None, None),
        ("cabg", "run mean los"): (patients["stay"], None, None, None),
    }


@pytest.mark.parametrize("row", range(15))
def test_every_series_of_qicharts2(reference_folder, charts, row):
    expected = pd.read_csv(reference_folder / "qi" / "REFERENCE_runcharts_qicharts2.csv").iloc[row]
    values, weights, cut, frozen = charts[expected["dataset"], expected["call"]]
    part = slice(None) if cut is None else [slice(0, cut), slice(cut, None)][expected["part"] - 1]
    values, weights = values.to_numpy(float)[part], None if weights is None else weights.to_numpy(float)[part]
    centre = np.median(values[:frozen]) if weights is None else np.average(values, weights=weights)
    found = run_signals(values, centre)
    signal = found.signal in ("shift", "crossings", "both")
    figures = [found.n_useful, found.longest_run, found.run_limit, found.crossings, found.crossing_limit, signal]
    assert figures == expected[NAMES].tolist()


def test_few_points_give_no_signal():
    assert run_signals(np.arange(9.0), 3.5, fewest_useful=10).signal == "too_short"
    assert run_signals(np.full(12, 2.0), 2.0, fewest_useful=10).n_useful == 0


def metric_rows():
    months = [f"2024-{m:02d}" for m in range(1, 13)]
    rows = pd.DataFrame(
        {"metric": "absent", "month": months * 2, "center_id": ["a"] * 12 + ["b"] * 12, "numerator": 1.0, "denominator": 10.0}
    )
    rows["collaborative"] = rows["center_id"].map({"a": "north", "b": "south"})
    return rows


def test_a_center_without_denominator_is_in_neither_sum():
    rows = metric_rows()
    rows.loc[0, "denominator"] = np.nan
    rows.loc[0, "numerator"] = 100.0
    series = monthly_series(rows, ["collaborative"])
    everyone = series[(series["group"] == "all") & (series["month"] == "2024-01")].iloc[0]
    assert everyone[["numerator", "denominator", "value"]].tolist() == [1.0, 10.0, 0.1]
    north = series[series["group"] == "north"]
    assert len(north) == 12 and np.isnan(north["value"].iloc[0])  # the month stays, without a value


def test_the_median_is_frozen_on_the_baseline_months():
    rows = metric_rows()
    rows.loc[rows["month"] > "2024-04", "numerator"] = 5.0
    series, signals = read_charts(monthly_series(rows, []), 4)
    assert set(series["median"]) == {0.1}
    assert signals.iloc[0][["n_useful", "signal"]].tolist() == [8, "too_short"]
