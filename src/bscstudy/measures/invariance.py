"""Do the items of scales measure the same in all waves, roles or collaboratives? Factor models step by step, where n allows."""

from __future__ import annotations

import math

import pandas as pd

from bscstudy.measures.factor_model import FactorModel, fit_factor_model
from bscstudy.measures.factor_moments import STEPS
from bscstudy.measures.pooled import Pooled

#: fewest complete rows of a group (Boomsma 1985), and of all groups together for each parameter (Bentler and Chou 1987)
FEWEST_ROWS, ROWS_PER_PARAMETER = 100, 5
#: most that CFI may fall and RMSEA rise from one step to the next (Cheung and Rensvold 2002; Chen 2007)
CFI_FALL, RMSEA_RISE = 0.010, 0.015
#: a model fits where CFI is at least, and RMSEA at most (Hu and Bentler 1999, in round figures)
LOWEST_CFI, HIGHEST_RMSEA = 0.90, 0.08
FIT = ("chi2", "df", "p_value", "cfi", "tli", "rmsea", "rmsea_low", "rmsea_high", "srmr")
TOO_SMALL = "not tested, n too small"


def factor_rows(pooled: dict[tuple[str, str], Pooled], scales: list[str]) -> tuple[pd.DataFrame, dict[str, list[str]], str]:
    """Return the answers to the items of several scales, one row a form, and which items belong to which scale.

    Parameters
    ----------
    pooled : dict
        (scale, wave) -> the persons scored on it.
    scales : list of str
        Each is one factor.

    Returns
    -------
    tuple
        The rows: one column an item (``scale:item``), and wave, person_id, role, core, collaborative, center_id; the factors; and why the
        rows cannot be compared, blank where they can.
    """
    used = {key: found for key, found in pooled.items() if key[0] in scales}
    waves, factors = sorted({wave for _, wave in used}), {}
    for scale in scales:
        mine = [found for (name, _), found in used.items() if name == scale]
        if len({(found.terms, repr(found.bounds)) for found in mine}) != 1:
            return pd.DataFrame(), {}, f"the items of {scale} or their answers are not the same in all waves" if mine else "no answers"
        factors[scale] = [f"{scale}:{term.item}" for term in mine[0].terms]
    tables = []
    for wave in waves:
        parts = [
            pd.DataFrame(used[scale, wave].keyed, index=used[scale, wave].rows.index, columns=factors[scale])
            for scale in scales
            if (scale, wave) in used
        ]
        rows = pd.concat([used[scale, wave].rows for scale in scales if (scale, wave) in used])
        rows = rows[~rows.index.duplicated()][["person_id", "role", "core", "collaborative", "center_id"]]
        tables.append(rows.assign(wave=wave).join(pd.concat(parts, axis=1)))
    table = pd.concat(tables).rename_axis("row_id").reset_index()
    return table.reindex(columns=[*table.columns, *(i for items in factors.values() for i in items if i not in table)]), factors, ""


def first_forms(rows: pd.DataFrame, factors: dict[str, list[str]], waves: list[str]) -> pd.DataFrame:
    """Return each person's first complete form in the order of the waves; anonymous forms all stay."""
    items = [item for members in factors.values() for item in members]
    complete = rows[rows[items].notna().all(axis=1)]
    order = {wave: place for place, wave in enumerate(waves)}
    complete = complete.assign(_place=complete["wave"].map(order)).sort_values(["_place", "row_id"], kind="stable")
    return complete[complete["person_id"].isna() | ~complete["person_id"].duplicated()].drop(columns="_place")


def model_together(rows: pd.DataFrame, factors: dict[str, list[str]]) -> tuple[dict, FactorModel | None]:
    """Fit the model to all rows together, where there are enough; return its row of the table and the model."""
    n_parameters = _parameters(factors)
    reason = _too_small([("", len(rows))], n_parameters)
    if reason:
        return _row("model", TOO_SMALL, reason, n=len(rows), n_parameters=n_parameters), None
    model = fit_factor_model(rows, factors)
    return _judged("model", model, None, True), model


def invariance_steps(rows: pd.DataFrame, factors: dict[str, list[str]], across: str) -> tuple[list[dict], list[FactorModel]]:
    """Fit the configural, metric and scalar model over the values of a column.

    Parameters
    ----------
    rows : DataFrame
        One row a form.
    factors : dict
        Factor -> items.
    across : str
        Column whose values are the groups; rows without one, and groups with fewer than `FEWEST_ROWS` complete rows, are left out.

    Returns
    -------
    tuple
        Rows of the table and the models fitted. A step ``holds`` where CFI and RMSEA are hardly worse than at the step before
        (configural: where the model fits in itself) and every step before it holds.
    """
    items = [item for members in factors.values() for item in members]
    complete = rows[rows[items].notna().all(axis=1) & rows[across].notna()]
    sizes = complete[across].value_counts().sort_index()
    kept = sizes[sizes >= FEWEST_ROWS]
    left_out = [str(name) for name in sizes.index if name not in kept.index]
    n_parameters = _parameters(factors) * max(len(kept), 1)
    reason = _too_small([(str(name), int(n)) for name, n in kept.items()], n_parameters)
    reason = reason if len(kept) > 1 else f"fewer than two groups with {FEWEST_ROWS} complete forms"
    if reason:
        size = {"n": len(complete), "n_groups": len(kept), "smallest_group": int(sizes.min()) if len(sizes) else 0}
        return [_row(step, TOO_SMALL, reason, n_parameters=n_parameters, **size) for step in STEPS], []
    used, found, models, before, holds = complete[complete[across].isin(kept.index)], [], [], None, True
    for step in STEPS:
        model = fit_factor_model(used, factors, group=across, invariance=step)
        row = _judged(step, model, before, holds)
        row["reason"] = "; ".join(filter(None, [row["reason"], f"left out as too small: {', '.join(left_out)}" if left_out else ""]))
        found, models, before, holds = [*found, row], [*models, model], model, row["decision"] == "holds"
    return found, models


def _parameters(factors: dict[str, list[str]]) -> int:
    """Loadings besides the first of each factor, covariances of factors, unique variances and intercepts of one group."""
    n_items, m = len({item for members in factors.values() for item in members}), len(factors)
    return sum(map(len, factors.values())) - m + m * (m + 1) // 2 + 2 * n_items


def _too_small(groups: list[tuple[str, int]], n_parameters: int) -> str:
    total = sum(n for _, n in groups)
    if any(n < FEWEST_ROWS for _, n in groups):
        return f"fewer than {FEWEST_ROWS} complete forms"
    if total < ROWS_PER_PARAMETER * n_parameters:
        return f"fewer than {ROWS_PER_PARAMETER} complete forms for each of {n_parameters} parameters"
    return ""


def _judged(step: str, model: FactorModel, before: FactorModel | None, holds: bool) -> dict:
    """Return the row of a fitted step, with what changed since the step before and what follows."""
    changes = {} if before is None else _changes(model, before)
    usable = model.state == "ok" and (before is None or before.state == "ok")
    if before is None:
        good = model.cfi >= LOWEST_CFI and model.rmsea <= HIGHEST_RMSEA
    else:
        good = changes["cfi_change"] >= -CFI_FALL and changes["rmsea_change"] <= RMSEA_RISE
    words = ("fits", "does not fit") if step == "model" else ("holds", "does not hold")
    decision, reason = words[0] if good else words[1], model.reason
    if not usable or (good and not holds):
        decision, reason = "not judged", reason or "an earlier step does not hold"
    size = {"n": model.n, "n_groups": len(model.groups), "smallest_group": min(n for _, n in model.groups)}
    return _row(step, decision, reason, n_parameters=model.n_parameters, **size, **{name: getattr(model, name) for name in FIT}, **changes)


def _changes(model: FactorModel, before: FactorModel) -> dict:
    from scipy.stats import chi2

    rise, df = model.chi2 - before.chi2, model.df - before.df
    p = float(chi2.sf(rise, df)) if df > 0 and rise == rise else math.nan
    return {
        "chi2_change": rise,
        "df_change": df,
        "p_change": p,
        "cfi_change": model.cfi - before.cfi,
        "rmsea_change": model.rmsea - before.rmsea,
    }


def _row(step: str, decision: str, reason: str, **values: object) -> dict:
    return {"step": step, "decision": decision, "reason": reason, **values}


def factor_table(
    pooled: dict[tuple[str, str], Pooled], models: list[dict], waves: list[str], refused: dict[str, str] | None = None
) -> tuple[list[dict], list[dict]]:
    """Fit every declared factor model, all together and by its groups.

    Parameters
    ----------
    pooled : dict
        (scale, wave) -> the persons scored on it.
    models : list of dict
        Section ``factor_models``.
    waves : list of str
        In time order.
    refused : dict, optional
        Scale -> why its waves cannot be compared; a model of such a scale is not tested, since its forms are of several waves.

    Returns
    -------
    tuple
        Rows of the tables on invariance and on loadings. All together, and across anything but waves, each person enters once, with the
        first complete form; across waves all forms enter, so persons with several are taken to be several persons.
    """
    rows, loadings = [], []
    for spec in models:
        forms, factors, problem = factor_rows(pooled, spec["scales"])
        apart = [f"waves of {scale} cannot be compared: {why}" for scale, why in (refused or {}).items() if scale in spec["scales"]]
        problem = problem or "; ".join(apart)
        if problem or forms.empty:
            rows.append({"model": spec["id"], "across": "", **_row("model", "not tested", problem or "no answers")})
            continue
        once = first_forms(forms, factors, waves)
        row, model = model_together(once, factors)
        found = [("", [row], [model] if model else [])]
        found += [(across, *invariance_steps(forms if across == "wave" else once, factors, across)) for across in spec.get("across", [])]
        for across, steps, fitted in found:
            rows += [{"model": spec["id"], "across": across, **step} for step in steps]
            loadings += [
                part for step, model in zip(steps, fitted, strict=False) for part in _loading_rows(spec["id"], across, step, model)
            ]
    return rows, loadings


def _loading_rows(name: str, across: str, step: dict, model: FactorModel) -> list[dict]:
    key = {"model": name, "across": across, "step": step["step"]}
    kept = model.loadings if model.state == "ok" else ()
    return [{**key, **row.__dict__, "item": row.item.partition(":")[2]} for row in kept]
