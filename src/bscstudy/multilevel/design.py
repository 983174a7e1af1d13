"""The numbers of one model: response, fixed columns, grouping factors, weights, offset, in canonical row order."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class GroupingFactor:
    """One grouping factor with its random columns.

    Attributes
    ----------
    name : str
        Such as ``center`` or ``center:person`` (persons within centers).
    codes : ndarray of int64, shape (n,)
        Level of each row, 0 to ``n_levels`` - 1.
    labels : tuple of str
        The levels in sorted order.
    effect_names : tuple of str
        The k random columns, such as ``(Intercept)`` and ``wave``.
    columns : ndarray of float64, shape (n, k)
        Values of the random columns, not yet multiplied by the weights.
    free : ndarray of bool, shape (k, k)
        Lower triangle: which entries of the relative covariance factor are estimated.
    """

    name: str
    codes: np.ndarray
    labels: tuple[str, ...]
    effect_names: tuple[str, ...]
    columns: np.ndarray
    free: np.ndarray

    @property
    def n_levels(self) -> int:
        """Number of levels."""
        return len(self.labels)

    @property
    def n_effects(self) -> int:
        """Number of random columns, k."""
        return self.columns.shape[1]


@dataclass(frozen=True)
class Design:
    """The numbers of one model; rows sorted by factor codes, fixed columns and response.

    Attributes
    ----------
    response : ndarray, shape (n,)
        Outcome; for counts of indicators the number of successes; for ordinal outcomes the category 0 to K - 1.
    trials : ndarray, shape (n,), or None
        Number of applicable indicators (binomial, beta-binomial).
    fixed : ndarray of float64, shape (n, p), C order
        Fixed-effects columns, full rank.
    fixed_names : tuple of str
        Names of the columns, ``(Intercept)`` for the constant.
    factors : tuple of GroupingFactor
        Most levels first, ties by name; may be empty (ordinary regression).
    weights, offset : ndarray, shape (n,)
        Ones and zeros where not given. Weights are inverse relative variances (positive).
    rows : ndarray of int64, shape (n,)
        Position of each row in the data as given.
    n_missing : dict
        Rows lost to missing values by column (a row counts for each column it lacks) and ``rows`` in all.
    information : object or None
        The formula's own description of the columns, for reference grids and predictions (see ``model_frame``).
    """

    response: np.ndarray
    trials: np.ndarray | None
    fixed: np.ndarray
    fixed_names: tuple[str, ...]
    factors: tuple[GroupingFactor, ...]
    weights: np.ndarray
    offset: np.ndarray
    rows: np.ndarray
    n_missing: dict[str, int] = field(default_factory=dict)
    information: object = None
    response_name: str = "response"

    @property
    def n(self) -> int:
        """Number of rows."""
        return self.fixed.shape[0]

    @property
    def p(self) -> int:
        """Number of fixed-effects columns."""
        return self.fixed.shape[1]

    def scaled(self) -> tuple[np.ndarray, np.ndarray]:
        """Return ``[X y - offset]``, shape (n, p + 1), and the square roots of the weights (n,) it was multiplied by."""
        root = np.sqrt(self.weights)
        return np.column_stack([self.fixed, self.response - self.offset]) * root[:, None], root
