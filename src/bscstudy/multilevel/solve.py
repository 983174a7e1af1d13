"""Products with V^-1 and the conditional modes of the random effects, block by block."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bscstudy.multilevel.blocks import PreparedBlocks


@dataclass(frozen=True)
class ConditionalModes:
    """Conditional modes (BLUPs) of one factor.

    Attributes
    ----------
    modes : ndarray, shape (J, k)
        In units of the response.
    covariance : ndarray, shape (J, k, k)
        Conditional covariance given the data and the estimated parameters, fixed effects taken as known (lme4's condVar).
    """

    factor: str
    labels: tuple[str, ...]
    effect_names: tuple[str, ...]
    modes: np.ndarray
    covariance: np.ndarray


def inverse_times(prepared: PreparedBlocks, entries: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return V^-1 R for V = I + Z G Z' in rows scaled by root weight.

    Parameters
    ----------
    right : ndarray, shape (n, m)
        Rows in the design's order, already multiplied by root weight.

    Returns
    -------
    ndarray, shape (n, m)
    """
    totals = prepared.random.T @ right
    for block in prepared.blocks:
        covariance = prepared.relative_covariance(block, entries)
        inner = np.eye(len(covariance)) + block.products @ covariance
        totals[block.positions] = covariance @ np.linalg.solve(inner, totals[block.positions])
    return right - prepared.random @ totals


def conditional_modes(prepared: PreparedBlocks, entries: np.ndarray, beta: np.ndarray, sigma: float) -> tuple[ConditionalModes, ...]:
    """Return b = G Z'V^-1 (y - X beta) and sigma^2 (G - G Z'V^-1 Z G) for each factor.

    Notes
    -----
    Source: Bates et al. (2015), equation 22 and section 4.4.
    Checked against: lme4 1.1-31 ranef(condVar = TRUE), test_multilevel_solve.
    """
    design = prepared.design
    residual = prepared.data @ np.append(-beta, 1.0)
    totals = prepared.random.T @ residual
    offsets = np.cumsum([0, *(f.n_levels * f.n_effects for f in design.factors)])
    modes = np.zeros(offsets[-1])
    spread = [np.zeros((f.n_levels, f.n_effects, f.n_effects)) for f in design.factors]
    for block in prepared.blocks:
        covariance = prepared.relative_covariance(block, entries)
        inner = np.eye(len(covariance)) + block.products @ covariance
        shrunk = covariance @ np.linalg.inv(inner)
        modes[block.positions] = shrunk @ totals[block.positions]
        for factor, start in block.factor_levels:
            k = design.factors[factor].n_effects
            level = (block.positions[start] - offsets[factor]) // k
            spread[factor][level] = sigma**2 * shrunk[start : start + k, start : start + k]
    parts = []
    for i, factor in enumerate(design.factors):
        own = modes[offsets[i] : offsets[i + 1]].reshape(factor.n_levels, factor.n_effects)
        parts.append(ConditionalModes(factor.name, factor.labels, factor.effect_names, own, spread[i]))
    return tuple(parts)
