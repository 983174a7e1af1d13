"""The tables of all model results: one row for each estimate, one for each model."""

from __future__ import annotations

import pandas as pd

from bscstudy.models.contrasts import holm
from bscstudy.models.verdict import ESTIMATED, STATES
from bscstudy.tables import Column

ESTIMATE_COLUMNS = [
    Column("model", "Model"),
    Column("kind", "Kind", levels={"fixed": "coefficient", "contrast": "declared contrast"}),
    Column("term", "Term or contrast"),
    Column("label", "In words"),
    Column("estimate", "Estimate", "number", units="points of the score"),
    Column("std_error", "Standard error", "number", units="points of the score"),
    Column("df", "Degrees of freedom", "number"),
    Column("statistic", "t", "number"),
    Column("p_value", "p", "number"),
    Column("p_adjusted", "p, adjusted within the family (Holm)", "number"),
    Column("low", "95% interval, lower bound", "number", units="points of the score"),
    Column("high", "95% interval, upper bound", "number", units="points of the score"),
    Column("standardized", "Estimate over the baseline standard deviation", "number", units="standard deviations"),
    Column("level", "Level the degrees of freedom are of"),
    Column("family", "Family of tests"),
]
FIT_COLUMNS = [
    Column("model", "Model"),
    Column("label", "Label"),
    Column("question", "Question of the study"),
    Column("outcome", "Outcome"),
    Column("construct", "Construct"),
    Column("unit", "What a row is"),
    Column("estimator", "Estimator"),
    Column("df_method", "How degrees of freedom are found"),
    Column("n", "Rows of data", "integer"),
    Column("n_centers", "Centers", "integer"),
    Column("n_persons", "Persons", "integer"),
    Column("n_excluded", "Rows left out because something is missing", "integer"),
    Column("state", "Verdict", levels={s: s for s in STATES}),
    Column("reasons", "Reasons of the verdict"),
    Column("log_likelihood", "Log-likelihood", "number"),
    Column("sigma2", "Residual variance", "number"),
    Column("icc_center", "Share of variance between centers", "number"),
    Column("smallest_p", "Smallest p an exact sign-flip test over the outermost groups could give", "number"),
    Column("outcome_sd_baseline", "Standard deviation of the score in the first wave of the model", "number"),
    Column("notes", "Notes"),
]


def estimate_rows(results: list[dict]) -> pd.DataFrame:
    """Return ``models/estimates``; only models with verdict ok or boundary have rows."""
    rows = [
        {**row, "model": result["model"], "kind": kind, "family": result["family"] if row["in_family"] else None}
        for result in results
        if result["verdict"]["state"] in ESTIMATED
        for kind, found in (("fixed", result["fixed_effects"]), ("contrast", result["contrasts"]))
        for row in found
    ]
    frame = pd.DataFrame(rows).reindex(columns=[c.name for c in ESTIMATE_COLUMNS])
    frame["p_adjusted"] = float("nan")
    for _, members in frame[frame["family"].notna()].groupby("family", sort=True):
        frame.loc[members.index, "p_adjusted"] = holm(members["p_value"].astype(float).tolist())
    return frame


def fit_rows(results: list[dict]) -> pd.DataFrame:
    """Return ``models/fits``."""
    rows = [
        {
            **{c.name: result.get(c.name) for c in FIT_COLUMNS},
            "n_centers": result["groups"].get("center_id"),
            "n_persons": result["groups"].get("person_id"),
            "n_excluded": sum(result["n_excluded"].values()),
            "state": result["verdict"]["state"],
            "reasons": "; ".join(result["verdict"]["reasons"]),
            "notes": "; ".join(result["notes"]),
        }
        for result in results
    ]
    return pd.DataFrame(rows).reindex(columns=[c.name for c in FIT_COLUMNS])
