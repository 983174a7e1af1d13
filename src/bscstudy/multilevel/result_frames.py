"""Tables of a result: what the numeric modules return, as DataFrames with plain columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import pandas as pd

from bscstudy.multilevel.hypotheses import ContrastTests

TEST_COLUMNS = ("estimate", "std_error", "df", "statistic", "p_value")


def tests_frame(labels: Sequence[str], tests: ContrastTests, name: str = "term") -> pd.DataFrame:
    """Return one row for each contrast: label, estimate, std_error, df, statistic, p_value; ``attrs['method']`` names the method."""
    frame = pd.DataFrame({name: list(labels), **{column: getattr(tests, column) for column in TEST_COLUMNS}})
    frame.attrs["method"] = tests.method
    return frame


def components_frame(components: Sequence[object]) -> pd.DataFrame:
    """Return group, term, term2, variance (covariance where term2 is named), correlation, sd."""
    return pd.DataFrame([asdict(c) for c in components], columns=["group", "term", "term2", "variance", "correlation", "sd"])


def partition_frame(levels: Sequence[object], method: str) -> pd.DataFrame:
    """Return one row for each level with its variance, share and icc, outermost first; ``attrs['method']`` names the intervals."""
    frame = pd.DataFrame([asdict(row) for row in levels])
    frame.attrs["method"] = method
    return frame


def profile_frame(intervals: Sequence[object], level: float, reml: bool) -> pd.DataFrame:
    """Return one row for each profile-likelihood interval."""
    frame = pd.DataFrame([asdict(row) for row in intervals])
    frame.attrs.update(method=f"profile {'restricted ' if reml else ''}likelihood", level=level)
    return frame


def modes_frame(modes: Sequence[object], factors: Sequence[object]) -> pd.DataFrame:
    """Return one row for each conditional mode: group, level, n (rows of the level), term, mode, std_error (conditional)."""
    parts = []
    for factor, rows in zip(modes, factors, strict=True):
        count = len(factor.effect_names)
        spread = np.sqrt(np.einsum("jkk->jk", factor.covariance))
        columns = {
            "group": factor.factor,
            "level": np.repeat(factor.labels, count),
            "n": np.repeat(np.bincount(rows.codes, minlength=len(factor.labels)), count),
            "term": np.tile(factor.effect_names, len(factor.labels)),
        }
        parts.append(pd.DataFrame({**columns, "mode": factor.modes.ravel(), "std_error": spread.ravel()}))
    empty = pd.DataFrame(columns=["group", "level", "n", "term", "mode", "std_error"])
    frame = pd.concat(parts, ignore_index=True) if parts else empty
    frame.attrs["std_error"] = "conditional on the estimated parameters, fixed effects taken as known"
    return frame


def influence_frames(found: object) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return three tables: groups left out, coefficients without each, and the range of each coefficient."""
    groups = {"group": found.labels, "n_rows": found.n_rows, "state": found.states, "reason": found.reasons}
    groups = pd.DataFrame({**groups, "cooks_distance": found.cooks_distance})
    count, p = found.beta.shape
    columns = {"group": np.repeat(found.labels, p), "term": np.tile(found.names, count), "estimate": found.beta.ravel()}
    columns["change"] = (found.estimate - found.beta).ravel()
    coefficients = pd.DataFrame({**columns, "change_in_std_errors": found.change_in_std_errors.ravel()})
    return groups, coefficients, _range_frame(found)


def _range_frame(found: object) -> pd.DataFrame:
    lowest, highest = found.ranges()
    low_group = high_group = [""] * len(found.names)
    if found.estimated.any():
        low_group = [found.labels[i] for i in np.nanargmin(found.beta, axis=0)]
        high_group = [found.labels[i] for i in np.nanargmax(found.beta, axis=0)]
    columns = {"term": found.names, "estimate": found.estimate, "lowest": lowest, "without_lowest": low_group}
    columns |= {"highest": highest, "without_highest": high_group, "sign_changes": lowest * highest < 0}
    return pd.DataFrame(columns)
