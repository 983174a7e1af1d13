"""Monthly metrics as run charts: series with their median, and the signals of the Anhoj rules."""

from __future__ import annotations

from bscstudy.measures.identity import add_identity
from bscstudy.measures.run_charts import monthly_series, read_charts
from bscstudy.steps.job_tables import write_output
from bscstudy.steps.sound import require_sound_inputs
from bscstudy.tables import Column, read_table
from bscstudy.workflow import Job

KEY = [Column("metric", "Metric"), Column("group", "Collaborative, center, or all together")]
SERIES = [
    *KEY,
    Column("month", "Month"),
    Column("numerator", "Numerator, summed over centers that report both", "number"),
    Column("denominator", "Denominator, summed over the same centers", "number"),
    Column("value", "Numerator / denominator", "number"),
    Column("median", "Centre line", "number"),
    Column("useful", "1 off the centre line, 0 on it or without a value", "integer"),
]
SIGNALS = [
    *KEY,
    Column("n_useful", "Points off the centre line", "integer", units="months"),
    Column("median", "Centre line", "number"),
    Column("longest_run", "Longest run on one side", "integer", units="months"),
    Column("run_limit", "A longer run is a shift", "number", units="months"),
    Column("crossings", "Crossings of the centre line", "integer"),
    Column("crossing_limit", "Fewer crossings are a signal", "number"),
    Column("signal", "shift, crossings, both, none or too_short"),
]


def run(job: Job) -> None:
    """Write measures/run_charts.csv and measures/run_chart_signals.csv."""
    require_sound_inputs(job)
    spec = job.config["run_charts"]
    names = {
        spec["metric_key"]: "metric",
        spec["month_key"]: "month",
        spec["numerator"]: "numerator",
        spec["denominator"]: "denominator",
    }
    rows = add_identity(read_table(job.inputs["table"]), None, read_table(job.inputs["centers"])).rename(columns=names)
    rows = rows[rows["metric"].isin([metric["id"] for metric in spec["metrics"]])]
    series, signals = read_charts(monthly_series(rows, list(spec.get("by") or [])), spec.get("baseline_months"))
    for table, name, columns, key, description in (
        (series, "series", SERIES, ["metric", "group", "month"], "Monthly metrics summed over centers, with the run chart's median."),
        (signals, "signals", SIGNALS, ["metric", "group"], "Shifts and crossings of each run chart by the Anhoj rules."),
    ):
        table = table[[column.name for column in columns]]
        write_output(job, name, table, key=key, columns=columns, description=description)
