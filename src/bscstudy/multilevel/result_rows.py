"""Predictions, conditional modes, residuals and the partition of variance of a result, in the order of its data."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bscstudy.errors import BscError
from bscstudy.multilevel.argument_checks import check_draws, check_flag, check_level, check_seed, check_table, one_of


def modes_of(result: object) -> tuple:
    """Return the conditional modes of each factor, in the factors' order."""
    fit = result.fit
    if not result.linear:
        return fit.conditional_modes()
    if not fit.design.factors:
        return ()
    from bscstudy.multilevel.solve import conditional_modes

    return conditional_modes(fit.blocks, fit.entries, fit.beta, fit.sigma)


def predictions(result: object, data: pd.DataFrame | None, random_effects: bool) -> pd.DataFrame:
    """Return predictions for the rows of the fit or for new rows, see ``MixedModelResult.predict``."""
    from bscstudy.multilevel.predictions import predict, rows_of

    check_flag(random_effects, "random_effects")
    design = result.fit.design
    if data is None:
        rows = rows_of(design)
    else:
        from bscstudy.multilevel.new_rows import new_rows

        check_table(data)
        rows = new_rows(design, data, random_effects=random_effects)
    found = predict(result.fit, result.family, rows, modes_of(result) if random_effects else None, _extra(result))
    level = _levels(design, found.unknown, len(found.link)) if random_effects else ["population"] * len(found.link)
    columns = {name: getattr(found, name) for name in ("link", "response", "link_std_error", "response_std_error")}
    frame = pd.DataFrame({**columns, "level": level})
    if data is None:
        frame.index = pd.Index(design.rows, name="row")
        return frame.sort_index()
    frame.index = data.index
    return frame


def _levels(design: object, unknown: tuple, count: int) -> list[str]:
    if not unknown:
        return ["population"] * count
    names = [f.name for f in design.factors]
    rows = []
    for i in range(count):
        missing = [name for name, mask in zip(names, unknown, strict=True) if mask[i]]
        rows.append(f"population for {', '.join(missing)}" if missing else "conditional")
    return rows


def residual_series(result: object, kind: str) -> pd.Series:
    """Return residuals in the order of the data, indexed by the position of the row in it."""
    from bscstudy.multilevel.predictions import residuals

    values = residuals(result.fit, result.family, kind, modes_of(result), _extra(result), result.sigma or 1.0)
    return pd.Series(values, index=pd.Index(result.fit.design.rows, name="row"), name=f"{kind} residual").sort_index()


def _extra(result: object) -> np.ndarray:
    return np.asarray(getattr(result.fit, "extra", ()), dtype=float)


def link_residual(result: object) -> float | None:
    """Return the family's variance on the scale of the link; None for linear models, which have a residual variance."""
    if result.linear:
        return None
    from bscstudy.multilevel.families import link_residual_variance
    from bscstudy.multilevel.variance_partition import row_variances

    fit, design = result.fit, result.fit.design
    mean = None
    if result.family.link == "log":
        link = design.fixed @ fit.beta[: design.p] + design.offset
        mean = float(np.mean(np.exp(link + row_variances(design, fit.layout, fit.entries) / 2)))
    return link_residual_variance(result.family, mean, _extra(result))


def partition(result: object, level: float, interval: str, replicates: int, seed: int | None) -> pd.DataFrame:
    """Return the partition of variance, see ``MixedModelResult.variance_partition``."""
    from bscstudy.multilevel.result_frames import partition_frame
    from bscstudy.multilevel.variance_partition import variance_partition

    check_level(level)
    check_draws(replicates, "replicates")
    check_seed(seed)
    draws, words = None, "delta method on the logit"
    if one_of(interval, ("parametric_bootstrap",)):
        from bscstudy.multilevel.result_methods import seed_refusal

        if seed is None:
            raise seed_refusal()
        draws = result.parametric_bootstrap(replicates=replicates, seed=seed).theta
        words = f"percentiles of {replicates} parametric bootstrap refits, seed {seed}"
    elif not one_of(interval, ("delta",)):
        raise BscError(
            "BSC-LMM-098",
            f"There is no interval '{interval if isinstance(interval, str) else type(interval).__name__}' for shares of variance.",
            "interval",
            "The limits depend on how they are found.",
            "Use delta or parametric_bootstrap.",
        )
    return partition_frame(variance_partition(result.fit, residual=link_residual(result), level=level, draws=draws), words)
