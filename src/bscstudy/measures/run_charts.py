"""Run charts: shifts and crossings of one series by the Anhoj rules."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

#: fewest points off the median that the rules are read for
FEWEST_USEFUL = 10


@dataclass(frozen=True)
class RunSignals:
    """What the two rules say of one series; limits are NaN without useful points."""

    n_useful: int
    longest_run: int
    run_limit: float
    crossings: int
    crossing_limit: float
    signal: str


def run_signals(values: np.ndarray, centre: float | np.ndarray, fewest_useful: int = 0) -> RunSignals:
    """Apply the Anhoj rules to a series.

    Parameters
    ----------
    values : ndarray
        In the order of time; NaN are passed over.
    centre : float or ndarray
        The centre line (the median of a run chart), one number or one for each point; NaN where there is none to judge by.
    fewest_useful : int
        With fewer points off the centre line the signal is ``too_short``.

    Returns
    -------
    RunSignals
        Points exactly on the centre line are not useful; without a centre line the signal is ``no_baseline``. ``shift``: the longest
        run on one side is longer than round(log2 n) + 3; ``crossings``: the line is crossed less often than the 5 % point of a
        binomial(n - 1, 1/2).

    Notes
    -----
    Source: Anhoj and Olesen (2014), Anhoj (2015).
    Checked against R qicharts2 0.8.1, 15 series: tests/unit/test_measures_run_charts.py.
    """
    from scipy.special import bdtr

    if np.isnan(centre).all():
        return RunSignals(0, 0, math.nan, 0, math.nan, "no_baseline")
    above = (side := np.sign(values - centre))[np.isfinite(side) & (side != 0)] > 0
    n = len(above)
    if n == 0:
        return RunSignals(0, 0, math.nan, 0, math.nan, "too_short")
    changes = np.flatnonzero(np.diff(above)) + 1
    longest = int(np.diff(np.concatenate([[0], changes, [n]])).max())
    run_limit = round(math.log2(n)) + 3
    crossing_limit = int(np.searchsorted(bdtr(np.arange(n), n - 1, 0.5), 0.05))
    shift, few = longest > run_limit, len(changes) < crossing_limit
    signal = "both" if shift and few else "shift" if shift else "crossings" if few else "none"
    return RunSignals(n, longest, run_limit, len(changes), crossing_limit, "too_short" if n < fewest_useful else signal)
