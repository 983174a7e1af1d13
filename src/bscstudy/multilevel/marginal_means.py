"""Estimated marginal means, their contrasts, and slopes, as linear functions of the fixed effects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from bscstudy.errors import BscError
from bscstudy.multilevel.argument_checks import check_number, one_of
from bscstudy.multilevel.contrasts import contrast_set, interval_limits
from bscstudy.multilevel.multiplicity import adjust
from bscstudy.multilevel.reference_grid import FixedPart, averaged, reference_grid
from bscstudy.multilevel.result_frames import TEST_COLUMNS

SCALES = ("link", "response")
RATIOS = {"log": "ratio", "logit": "odds ratio"}


@dataclass(frozen=True)
class MeansRequest:
    """What means are asked for.

    Attributes
    ----------
    over : tuple of str
        Variables that are shown and compared.
    by : tuple of str
        Variables within whose combinations means are compared.
    at : mapping
        Values held: one or several for each variable named.
    weights : str
        ``equal`` or ``proportional``, see ``reference_grid.averaged``.
    slope_of : str or None
        Numeric variable whose slope is asked for instead of the mean.
    """

    over: tuple[str, ...]
    by: tuple[str, ...] = ()
    at: Mapping[str, object] | None = None
    weights: str = "equal"
    slope_of: str | None = None


def linear_functions(part: FixedPart, request: MeansRequest) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the combinations of ``by`` and ``over`` (r rows) and their linear functions of the fixed effects, shape (r, p).

    Raises
    ------
    BscError
        BSC-LMM-086 or 087 (see ``reference_grid``), BSC-LMM-094 for the slope of a variable that is no number or does not vary.
    """
    grid = reference_grid(part, request.at)
    if request.slope_of is not None:
        grid = replace(grid, columns=_derivatives(part, grid.frame, request.slope_of))
    shown = [*request.by, *(name for name in request.over if name not in request.by)]
    return averaged(grid, shown, request.weights)


def _derivatives(part: FixedPart, frame: pd.DataFrame, name: str) -> np.ndarray:
    """Derivatives of the fixed columns in a variable by differences that are exact for polynomials up to degree 4."""
    reach = 0.0
    if one_of(name, tuple(part.data.columns)) and name not in part.factors:
        reach = float(np.ptp(part.data[name].to_numpy(float)))
    if not reach > 0:
        raise BscError(
            "BSC-LMM-094",
            f"There is no slope of '{name}': it is not a number that varies in the fixed part.",
            "variable",
            "A slope is the change of the outcome per unit of a numeric variable.",
            "Name a numeric variable of the fixed part; compare the levels of a factor with contrasts.",
        )
    step = 1e-3 * reach
    values = frame[name].to_numpy(float)
    offsets, weights = _differences(values, part.data[name].to_numpy(float), step)
    total = np.zeros((len(frame), part.columns(frame).shape[1]))
    for k in range(offsets.shape[1]):
        total += weights[:, k, None] * part.columns(frame.assign(**{name: values + step * offsets[:, k]}))
    return total / (12 * step)


def _differences(values: np.ndarray, data: np.ndarray, step: float) -> tuple[np.ndarray, np.ndarray]:
    """Places in steps and weights, each (m, 5): to both sides, or inwards at the ends of the data (a spline ends there)."""
    one_sided = np.array([0.0, 1, 2, 3, 4]), np.array([-25.0, 48, -36, 16, -3])
    offsets, weights = np.tile([-2.0, -1, 0, 1, 2], (len(values), 1)), np.tile([1.0, -8, 0, 8, -1], (len(values), 1))
    low, high = data.min(), data.max()
    for rows, sign in (((values >= low) & (values < low + 2 * step), 1.0), ((values <= high) & (values > high - 2 * step), -1.0)):
        offsets[rows], weights[rows] = sign * one_sided[0], sign * one_sided[1]
    return offsets, weights


def means_frame(
    part: FixedPart,
    request: MeansRequest,
    inference: object,
    *,
    family: object,
    scale: str = "link",
    level: float = 0.95,
    offset: float = 0.0,
) -> pd.DataFrame:
    """Return marginal means (or slopes) with intervals.

    Parameters
    ----------
    part : FixedPart
    request : MeansRequest
    inference : object
        With ``tests(contrasts)``.
    family : families.Family
    scale : str
        ``link``, or ``response``: the mean on the link scale is transformed back, its standard error by the delta method, its limits
        as they stand. (It is the outcome of a group whose random effects are 0, not the average over groups.) For ordered categories
        the link scale has its zero where all fixed columns are 0; only differences have a meaning by themselves.
    offset : float
        Added on the link scale; 0 means per unit of exposure.

    Returns
    -------
    DataFrame
        Columns of ``by`` and ``over``, then estimate, std_error, df, lower, upper; ``attrs`` name method, level, scale, weights.

    Raises
    ------
    BscError
        Also BSC-LMM-083 for a level, 095 for an unknown scale, 118 for one that does not exist here, 123 for the offset.

    Notes
    -----
    Source: Searle, Speed & Milliken (1980), The American Statistician 34; Lenth (2016), JSS 69(1).
    Checked against: emmeans 1.8.4-1, test_multilevel_marginal_means.
    """
    check_number(offset, "offset")
    _refuse_scale(family, scale, slope=request.slope_of is not None)
    places, linear = linear_functions(part, request)
    tests = inference.tests(linear)
    limits = interval_limits(tests, level)
    estimate, error = tests.estimate, tests.std_error
    if request.slope_of is None:
        estimate, limits = estimate + offset, limits + offset
    if scale == "response" and family.link != "identity":
        estimate, error, limits = _transformed(family, estimate, error, limits)
    columns = {"estimate": estimate, "std_error": error, "df": tests.df, "lower": limits[:, 0], "upper": limits[:, 1]}
    frame = pd.concat([places, pd.DataFrame(columns)], axis=1)
    rest = [name for name in part.data.columns if name not in places.columns]
    frame.attrs.update(method=tests.method, level=level, scale=scale, weights=request.weights, averaged_over=rest)
    return frame


def _refuse_scale(family: object, scale: str, *, slope: bool) -> None:
    _refuse_unknown_scale(scale)
    if scale == "response" and family.link != "identity" and (slope or family.is_ordinal):
        reason = "slopes are on the scale of the link only" if slope else "ordered categories have no single mean"
        raise _no_response(f"There is no scale of the response here: {reason}.")


def _refuse_unknown_scale(scale: object) -> None:
    if not one_of(scale, SCALES):
        raise BscError(
            "BSC-LMM-095",
            f"There is no scale {repr(scale) if isinstance(scale, str) else f'given by a {type(scale).__name__}'}.",
            "scale",
            "An estimate is read in the units of its scale.",
            f"Use one of {', '.join(SCALES)}.",
        )


def _no_response(what: str) -> BscError:
    return BscError(
        "BSC-LMM-118",
        what,
        "scale",
        "A number on another scale than the one named would be misread.",
        "Use scale='link'; means of binomial and count outcomes have scale='response' too, and contrasts with the links log and logit.",
    )


def _transformed(family: object, eta: np.ndarray, error: np.ndarray, limits: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    from bscstudy.multilevel.families import inverse_link

    return inverse_link(family, eta), error * link_slope(family, eta), inverse_link(family, limits)


def link_slope(family: object, eta: np.ndarray) -> np.ndarray:
    """Return the derivative of the inverse link, the shape of ``eta``."""
    from bscstudy.multilevel.families import inverse_link, inverse_link_complement

    if family.link == "identity":
        return np.ones_like(eta)
    if family.link == "log":
        return inverse_link(family, eta)
    if family.link == "logit":
        return inverse_link(family, eta) * inverse_link_complement(family, eta)
    if family.link == "probit":
        return np.exp(-(eta**2) / 2) / np.sqrt(2 * np.pi)
    return np.exp(eta - np.exp(eta))


def contrasts_frame(
    part: FixedPart,
    request: MeansRequest,
    inference: object,
    *,
    family: object,
    kind: str | Mapping[str, Sequence[float]] = "pairwise",
    adjustment: str = "holm",
    scale: str = "link",
    level: float = 0.95,
    one_family: bool = False,
    with_limits: bool = True,
) -> pd.DataFrame:
    """Return contrasts of marginal means (or slopes) within each combination of ``by``.

    Parameters
    ----------
    kind : str or mapping
        See ``contrasts.contrast_set``.
    adjustment : str
        See ``multiplicity.adjust``. Each combination of ``by`` is one family, or all contrasts together where ``one_family``.
    scale : str
        ``response`` turns differences of logs into ratios and of log odds into odds ratios (standard errors by the delta method).
    with_limits : bool
        Intervals at ``level``, not adjusted for the number of contrasts; False leaves them missing, for methods whose tests have none.

    Returns
    -------
    DataFrame
        Columns of ``by``, then contrast, estimate, std_error, df, statistic, p_value, p_adjusted, lower, upper.

    Raises
    ------
    BscError
        Also BSC-LMM-080 for the adjustment, 083 for a level, 088, 116 and 117 for the kind, 095 and 118 for the scale.

    Notes
    -----
    Checked against: emmeans 1.8.4-1, test_multilevel_marginal_means.
    """
    _refuse_ratio(family, scale, slope=request.slope_of is not None)
    places, linear = linear_functions(part, request)
    rows, weights, families = _within(places, request, kind)
    tests = inference.tests(weights @ linear)
    limits = interval_limits(tests, level)
    if not with_limits:
        limits = np.full_like(limits, np.nan)
    values = {column: getattr(tests, column) for column in TEST_COLUMNS}
    if scale == "response" and family.link != "identity":
        values["estimate"], limits = np.exp(values["estimate"]), np.exp(limits)
        values["std_error"] = values["std_error"] * values["estimate"]
    values["p_adjusted"] = adjust(tests.p_value, adjustment, None if one_family else families)
    frame = pd.concat([rows, pd.DataFrame({**values, "lower": limits[:, 0], "upper": limits[:, 1]})], axis=1)
    what = RATIOS.get(family.link, "difference") if scale == "response" else "difference"
    frame.attrs.update(method=tests.method, level=level, adjustment=adjustment, estimate=what, intervals="not adjusted")
    return frame


def _within(places: pd.DataFrame, request: MeansRequest, kind: object) -> tuple[pd.DataFrame, np.ndarray, list[int]]:
    """The contrasts within each combination of ``by``: their labels, weights over all means, and family."""
    compared = [name for name in request.over if name not in request.by]
    by = list(request.by)
    groups = places.groupby(by, sort=False, observed=True).indices if by else {(): np.arange(len(places))}
    rows, weights, families = [], [], []
    for number, (key, positions) in enumerate(groups.items()):
        labels = [_label([_word(v) for v in places.loc[i, compared]]) for i in positions]
        chosen = contrast_set(labels, kind)
        block = np.zeros((len(chosen.labels), len(places)))
        block[:, positions] = chosen.weights
        values = dict(zip(by, key if isinstance(key, tuple) else (key,), strict=True))
        rows += [{**values, "contrast": label} for label in chosen.labels]
        weights.append(block)
        families += [number] * len(chosen.labels)
    return pd.DataFrame(rows), np.concatenate(weights), families


def _label(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"({', '.join(words)})"


def _word(value: object) -> str:
    return f"{value:g}" if isinstance(value, (float, np.floating)) else str(value)


def _refuse_ratio(family: object, scale: str, *, slope: bool) -> None:
    _refuse_unknown_scale(scale)
    if scale == "response" and family.link != "identity" and family.link not in RATIOS:
        raise _no_response(f"Contrasts have no scale of the response with the link {family.link}.")
