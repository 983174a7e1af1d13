"""Run charts against R qicharts2 0.8.1: every series of the reference file, recomputed from its data."""

import numpy as np
import pandas as pd
import pytest

from bscstudy.errors import BscError
from bscstudy.measures.chart_events import chart_events
from bscstudy.measures.metric_charts import ChartPlan, chart_plans, check_counts, read_charts
from bscstudy.measures.metric_series import month_names, monthly_series
from bscstudy.measures.run_charts import run_signals

NAMES = ["n.obs", "n.useful", "longest.run", "longest.run.max", "n.crossings", "n.crossings.min", "runs.signal"]


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
    figures = [len(values), found.n_useful, found.longest_run, found.run_limit, found.crossings, found.crossing_limit, signal]
    assert figures == expected[NAMES].tolist()
    times = {"x10000": 1e4, "x1000": 1e3}.get(next((w for w in expected["call"].split() if w.startswith("x")), ""), 1)
    assert np.isclose(centre * times, expected["cl"], rtol=1e-12)


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
    for plan in (ChartPlan(baseline_months=4), ChartPlan(freeze_until="2024-04")):
        series, signals = read_charts(monthly_series(rows, []), {"absent": plan})
        assert set(series["centre"]) == {0.1}
        assert signals.iloc[0][["n_useful", "signal", "n_baseline"]].tolist() == [8, "too_short", 4]


def test_a_group_without_a_baseline_has_no_verdict():
    rows = metric_rows().query("center_id == 'a' or month > '2024-02'")
    series, signals = read_charts(monthly_series(rows, ["collaborative"]), {"absent": ChartPlan(freeze_until="2024-02")})
    assert signals.set_index("group").loc["south", ["signal", "n_baseline"]].tolist() == ["no_baseline", 0]
    assert series.loc[series["group"] == "south", "useful"].sum() == 0


def test_a_month_that_nobody_reported_is_a_gap():
    series = monthly_series(metric_rows().query("month not in ('2024-05', '2024-06')"), [])
    assert len(series) == 12 and series.loc[series["value"].isna(), "month"].tolist() == ["2024-05", "2024-06"]
    _, signals = read_charts(series.assign(value=series["value"] * np.arange(1, 13)), {})
    assert signals.loc[0, "n_months"] == 10


def test_each_phase_has_its_own_lines_and_limits_need_months():
    rows = metric_rows()
    rows.loc[rows["month"] >= "2024-11", "numerator"] = 6.0
    series, signals = read_charts(monthly_series(rows, []), {"absent": ChartPlan("p", phases=("2024-11",))})
    assert signals[["phase", "centre", "limits", "n_baseline"]].to_numpy().tolist() == [[1, 0.1, "drawn", 10], [2, 0.6, "too_few", 2]]
    first = series[series["phase"] == 1]
    assert np.allclose(first["upper"] - first["centre"], 3 * np.sqrt(0.1 * 0.9 / 20)) and series["outside"].sum() == 0
    _, whole = read_charts(monthly_series(rows, []), {"absent": ChartPlan("p")})
    assert whole.loc[0, "n_outside"] == 2 and whole.loc[0, "limits"] == "drawn"


def test_a_count_is_charted_only_where_every_center_reported():
    rows = metric_rows().drop(index=3)
    series, _ = read_charts(monthly_series(rows, []), {"absent": ChartPlan("c")})
    assert series["value"].isna().tolist() == [month == 3 for month in range(12)] and series["value"].max() == 2
    means, _ = read_charts(monthly_series(rows.assign(numerator=rows["numerator"] * 2), []), {"absent": ChartPlan("xbar")})
    assert set(means["value"]) == {0.2} and set(means["sigma"]) == {0.0}  # centers do not differ


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (lambda: month_names(pd.Series(["2024-13"])), "BSC-DAT-281"),
        (lambda: check_counts(metric_rows().assign(numerator=11.0), {"absent": ChartPlan("p")}), "BSC-DAT-280"),
        (lambda: chart_plans({"freeze_until": "2024-02", "baseline_months": 3, "metrics": [{"id": "absent"}]}), "BSC-CFG-280"),
        (lambda: chart_events([{"label": "x", "source": "log", "date": "day"}], {"log": metric_rows()}, []), "BSC-CFG-281"),
    ],
)
def test_what_cannot_be_charted_is_refused(act, code):
    with pytest.raises(BscError) as fault:
        act()
    assert fault.value.code == code


def test_sessions_are_marked_and_cycles_counted_for_each_group():
    log = pd.DataFrame({"day": ["2024-03-12", "2024-03-13", "2024-06-01", None], "session": ["s1", "s1", "s2", "s2"]})
    log["collaborative"] = ["north", "south", "south", "south"]
    spec = [{"label": "Session", "source": "log", "date": "day", "each": "session"}, {"label": "Cycles", "source": "log", "date": "day"}]
    events = chart_events(spec, {"log": log}, ["collaborative"])
    whole = events[events["group"] == "all"]
    marks = whole[whole["kind"] == "mark"]
    assert marks[["name", "month"]].to_numpy().tolist() == [["s1", "2024-03"], ["s2", "2024-06"], ["s2", "undated"]]
    assert whole[whole["kind"] == "count"].set_index("month")["n"].to_dict() == {"2024-03": 2, "2024-06": 1, "undated": 1}
    assert events.query("group == 'north' and kind == 'count'")["n"].tolist() == [1]
