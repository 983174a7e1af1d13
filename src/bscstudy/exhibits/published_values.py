"""The values of a result as the exhibits publish them, for statements that refer to it: rounded and withheld alike."""

from __future__ import annotations

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits import model_cells
from bscstudy.exhibits.base import Context
from bscstudy.exhibits.labels import outcome_label, words
from bscstudy.exhibits.model_words import measure_words
from bscstudy.exhibits.run_chart_panels import is_share
from bscstudy.exhibits.run_charts import SIGNALS
from bscstudy.exhibits.theme_words import few_raised, raised_of_asked
from bscstudy.integrate.strands import contrast_waves, fidelity_mean, observation_change
from bscstudy.models.verdict import ESTIMATED
from bscstudy.privacy import is_small

WITHHELD = "withheld"


def published_values(reference: dict, construct: dict, tables: dict[str, pd.DataFrame], context: Context) -> dict[str, str] | None:
    """Return the published values of one result or theme.

    Parameters
    ----------
    reference : dict
        `{model, contrast}`, `{model, term}`, `{fidelity}`, `{observation}`, `{run_chart, group}` or `{theme}`.
    construct : dict
        The construct the statement is about; an observation score is compared over the waves of its survey contrast.
    tables : dict
        Derived table -> its rows: models/estimates, models/fits, measures/fidelity, measures/observation, measures/run_charts,
        measures/run_chart_signals, qual/theme_summary; those that the study has.
    context : Context
        Sections of the configuration; `privacy` decides what is withheld.

    Returns
    -------
    dict or None
        Name of the value -> text as published; None where the derived tables have no such result.
    """
    form = next(name for name in _FORMS if name in reference)
    return _FORMS[form](reference, construct, tables, context)


def reference_label(reference: dict, context: Context) -> str:
    """Return the name of a result or theme for a reader."""
    if "model" in reference:
        model = context.config["models"][reference["model"]]
        contrasts = {contrast["id"]: contrast["label"] for contrast in model.get("contrasts") or []}
        return f"{model['label']}, {contrasts.get(reference.get('contrast'), reference.get('term'))}"
    if "fidelity" in reference:
        return f"{context.labels('fidelity').get(reference['fidelity'], words(reference['fidelity']))}, mean of centers"
    if "observation" in reference:
        return f"{outcome_label(reference['observation'], context)}, mean change of centers"
    if "run_chart" in reference:
        metrics = {m["id"]: m["label"] for m in (context.config["run_charts"] or {}).get("metrics", [])}
        group = reference.get("group", "all")
        return metrics[reference["run_chart"]] + ("" if group == "all" else f", {context.labels('collaboratives').get(group, group)}")
    return context.labels("themes", "theme")[reference["theme"]]


def _model(reference: dict, construct: dict, tables: dict, context: Context) -> dict[str, str] | None:
    fits, estimates = tables["models/fits"], tables["models/estimates"]
    fit = fits[fits["model"] == reference["model"]]
    if fit.empty:
        return None
    if fit["state"].iloc[0] not in ESTIMATED:
        return {"estimate": f"not estimated ({fit['state'].iloc[0]})"}
    own = estimates[estimates["model"] == reference["model"]]
    kind = "contrast" if "contrast" in reference else "fixed"
    own = own[(own["kind"] == kind) & (own["term"] == reference.get("contrast", reference.get("term")))]
    if own.empty:
        return None
    if model_cells.withheld(own, context).any():
        return {"estimate": WITHHELD}
    row = own.iloc[0]
    measure = measure_words(fit["link"].iloc[0])
    adjusted = not numbers.is_missing(row.get("p_adjusted"))
    return {
        "estimate": numbers.estimate(row["estimate"], signed=True) + ("" if measure == "points" else f" {measure}"),
        "95% interval": numbers.interval(row["low"], row["high"]),
        "p adjusted" if adjusted else "p": numbers.p_value(row["p_adjusted"] if adjusted else row["p_value"]),
    }


def _fidelity(reference: dict, construct: dict, tables: dict, context: Context) -> dict[str, str] | None:
    index = reference["fidelity"]
    rows = tables.get("measures/fidelity")
    found = {"fidelity": float("nan")} if rows is None else fidelity_mean(rows, {"fidelity": [index]})
    if numbers.is_missing(found["fidelity"]):
        return None
    valued = rows[(rows["index"] == index) & rows["value"].notna()]
    people = valued.loc[valued["level"] == "person", "unit_id"].nunique()
    few = is_small(people, context.min_cell) or model_cells.few_centers(found["fidelity_n_centers"], context)
    return {"mean": WITHHELD if few else numbers.measure(found["fidelity"])}


def _observation(reference: dict, construct: dict, tables: dict, context: Context) -> dict[str, str] | None:
    score, rows = reference["observation"], tables.get("measures/observation")
    if rows is None:
        return None
    waves = [wave["id"] for wave in sorted(context.rows("waves"), key=lambda wave: wave["order"])]
    found = observation_change(rows, {"observation": [score]}, waves, contrast_waves(context.config["models"], construct))
    if numbers.is_missing(found["observation_change"]):
        return None
    if model_cells.few_centers(found["observation_n_centers"], context):
        return {"change": WITHHELD}
    return {
        "waves": found["observation_waves"],
        "change": numbers.estimate(found["observation_change"], signed=True),
        "95% interval": numbers.interval(found["observation_low"], found["observation_high"]),
    }


def _run_chart(reference: dict, construct: dict, tables: dict, context: Context) -> dict[str, str] | None:
    signals, series = tables.get("measures/run_chart_signals"), tables.get("measures/run_charts")
    if signals is None:
        return None
    metric = reference["run_chart"]
    own = signals[(signals["metric"] == metric) & (signals["group"] == reference.get("group", "all"))].sort_values("phase")
    share = is_share(series[series["metric"] == metric])
    values: dict[str, str] = {}
    for row in own.to_dict("records"):
        phase = f"phase {row['phase']}, " if len(own) > 1 else ""
        centre = numbers.percent(row["centre"]) if share else numbers.measure(row["centre"])
        values |= {f"{phase}centre line": centre, f"{phase}signal": SIGNALS.get(row["signal"], str(row["signal"]))}
        values |= {f"{phase}months beyond limits": numbers.count(row["n_outside"])} if row["limits"] == "drawn" else {}
    return values or None


def _theme(reference: dict, construct: dict, tables: dict, context: Context) -> dict[str, str] | None:
    summary = tables["qual/theme_summary"]
    whole = summary[summary[["wave", "role"]].eq("all").all(axis=1) & summary["unit"].eq("session")]
    own = whole[whole["theme"] == reference["theme"]]
    if own.empty:
        return None
    row = own.iloc[0].to_dict()
    net = float("nan") if few_raised(row, context.min_cell) else row["net_direction"]
    return {"raised by": raised_of_asked(row, context.min_cell), "direction": numbers.estimate(net, signed=True)}


_FORMS = {
    "model": _model, "fidelity": _fidelity, "observation": _observation, "run_chart": _run_chart, "theme": _theme,
}  # fmt: skip
