"""The deviance with one parameter held fixed, minimised over all others: what a profile likelihood is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bscstudy.multilevel.covariance import CovarianceLayout, Entry
from bscstudy.multilevel.criterion import profiled_deviance
from bscstudy.multilevel.expansion import Expansion

HALF_PI = np.pi / 2


@dataclass(frozen=True)
class Turned:
    """The covariance parameters with chosen columns of one factor moved to the front.

    Attributes
    ----------
    layout : CovarianceLayout
        Of the reordered columns; its theta belongs to the reordered covariance.
    source : ndarray of int, shape (T,)
        Which entry of the original layout each entry is.
    """

    layout: CovarianceLayout
    source: np.ndarray

    def theta(self, entries: np.ndarray) -> np.ndarray:
        """Return theta of the reordered covariance from the original entries (T,)."""
        return self.layout.theta_from_entries(entries[self.source])

    def entries(self, theta: np.ndarray) -> np.ndarray:
        """Return the original entries (T,) from theta of the reordered covariance."""
        original = np.empty(len(self.source))
        original[self.source] = self.layout.entries_from_theta(theta)
        return original

    def position(self, factor: int, row: int, column: int) -> int:
        """Return which theta stands in this row and column after the reordering."""
        return self.layout.entries.index(Entry(factor, row, column))


def turned_layout(layout: CovarianceLayout, factor: int = 0, front: tuple[int, ...] = ()) -> Turned:
    """Move the columns ``front`` of a factor to the front; without ``front`` the layout stays as it is."""
    size = layout.sizes[factor] if layout.sizes else 0
    order = [*front, *(c for c in range(size) if c not in front)]
    where = {(e.factor, e.row, e.column): r for r, e in enumerate(layout.entries)}
    entries, source = [], []
    for number, k in enumerate(layout.sizes):
        names = order if number == factor else list(range(k))
        for column in range(k):
            for row in range(column, k):
                old = where.get((number, max(names[row], names[column]), min(names[row], names[column])))
                if old is not None:
                    entries.append(Entry(number, row, column))
                    source.append(old)
    return Turned(CovarianceLayout(layout.sizes, tuple(entries), layout.blocks), np.array(source, dtype=int))


@dataclass(frozen=True)
class Surface:
    """Value, gradient and Hessian of the deviance in (theta, log sigma), fixed effects at their best.

    Attributes
    ----------
    value : float
    gradient : ndarray, shape (T + 1,)
    hessian : ndarray, shape (T + 1, T + 1)
    coefficient_slope : float
        Derivative in the fixed effect that is held, 0 where none is.
    """

    value: float
    gradient: np.ndarray
    hessian: np.ndarray
    coefficient_slope: float = 0.0


def surface(fit: object, turned: Turned, place: np.ndarray, *, reml: bool, held: tuple[int, float] | None = None) -> Surface:
    """Return the deviance at ``place`` = (theta of the reordered covariance, log sigma), shape (T + 1,).

    Parameters
    ----------
    fit : LinearFit
        For its engine, number of rows, layout and centre.
    held : (column, value), optional
        A fixed effect held at a value; the others are at their best given it.

    Notes
    -----
    d = log|V| + nu log(2 pi sigma^2) + r^2 / sigma^2 [+ log|X'V^-1 X|], without the weights' constant.
    Source: Bates, Maechler, Bolker & Walker (2015), JSS 67(1), equations 31 and 39.
    """
    theta, spread = place[:-1], np.exp(-2 * place[-1])
    whole = fit.prepared.expand(turned.entries(theta))
    held = None if held is None else (held[0], held[1] - fit.centre[held[0]])
    expansion = whole if held is None else _offset_column(whole, *held)
    part = profiled_deviance(expansion, fit.design.n, reml=reml)
    r2, r2_gradient, r2_hessian = part.residual
    value = part.value - part.nu * (1 + np.log(2 * np.pi * r2 / part.nu))
    value += part.nu * (np.log(2 * np.pi) + 2 * place[-1]) + spread * r2
    gradient = expansion.log_determinant_gradient + part.fixed[0] + spread * r2_gradient
    hessian = expansion.log_determinant_hessian + part.fixed[1] + spread * r2_hessian
    source = turned.source
    inner = turned.layout.to_theta(theta, gradient[source], hessian[np.ix_(source, source)])
    mixed = -2 * spread * turned.layout.jacobian(theta).T @ r2_gradient[source]
    last = np.array([2 * part.nu - 2 * spread * r2])
    full = np.block([[inner[1], mixed[:, None]], [mixed[None, :], np.array([[4 * spread * r2]])]])
    slope = 0.0 if held is None else _coefficient_slope(whole, part.beta, held, spread)
    return Surface(float(value), np.concatenate([inner[0], last]), full, slope)


def _offset_column(expansion: Expansion, column: int, value: float) -> Expansion:
    """The expansion of [X without the column, y - value * column]."""
    size = expansion.cross.shape[0]
    change = np.delete(np.eye(size), column, axis=1)
    change[column, -1] = -value
    turn = [change.T @ part @ change for part in (expansion.cross, expansion.cross_gradient, expansion.cross_hessian)]
    return Expansion(expansion.log_determinant, expansion.log_determinant_gradient, expansion.log_determinant_hessian, *turn)


def _coefficient_slope(expansion: Expansion, others: np.ndarray, held: tuple[int, float], spread: float) -> float:
    direction = np.append(-np.insert(others, held[0], held[1]), 1.0)
    return float(-2 * spread * expansion.cross[held[0]] @ direction)


@dataclass(frozen=True)
class Parameter:
    """One parameter of a linear mixed model whose profile is asked for.

    Attributes
    ----------
    kind : str
        ``coefficient``, ``sigma``, ``sd`` or ``correlation``.
    turned : Turned
        With the columns concerned in front.
    position : int
        Of the fixed effect (coefficient), or of the theta held (sd: the variance; correlation: the second column's covariance).
    """

    kind: str
    turned: Turned
    position: int = -1

    def free(self, place: np.ndarray) -> np.ndarray:
        """Return the free coordinates of a place (T + 1,)."""
        if self.kind == "coefficient":
            return place.copy()
        if self.kind == "sigma":
            return place[:-1].copy()
        if self.kind == "sd":
            return np.delete(place, self.position)
        below = self.below()
        kept = place.copy()
        kept[self.position] = np.hypot(place[self.position], place[below])
        return np.delete(kept, below)

    def below(self) -> int:
        """Return which theta stands on the diagonal in the row of the one held."""
        entry = self.turned.layout.entries[self.position]
        return self.turned.position(entry.factor, entry.row, entry.row)

    def where(self, value: float, free: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the place (T + 1,), its derivative in the free coordinates (T + 1, m) and in the value held (T + 1,)."""
        if self.kind == "coefficient":
            return free.copy(), np.eye(len(free)), np.zeros(len(free))
        if self.kind == "sigma":
            slope = np.eye(len(free) + 1)[:, :-1]
            return np.append(free, np.log(value)), slope, np.eye(len(free) + 1)[-1] / value
        if self.kind == "sd":
            scale = np.exp(-free[-1])
            slope = np.delete(np.eye(len(free) + 1), self.position, axis=1)
            slope[self.position, -1] = -value * scale
            return np.insert(free, self.position, value * scale), slope, np.eye(len(free) + 1)[self.position] * scale
        below, length = self.below(), free[self.position]
        place = np.insert(free, below, length * np.cos(value))
        place[self.position] = length * np.sin(value)
        slope = np.delete(np.eye(len(place)), below, axis=1)
        slope[self.position, self.position], slope[below, self.position] = np.sin(value), np.cos(value)
        moved = np.zeros(len(place))
        moved[self.position], moved[below] = length * np.cos(value), -length * np.sin(value)
        return place, slope, moved


@dataclass(frozen=True)
class ProfilePoint:
    """The smallest deviance at one value of the parameter, its slope there, and the free coordinates that reach it."""

    value: float
    deviance: float
    slope: float
    free: np.ndarray


def free_hessian(parameter: Parameter, part: Surface, slope: np.ndarray) -> np.ndarray:
    """Return the Hessian in the free coordinates (m, m), from the surface and the derivative of the place (T + 1, m)."""
    hessian = slope.T @ part.hessian @ slope
    if parameter.kind == "sd":
        # theta = value exp(-log sigma), so its second derivative in log sigma is theta: minus the first
        hessian[-1, -1] -= part.gradient[parameter.position] * slope[parameter.position, -1]
    return hessian


def profile_point(fit: object, parameter: Parameter, value: float, start: np.ndarray, *, reml: bool) -> ProfilePoint:
    """Return the smallest deviance with the parameter held at ``value`` (a correlation as its arc sine).

    Parameters
    ----------
    start : ndarray, shape (m,)
        Free coordinates to start from.
    """
    held = (parameter.position, value) if parameter.kind == "coefficient" else None

    def objective(free: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        place, slope, _ = parameter.where(value, free)
        part = surface(fit, parameter.turned, place, reml=reml, held=held)
        return part.value, slope.T @ part.gradient, free_hessian(parameter, part, slope)

    free, deviance = minimise(objective, start)
    place, _, moved = parameter.where(value, free)
    part = surface(fit, parameter.turned, place, reml=reml, held=held)
    slope = part.coefficient_slope if held else float(part.gradient @ moved)
    return ProfilePoint(value, deviance, slope, free)


def minimise(objective: Callable, start: np.ndarray, *, limit: int = 200, tolerance: float = 1e-11) -> tuple[np.ndarray, float]:
    """Minimise by Newton steps with the absolute curvature, leaving a saddle along its steepest descent.

    Parameters
    ----------
    objective : callable
        Returns value, gradient (m,) and Hessian (m, m).
    tolerance : float
        Stops when a step promises less than this.

    Returns
    -------
    (ndarray, float)
        The place and the value there.
    """
    place = start.copy()
    value, gradient, hessian = objective(place)
    for _ in range(limit):
        curvature, vectors = np.linalg.eigh(hessian)
        floor = 1e-8 * max(np.abs(curvature).max(initial=0.0), 1.0)
        along = vectors.T @ gradient
        step = -vectors @ (along / np.maximum(np.abs(curvature), floor))
        promise = -gradient @ step
        if promise < tolerance:
            if not len(place) or curvature[0] > -1e-6 * max(np.abs(curvature).max(), 1.0):
                break
            step = 0.05 * vectors[:, 0]
            promise = -curvature[0] * 0.05**2
        for _halving in range(40):
            trial = objective(place + step)
            if np.isfinite(trial[0]) and trial[0] <= value - 1e-4 * promise:
                break
            step, promise = step / 2, promise / 2
        else:
            break
        place = place + step
        value, gradient, hessian = trial
    return place, float(value)
