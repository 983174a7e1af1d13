"""Monthly metrics as charts: series with centre line and limits, the signals of the rules, and what is marked on the charts."""

from __future__ import annotations

from bscstudy.identity import add_identity
from bscstudy.measures.chart_events import chart_events
from bscstudy.measures.metric_charts import chart_plans, check_counts, read_charts
from bscstudy.measures.metric_series import month_names, monthly_series
from bscstudy.steps.job_tables import paths_of, write_output
from bscstudy.steps.sound import sound_tables
from bscstudy.tables import Column, read_table
from bscstudy.workflow import Job

GROUP = [Column("group", "Collaborative, center, or all together"), Column("level", "all, collaborative or center")]
KEY = [Column("metric", "Metric"), *GROUP]
SERIES = [
    *KEY,
    Column("month", "Month"),
    Column("numerator", "Numerator, summed over centers that report both", "number"),
    Column("denominator", "Denominator, summed over the same centers", "number"),
    Column("value", "What the chart plots: numerator / denominator, a count, or mean or spread of the centers' own values", "number"),
    Column("n_centers", "Centers that reported the month", "integer"),
    Column("center_mean", "Mean of the centers' own values", "number"),
    Column("center_sd", "Standard deviation of the centers' own values (blank below 2 centers)", "number"),
    Column("kind", "Kind of chart: run, p, p_prime, u, u_prime, c, i, mr, xbar, s"),
    Column("phase", "Phase, from 1", "integer"),
    Column("centre", "Centre line: median of a run chart, mean of a control chart", "number"),
    Column("lower", "Lower control limit (blank: none)", "number"),
    Column("upper", "Upper control limit (blank: none)", "number"),
    Column("sigma", "Standard deviation of the point by common causes (blank: no limits)", "number"),
    Column("useful", "1 off the centre line, 0 on it or without a value", "integer"),
    Column("outside", "1 beyond a control limit", "integer"),
]
SIGNALS = [
    *KEY,
    Column("phase", "Phase, from 1", "integer"),
    Column("kind", "Kind of chart"),
    Column("n_months", "Months with a value", "integer", units="months"),
    Column("n_baseline", "Months that the centre line is worked out from", "integer", units="months"),
    Column("centre", "Centre line (its first point)", "number"),
    Column("limits", "Control limits: drawn, too_few or none (a run chart)"),
    Column("sigma_z", "Laney's factor (blank: not such a chart)", "number"),
    Column("n_outside", "Points beyond a control limit", "integer", units="months"),
    Column("n_useful", "Points off the centre line", "integer", units="months"),
    Column("longest_run", "Longest run on one side", "integer", units="months"),
    Column("run_limit", "A longer run is a shift", "number", units="months"),
    Column("crossings", "Crossings of the centre line", "integer"),
    Column("crossing_limit", "Fewer crossings are a signal", "number"),
    Column("signal", "shift, crossings, both, none, too_short, no_baseline or not_read"),
]
EVENTS = [
    Column("label", "What is marked"),
    Column("kind", "mark (a single event) or count (rows of a month)"),
    *GROUP,
    Column("month", "Month, or undated"),
    Column("name", "Which one (blank: rows are counted)"),
    Column("n", "Rows", "integer"),
]


def run(job: Job) -> None:
    """Write measures/run_charts.csv, measures/run_chart_signals.csv and measures/run_chart_events.csv."""
    spec = job.config["run_charts"]
    names = {
        spec["metric_key"]: "metric",
        spec["month_key"]: "month",
        spec["numerator"]: "numerator",
        spec["denominator"]: "denominator",
    }
    plans, groups, centers = chart_plans(spec), list(spec.get("by") or []), read_table(job.inputs["centers"])
    tables = sound_tables(job, "table", "marked")
    rows = add_identity(tables[spec["source"]], None, centers).rename(columns=names)
    rows = rows[rows["metric"].isin(list(plans))]
    rows = rows.assign(month=month_names(rows["month"], rows["row"], f"source {spec['source']}, column {spec['month_key']}"))
    check_counts(rows, plans)
    series, signals = read_charts(monthly_series(rows, groups), plans)
    marked = {path.stem: add_identity(tables[path.stem], None, centers) for path in paths_of(job, "marked")}
    events = chart_events(list(spec.get("annotations") or []), marked, groups)
    for table, name, columns, key, description in (
        (series, "series", SERIES, ["metric", "group", "month"], "Monthly metrics summed over centers, with centre line and limits."),
        (signals, "signals", SIGNALS, ["metric", "group", "phase"], "What the rules say of each chart of a monthly metric."),
        (events, "events", EVENTS, ["label", "group", "month", "name"], "What is marked on the charts of monthly metrics."),
    ):
        table = table[[column.name for column in columns]]
        write_output(job, name, table, key=key, columns=columns, description=description)
