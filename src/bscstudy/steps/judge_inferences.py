"""The meta-inferences judged: which are proposals, signed or stale, and every value they rest on, when signed and now."""

from __future__ import annotations

import pandas as pd

from bscstudy.exhibits.base import Context
from bscstudy.exhibits.published_values import published_values, reference_label
from bscstudy.exhibits.theme_words import few_raised, few_raised_words
from bscstudy.integrate.columns import INFERENCE_VALUES, INFERENCES
from bscstudy.integrate.meta_inferences import Judgement, judge, references_of
from bscstudy.io.comparability import incomparable
from bscstudy.steps.job_tables import paths_of, write_output
from bscstudy.tables import read_table
from bscstudy.workflow import Job

TABLES = {
    "estimates": "models/estimates",
    "fits": "models/fits",
    "observation": "measures/observation",
    "fidelity": "measures/fidelity",
    "run_charts": "measures/run_charts",
    "signals": "measures/run_chart_signals",
    "themes": "qual/theme_summary",
}


def run(job: Job) -> None:
    """Write integrate/meta_inferences.csv and integrate/meta_inference_values.csv."""
    tables = {table: read_table(path) for name, table in TABLES.items() for path in paths_of(job, name)}
    if "measures/observation" in tables:
        scores = tables["measures/observation"]
        tables["measures/observation"] = scores[~scores["score"].isin(incomparable(scores["score"], job.config))]
    joint = read_table(job.inputs["joint"]).set_index("construct").to_dict("index")
    constructs = {construct["id"]: construct for construct in job.config["theory_of_change"]["constructs"]}
    context = Context("meta_inferences", config=job.config)
    rows, values = [], []
    for inference in job.config["meta_inferences"]:
        references = references_of(inference)
        now = {text: published_values(ref, constructs[inference["construct"]], tables, context) for text, ref in references.items()}
        judgement = judge(inference, now)
        rows.append(_row(inference, joint[inference["construct"]], judgement) | _proposal(joint[inference["construct"]], context))
        labels = {text: reference_label(ref, context) for text, ref in references.items()}
        values += _value_rows(inference["id"], judgement, labels)
    _write(job, pd.DataFrame(rows), pd.DataFrame(values))


def _proposal(row: dict, context: Context) -> dict:
    """Return what the declared rule proposes for the construct; withheld where it would tell the direction of few sessions."""
    if few_raised(row, context.min_cell) and row["fit_proposed"] != "silent":
        return {"fit_proposed": "withheld", "rule": few_raised_words(context.min_cell)}
    return {"fit_proposed": row["fit_proposed"], "rule": row["rule"]}


def _row(inference: dict, joint: dict, judgement: Judgement) -> dict:
    said = {name: inference.get(name) for name in ("fit", "statement", "strategy", "author", "date", "rests_on")}
    counts = {"n_values": len(judgement.values), "n_changed": len(judgement.changed)}
    own = {"inference": inference["id"], "construct": inference["construct"], "label": joint["label"], "place": joint["place"]}
    return own | {"state": judgement.state} | said | {"rests_on_now": judgement.digest} | counts


def _value_rows(name: str, judgement: Judgement, labels: dict[str, str]) -> list[dict]:
    changed = set(judgement.changed)
    place = {text: n for n, text in enumerate(labels, start=1)}
    return [
        {
            "inference": name,
            "reference": value.reference,
            "value": value.value,
            "label": labels.get(value.reference, value.reference),
            "place": place.get(value.reference),
            "order": order,
            "then": value.then,
            "now": value.now,
            "changed": int(value in changed),
        }
        for order, value in enumerate(judgement.values, start=1)
    ]


def _write(job: Job, rows: pd.DataFrame, values: pd.DataFrame) -> None:
    described = "Meta-inferences with what the declared rule proposes and the state of their signatures."
    write_output(job, "inferences", rows, key=["inference"], columns=INFERENCES, description=described)
    described = "The published values each meta-inference rests on: when it was signed, and now."
    write_output(job, "values", values, key=["inference", "reference", "value"], columns=INFERENCE_VALUES, description=described)
