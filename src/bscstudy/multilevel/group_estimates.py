"""What each independent group says by itself: the group's own estimate of a contrast, for exact tests over groups."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bscstudy.multilevel.design import Design

#: share of a unit-length contrast that may lie outside a group's own columns; rounding leaves about 1e-14
_ESTIMABLE = 1e-8
_CONSTANT = 1e-9


@dataclass(frozen=True)
class GroupEstimates:
    """One number for each group.

    Attributes
    ----------
    values : ndarray, shape (G,)
        In units of the response.
    against : ndarray, shape (G,), or None
        What the numbers are to be compared with: the property of the groups that the contrast is about. None: with zero.
    n_left_out : int
        Groups whose own rows cannot answer.
    words : str
        What the numbers are.
    """

    values: np.ndarray
    against: np.ndarray | None
    n_left_out: int
    words: str


def independent_groups(design: Design) -> np.ndarray:
    """Return the group of each row (n,), 0 to G - 1: rows of different groups share no level of any grouping factor.

    With nested factors these are the levels of the outermost one; crossed factors join what they cross. Without factors each row is
    a group. Groups are numbered by their first row.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    if not design.factors:
        return np.arange(design.n)
    offsets = np.cumsum([0, *(f.n_levels for f in design.factors)])
    first = design.factors[0].codes
    pairs = [(first, offsets[i + 1] + f.codes) for i, f in enumerate(design.factors[1:])]
    ends = [np.concatenate([pair[side] for pair in pairs]) if pairs else np.zeros(0, int) for side in (0, 1)]
    graph = coo_matrix((np.ones(len(ends[0])), tuple(ends)), shape=(offsets[-1],) * 2)
    labels = connected_components(graph, directed=False)[1][first]
    _, place, codes = np.unique(labels, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(place))[codes.reshape(-1)]


def group_estimates(design: Design, codes: np.ndarray, contrast: np.ndarray) -> GroupEstimates | str:
    """Return the estimates of a contrast (p,) from each group's own rows by (weighted) least squares, or why there are none.

    A contrast that the groups cannot answer one by one, because it is about a property z that each group has once, becomes a relation
    over groups: of the groups' means (adjusted by the regression within groups) with z, or, for a product of z with a column that
    varies within groups, of the groups' own coefficients of that column with z. Both need that no other property of groups takes
    part in the same way.

    Parameters
    ----------
    codes : ndarray, shape (n,)
        Independent groups, see ``independent_groups``.

    Notes
    -----
    Checked against: least squares group by group and differences of group means by hand, test_multilevel_ladder.
    """
    data, root = design.scaled()
    size = np.linalg.norm(data[:, :-1], axis=0)
    rows = np.split(np.argsort(codes, kind="stable"), np.cumsum(np.bincount(codes))[:-1])
    own = [_own_estimate(data[r, :-1] / size, data[r, -1], contrast / size) for r in rows]
    known = np.array([v is not None for v in own])
    if known.sum() > 1:
        return GroupEstimates(np.array([v for v in own if v is not None]), None, int((~known).sum()), "each group's own least squares")
    used = np.flatnonzero(np.abs(contrast) > 1e-12)
    if len(used) != 1:
        return "the contrast joins several fixed effects that a group by itself cannot estimate"
    return _related(design, rows, int(used[0]), data / np.append(size, 1.0), size, root)


def _own_estimate(fixed: np.ndarray, response: np.ndarray, contrast: np.ndarray) -> float | None:
    left, values, right = np.linalg.svd(fixed, full_matrices=False)
    kept = values > 1e-10 * max(values.max(initial=0.0), 1e-300)
    inside = right[kept] @ contrast
    if np.linalg.norm(contrast - right[kept].T @ inside) > _ESTIMABLE * np.linalg.norm(contrast):
        return None
    return float(inside @ ((left[:, kept].T @ response) / values[kept]))


def _related(design: Design, rows: list, column: int, scaled: np.ndarray, size: np.ndarray, root: np.ndarray) -> GroupEstimates | str:
    """Estimates of the groups beside the property z of groups that makes the column z times another one."""
    partners = _partners(design.fixed, rows)
    if column not in partners:
        return "no group can estimate the contrast from its own rows, and it is no comparison between groups either"
    partner, values = partners[column]
    rivals = [j for j, (k, _) in partners.items() if k == partner and j != column]
    if partner is None and any(k is not None for k, _ in partners.values()):
        return "groups are compared at one level of what their property interacts with; a mean of the group does not answer that"
    if rivals:
        return f"other properties of groups stand in the model ({', '.join(design.fixed_names[j] for j in rivals)})"
    if partner is None:
        return GroupEstimates(_adjusted_means(design, rows, root), values, 0, "group means, adjusted by the regression within groups")
    own = []
    for r, z in zip(rows, values, strict=True):
        weights = np.zeros(design.p)
        weights[[partner, column]] = 1.0, 0.0 if np.isnan(z) else z
        own.append(None if np.isnan(z) else _own_estimate(scaled[r, :-1], scaled[r, -1], weights / size))
    known = np.array([v is not None for v in own])
    if known.sum() < 2:
        return "fewer than two groups can estimate the contrast from their own rows"
    found = np.array([v for v in own if v is not None])
    return GroupEstimates(found, values[known], int((~known).sum()), f"each group's own coefficient of {design.fixed_names[partner]}")


def _partners(fixed: np.ndarray, rows: list) -> dict[int, tuple[int | None, np.ndarray]]:
    """Columns that are a property of groups (partner None) or its product with a column that varies within groups."""
    codes = np.empty(len(fixed), int)
    for number, r in enumerate(rows):
        codes[r] = number
    constant = {j for j in range(fixed.shape[1]) if _by_group(fixed[:, j], codes, len(rows)) is not None}
    found = {}
    for j in range(fixed.shape[1]):
        if j in constant:
            if np.ptp(fixed[:, j]) > 0:
                found[j] = (None, _by_group(fixed[:, j], codes, len(rows)))
            continue
        for k in range(fixed.shape[1]):
            values = None if k in (j, *constant) else _quotient(fixed[:, j], fixed[:, k], codes, len(rows))
            if values is not None:
                found[j] = (k, values)
                break
    return found


def _quotient(column: np.ndarray, other: np.ndarray, codes: np.ndarray, count: int) -> np.ndarray | None:
    """Return z with column = z[group] * other where there is one that differs between groups; missing for groups without a value."""
    zero = other == 0
    if np.any(column[zero] != 0):
        return None
    quotient = np.where(zero, np.nan, column / np.where(zero, 1.0, other))
    values = _by_group(quotient, codes, count)
    return None if values is None or not np.nanmax(values) - np.nanmin(values) > _CONSTANT * np.nanmax(np.abs(values)) else values


def _by_group(column: np.ndarray, codes: np.ndarray, count: int) -> np.ndarray | None:
    """Return the value of each group (missing where all are), or None where a column varies within one."""
    low, high = np.full(count, np.inf), np.full(count, -np.inf)
    known = ~np.isnan(column)
    np.minimum.at(low, codes[known], column[known])
    np.maximum.at(high, codes[known], column[known])
    spread = np.where(np.isfinite(low), high - low, 0.0)
    reach = np.max(np.abs(column[known]), initial=0.0)
    if np.any(spread > _CONSTANT * reach):
        return None
    return np.where(np.isfinite(low), (low + high) / 2, np.nan)


def _adjusted_means(design: Design, rows: list, root: np.ndarray) -> np.ndarray:
    """Weighted mean of each group after taking off the regression on what varies within groups."""
    weights, response = root**2, design.response - design.offset
    inner, score = np.empty_like(design.fixed), np.empty(design.n)
    for r in rows:
        inner[r] = design.fixed[r] - np.average(design.fixed[r], axis=0, weights=weights[r])
        score[r] = response[r] - np.average(response[r], weights=weights[r])
    slopes = np.linalg.lstsq(inner * root[:, None], score * root, rcond=1e-10)[0]
    varying = np.ptp(inner, axis=0) > _CONSTANT * np.max(np.abs(design.fixed), axis=0)
    rest = response - (design.fixed * varying) @ (slopes * varying)
    centre = float(np.mean((design.fixed * varying) @ (slopes * varying)))
    return np.array([np.average(rest[r], weights=weights[r]) + centre for r in rows])
