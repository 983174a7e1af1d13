"""Whether the items of scales measure the same at all waves, in all roles or collaboratives: factor models step by step."""

from __future__ import annotations

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits import harmonised, masking
from bscstudy.exhibits.base import Context, Exhibit, empty_exhibit, footnote_mark, places_in
from bscstudy.measures.invariance import (
    CFI_FALL,
    FEWEST_ROWS,
    HIGHEST_RMSEA,
    LOWEST_CFI,
    RMSEA_RISE,
    ROWS_PER_PARAMETER,
    TOO_SMALL,
)

TABLES = ("measures/invariance",)
FIGURE = False
SECTIONS = ("factor_models", "items", "sources")
_STEPS = {
    "model": "All together",
    "configural": "same factors",
    "metric": "equal loadings",
    "scalar": "equal loadings and intercepts",
}


def build(tables: dict[str, pd.DataFrame], context: Context) -> Exhibit:
    """Return one row for each factor model and step; option `models` restricts them."""
    data = tables.get("measures/invariance")
    if data is None:
        return empty_exhibit("The study declares no factor model.")
    data = context.chosen(data, models="model")
    if data.empty:
        return empty_exhibit("No factor model was asked for.")
    names = context.labels("factor_models")
    order = [places_in(data["model"], list(names)), data["across"].fillna(""), places_in(data["step"], list(_STEPS))]
    data = data.assign(_model=order[0], _across=order[1], _step=order[2]).sort_values(["_model", "_across", "_step"], kind="stable")
    footnotes: list[str] = []
    return Exhibit(
        table=_shown(data, names, context, footnotes),
        caption="Fit of the factor models, and whether their items measure the same in different groups",
        notes=_notes(data) | harmonised.map_note(_scales(data, context), context),
        sentences=tuple(_sentences(data, names)),
        footnotes=tuple(footnotes),
        group_by="Model",
    )


def _scales(data: pd.DataFrame, context: Context) -> list[str]:
    return [scale for model in context.rows("factor_models") if model["id"] in set(data["model"]) for scale in model["scales"]]


def _step(row: dict) -> str:
    across = numbers.text(row["across"])
    return f"By {across}: {_STEPS[row['step']]}" if across else _STEPS[row["step"]]


def _shown(data: pd.DataFrame, names: dict[str, str], context: Context, footnotes: list[str]) -> pd.DataFrame:
    rows = []
    for row in data.to_dict("records"):
        mark, reason = "", numbers.text(row["reason"])
        if reason:
            if reason not in footnotes:
                footnotes.append(reason)
            mark = f" {footnote_mark(footnotes.index(reason))}"
        rows.append(
            {
                "Model": names.get(row["model"], row["model"]),
                "Step": _step(row),
                "n": numbers.MISSING if numbers.is_missing(row["n"]) else numbers.count(masking.few(row["n"], context.min_cell)),
                "Groups": numbers.count(row["n_groups"]),
                "χ² (df)": numbers.MISSING
                if numbers.is_missing(row["chi2"])
                else f"{numbers.estimate(row['chi2'], 1)} ({numbers.count(row['df'])})",
                "CFI": numbers.estimate(row["cfi"], 3),
                "RMSEA (90%)": numbers.estimate_with_interval(row["rmsea"], row["rmsea_low"], row["rmsea_high"], 3),
                "SRMR": numbers.estimate(row["srmr"], 3),
                "Change of CFI": numbers.estimate(row["cfi_change"], 3, signed=True),
                "Change of RMSEA": numbers.estimate(row["rmsea_change"], 3, signed=True),
                "Decision": f"{row['decision']}{mark}",
            }
        )
    return pd.DataFrame(rows)


def _notes(data: pd.DataFrame) -> dict[str, str]:
    notes = {
        "Estimator": "confirmatory factor models by maximum likelihood, answers taken as continuous; one factor a scale, factors correlate",
        "Degrees of freedom": "of chi-square, against a model that fits exactly",
        "n": "forms with every item answered; all together, and between groups of people, a person counts once, with the first such form",
        "Clusters": "not taken into account: persons of one center answer alike, so chi-square is too large rather than too small",
        "Exclusions": "forms with an item left out",
        "Decision": f"a model fits with CFI at least {LOWEST_CFI:.2f} and RMSEA at most {HIGHEST_RMSEA:.2f}; a step holds if CFI falls by "
        f"at most {CFI_FALL:.3f} and RMSEA rises by at most {RMSEA_RISE:.3f}, and the steps before it hold",
        "Size": f"tested with at least {FEWEST_ROWS} forms in each group and {ROWS_PER_PARAMETER} for each parameter",
    }
    if (data["across"] == "wave").any():
        notes["By wave"] = "people who answered at several waves count at each as if they were different people"
    return notes


def _sentences(data: pd.DataFrame, names: dict[str, str]) -> list[str]:
    said = []
    for (model, across), part in data.groupby(["model", data["across"].fillna("")], sort=False):
        if not across:
            continue
        label, held = names.get(model, model), part.loc[part["decision"] == "holds", "step"]
        if (part["decision"] == TOO_SMALL).all():
            said.append(f"{label}, by {across}: {TOO_SMALL}.")
        elif len(held):
            said.append(f"{label}, by {across}: {_STEPS[held.iloc[-1]]} can be held.")
        else:
            said.append(f"{label}, by {across}: not even the same factors can be held.")
    return said
