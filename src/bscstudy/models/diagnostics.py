"""Whether a model's assumptions hold, as means over at least ten rows: no value of a single person leaves this module."""

from __future__ import annotations

import numpy as np

#: rows behind each value
SMALLEST = 10
#: probabilities at which residuals are compared with the normal distribution
GRID = (np.arange(50) + 0.5) / 50
MOST_BINS = 20


def residual_diagnostics(result: object) -> dict:
    """Return {quantiles, fitted, skewness, excess_kurtosis} of the standardized residuals.

    quantiles [{place, normal, residual, n}]: at 50 probabilities the normal quantile and the mean of the ten residuals nearest to it in
    order; missing where fewer than five rows lie beyond. fitted [{place, fitted, residual, spread, n}]: rows in the order of their fitted
    value cut into up to 20 equal parts. Ordinal models have no residuals: empty lists.
    """
    if result.family.is_ordinal:
        return {"quantiles": [], "fitted": [], "skewness": None, "excess_kurtosis": None}
    residuals = result.residuals("standardized" if result.linear else "pearson")
    fitted = result.predict()["response"].reindex(residuals.index).to_numpy(float)
    values = residuals.to_numpy(float)
    order = np.lexsort((values, fitted))  # sums must not depend on the order of the rows
    fitted, values = fitted[order], values[order]
    spread = float(np.std(values))
    scaled = (values - values.mean()) / spread if spread > 0 else np.zeros_like(values)
    enough = len(values) >= SMALLEST and spread > 0
    return {
        "quantiles": quantile_rows(values),
        "fitted": fitted_rows(fitted, values),
        "skewness": float(np.mean(scaled**3)) if enough else None,
        "excess_kurtosis": float(np.mean(scaled**4) - 3) if enough else None,
    }


def quantile_rows(values: np.ndarray) -> list[dict]:
    """Return the residuals (n,) at 50 probabilities beside the normal quantiles."""
    from scipy.special import ndtri

    ordered, n = np.sort(values), len(values)
    rows = []
    for place, probability in enumerate(GRID, start=1):
        start = int(round(probability * n)) - SMALLEST // 2
        inside = start >= 0 and start + SMALLEST <= n
        mean = float(ordered[start : start + SMALLEST].mean()) if inside else np.nan
        rows.append({"place": place, "normal": float(ndtri(probability)), "residual": mean, "n": SMALLEST if inside else 0})
    return rows


def fitted_rows(fitted: np.ndarray, values: np.ndarray) -> list[dict]:
    """Return means of fitted values (n,), in ascending order, and residuals over equal parts of the rows, each of at least ten."""
    bins = min(MOST_BINS, len(values) // SMALLEST)
    if bins < 1:
        return []
    rows = []
    for place, part in enumerate(np.array_split(np.arange(len(values)), bins), start=1):
        spread = float(np.std(values[part], ddof=1))
        means = {"fitted": float(fitted[part].mean()), "residual": float(values[part].mean())}
        rows.append({"place": place, **means, "spread": spread, "n": len(part)})
    return rows
