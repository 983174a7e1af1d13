"""The tables of all model results: estimates, fits, and what stands beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pandas as pd

from bscstudy.models.verdict import ESTIMATED, STATES
from bscstudy.tables import Column

NUMBER, INTEGER = "number", "integer"
KINDS = {"fixed": "coefficient", "contrast": "declared contrast"}
POINTS = "points of the score, or of the link"
MODEL, KIND = Column("model", "Model"), Column("kind", "Kind", levels=KINDS)
TERM, LABEL = Column("term", "Term or contrast"), Column("label", "In words")
ESTIMATE, ERROR = Column("estimate", "Estimate", NUMBER, units=POINTS), Column("std_error", "Standard error", NUMBER, units=POINTS)
DF = Column("df", "Degrees of freedom; blank: none, or the normal distribution", NUMBER)
LOW = Column("low", "95% interval, lower bound", NUMBER, units=POINTS)
HIGH = Column("high", "95% interval, upper bound", NUMBER, units=POINTS)
P_VALUE = Column("p_value", "p", NUMBER)
CELL_N = Column("cell_n", "People (rows, where a row is no person's) of the smallest group it compares; blank: compares none", INTEGER)
CELL_CENTERS = Column("cell_centers", "Centers of the smallest group it compares", INTEGER)


@dataclass(frozen=True)
class ModelTable:
    """One table of all models: its columns, its key, what it holds, and its rows from one result."""

    columns: tuple[Column, ...]
    key: tuple[str, ...]
    description: str
    rows: Callable[[dict], Iterable[dict]]


def gathered(name: str, results: list[dict]) -> pd.DataFrame:
    """Return one of `TABLES` from the results of all models."""
    table = TABLES[name]
    rows = [{**row, "model": result["model"]} for result in results for row in table.rows(result)]
    frame = pd.DataFrame(rows).reindex(columns=[c.name for c in table.columns])
    return _adjusted(frame, results) if name == "estimates" else frame


def _adjusted(frame: pd.DataFrame, results: list[dict]) -> pd.DataFrame:
    """Fill p_adjusted within each family of hypotheses, by the method its models declare."""
    from bscstudy.multilevel.multiplicity import adjust

    methods = {result["hypotheses"]: result["adjust"] for result in results}
    frame["p_adjusted"] = float("nan")
    for name, members in frame[frame["hypotheses"].notna()].groupby("hypotheses", sort=True):
        frame.loc[members.index, "p_adjusted"] = adjust(members["p_value"].astype(float).tolist(), methods[name])
    return frame


def _shown(part: str) -> Callable[[dict], list[dict]]:
    """Rows of a part of the result, of models whose verdict lets numbers be shown."""
    return lambda result: result[part] if result["verdict"]["state"] in ESTIMATED else []


def _estimates(result: dict) -> list[dict]:
    if result["verdict"]["state"] not in ESTIMATED:
        return []
    return [
        {**row, "kind": kind, "hypotheses": result["hypotheses"] if row["in_family"] else None}
        for kind, found in (("fixed", result["fixed_effects"]), ("contrast", result["contrasts"]))
        for row in found
    ]


def _fit(result: dict) -> list[dict]:
    second = result["second_engine"] or {}
    compared = ("log_likelihood_difference", "estimate_difference_in_se", "std_error_ratio_difference")
    return [
        {
            **{c.name: result.get(c.name) for c in FITS},
            **{name: second.get(name) for name in compared},
            "n_centers": result["groups"].get("center_id"),
            "n_persons": result["groups"].get("person_id"),
            "n_excluded": sum(result["n_excluded"].values()),
            "state": result["verdict"]["state"],
            "reasons": "; ".join(result["verdict"]["reasons"]),
            "left_out": int(result["left_out"]),
            "r2_marginal": (result["r2"] or {}).get("marginal"),
            "r2_conditional": (result["r2"] or {}).get("conditional"),
            "second_engine": second.get("engine"),
            "second_engine_agrees": None if not second else int(second["agrees"]),
            "harmonised": "; ".join(result["harmonised"]),
            "notes": "; ".join(result["notes"]),
        }
    ]


def _diagnostics(result: dict) -> list[dict]:
    found = result["diagnostics"] if result["verdict"]["state"] in ESTIMATED else None
    if not found:
        return []
    quantiles = [{"kind": "quantile", "place": r["place"], "x": r["normal"], "y": r["residual"], "n": r["n"]} for r in found["quantiles"]]
    fitted = [
        {"kind": "fitted", **{c: r[c] for c in ("place", "spread", "n")}, "x": r["fitted"], "y": r["residual"]} for r in found["fitted"]
    ]
    return quantiles + fitted


ESTIMATES = (
    MODEL, KIND, TERM, LABEL, ESTIMATE, ERROR, DF,
    Column("statistic", "t, or z without degrees of freedom", NUMBER),
    P_VALUE,
    Column("p_adjusted", "p, adjusted within the family of hypotheses", NUMBER),
    LOW, HIGH,
    Column("standardized", "Estimate over the baseline standard deviation", NUMBER, units="standard deviations"),
    Column("level", "Outermost level at which the term varies"),
    Column("hypotheses", "Family of hypotheses"),
    CELL_N, CELL_CENTERS,
)  # fmt: skip
FITS = (
    MODEL,
    Column("label", "Label"),
    Column("question", "Question of the study"),
    Column("outcome", "Outcome"),
    Column("construct", "Construct"),
    Column("unit", "What a row is"),
    Column("distribution", "Distribution of the outcome"),
    Column("link", "Link"),
    Column("estimator", "Estimator"),
    Column("df_method", "How degrees of freedom are found"),
    Column("adjust", "How p is adjusted within the family of hypotheses"),
    Column("n", "Rows of data", INTEGER),
    Column("n_centers", "Centers", INTEGER),
    Column("n_persons", "Persons", INTEGER),
    Column("n_excluded", "Rows left out because something is missing", INTEGER),
    Column("state", "Verdict", levels={s: s for s in STATES}),
    Column("reasons", "Reasons of the verdict"),
    Column("left_out", "1: optional, and left out because a column does not exist", INTEGER),
    Column("log_likelihood", "Log-likelihood", NUMBER),
    Column("sigma2", "Residual variance", NUMBER),
    Column("icc_center", "Share of variance between centers", NUMBER),
    Column("r2_marginal", "Share of variance explained by the fixed part", NUMBER),
    Column("r2_conditional", "Share of variance explained by fixed part and groups", NUMBER),
    Column("smallest_p", "Smallest p an exact sign-flip test over the outermost groups could give", NUMBER),
    Column("outcome_sd_baseline", "Standard deviation of the score in the first wave of the model", NUMBER),
    Column("second_engine", "Second engine"),
    Column("second_engine_agrees", "1: it agrees", INTEGER),
    Column("log_likelihood_difference", "Log-likelihood: difference between the engines", NUMBER),
    Column("estimate_difference_in_se", "Estimates: largest difference, in standard errors", NUMBER),
    Column("std_error_ratio_difference", "Standard errors: largest relative difference", NUMBER),
    Column("harmonised", "What the map between versions did to its scales"),
    Column("notes", "Notes"),
)  # fmt: skip
TABLES = {
    "estimates": ModelTable(
        ESTIMATES, ("model", "kind", "term"), "Coefficients and contrasts of the models whose verdict is ok or boundary.", _estimates
    ),
    "fits": ModelTable(FITS, ("model",), "One row for each declared model: what it rests on and whether it may be shown.", _fit),
    "ladder": ModelTable(
        (MODEL, KIND, TERM, LABEL, Column("rung", "Method, by name"), Column("method", "What was done"), ESTIMATE, ERROR, DF,
         Column("statistic", "Statistic of the method", NUMBER), P_VALUE, LOW, HIGH,
         Column("smallest_p", "Smallest p the method could give; blank where p is not counted", NUMBER),
         Column("n_clusters", "Groups the method rests on", INTEGER), Column("note", "Why it does not apply, or what must be said"),
         CELL_N, CELL_CENTERS),
        ("model", "kind", "term", "rung"), "Each question answered by several methods side by side.", _shown("ladder"),
    ),
    "variance_components": ModelTable(
        (MODEL, Column("group", "Groups"), Column("term", "Random effect"), Column("term2", "Second effect, of a covariance"),
         Column("variance", "Variance or covariance", NUMBER), Column("sd", "Standard deviation", NUMBER, units=POINTS),
         Column("correlation", "Correlation", NUMBER)),
        ("model", "group", "term", "term2"), "Variances and covariances of the random effects.", _shown("variance_components"),
    ),
    "variance_partition": ModelTable(
        (MODEL, Column("level", "Level"), Column("n_groups", "Groups, or rows", INTEGER), Column("share", "Share of the variance", NUMBER),
         Column("low", "95% interval, lower bound", NUMBER), Column("high", "95% interval, upper bound", NUMBER)),
        ("model", "level"), "Where the variance lies that the fixed part leaves.", _shown("variance_partition"),
    ),
    "marginal_means": ModelTable(
        (MODEL, Column("means", "Factors"), Column("cell", "Their levels"), LABEL, Column("scale", "Scale of the mean"), ESTIMATE,
         ERROR, DF, LOW, HIGH, Column("n", "Rows of data in the cell", INTEGER),
         Column("n_people", "People in the cell; rows, where a row is no person's", INTEGER),
         Column("n_centers", "Centers in the cell", INTEGER)),
        ("model", "means", "cell"), "Estimated means; factors that are not named count equally, numbers stand at their mean.",
        _shown("marginal_means"),
    ),
    "center_modes": ModelTable(
        (MODEL, Column("center_id", "Center"), TERM, LABEL, Column("mode", "Conditional mode", NUMBER, units=POINTS), LOW, HIGH),
        ("model", "center_id", "term"), "How each center departs from the mean, drawn towards it; restricted, as centers identify people.",
        _shown("center_modes"),
    ),
    "influence": ModelTable(
        (MODEL, KIND, TERM, LABEL, Column("left_out", "Center left out"), ESTIMATE, LOW, HIGH,
         Column("full_estimate", "Estimate with all centers", NUMBER, units=POINTS),
         Column("state", "Verdict without the center", levels={s: s for s in STATES}), CELL_N, CELL_CENTERS),
        ("model", "kind", "term", "left_out"), "Each question again without one center; restricted.", _shown("influence"),
    ),
    "diagnostics": ModelTable(
        (MODEL, Column("kind", "Kind", levels={"quantile": "residuals and normal quantiles", "fitted": "residuals by fitted value"}),
         Column("place", "Place", INTEGER), Column("x", "Normal quantile, or mean fitted value", NUMBER),
         Column("y", "Mean standardized residual", NUMBER), Column("spread", "Standard deviation of the residuals", NUMBER),
         Column("n", "Rows behind the value", INTEGER)),
        ("model", "kind", "place"), "Residuals, each value a mean over at least ten rows.", _diagnostics,
    ),
}  # fmt: skip
