"""Plain sentences built from the numbers, part by part.

They say "change", never what caused it: the design cannot tell a change through the collaborative from one that would
have come anyway.
"""

from __future__ import annotations

from bscstudy import numbers
from bscstudy.exhibits.labels import lower_first
from bscstudy.models.verdict import CLEAR

UNIT_WORDS = {
    "person": ("person", "people"),
    "visit": ("visit", "visits"),
    "center": ("center", "centers"),
    "session": ("session", "sessions"),
}
NO_COMPARISON = (
    "There was no comparison group. A change between waves may come from the collaborative, from turnover of staff, from the passage "
    "of time or from unusual first answers; this study cannot tell these apart."
)
SELF_SELECTED = "The centers were not drawn at random, so the numbers describe these centers and those much like them."


def direction(value: float) -> str:
    """Return ``rose`` or ``fell``, or ``stayed the same`` for exactly zero."""
    return "rose" if value > 0 else "fell" if value < 0 else "stayed the same"


def is_clear(low: float, high: float, p_adjusted: float | None) -> bool:
    """Return True if the interval leaves out zero and the p value, adjusted where it is, is under .05."""
    if numbers.is_missing(low) or numbers.is_missing(high):
        return False
    leaves_out_zero = float(low) > 0 or float(high) < 0
    return leaves_out_zero and (numbers.is_missing(p_adjusted) or float(p_adjusted) < CLEAR)


def amount(value: float, standardized: float | None = None, *, share: bool = False, measure: str = "points") -> str:
    """Return ``by 0.42 points (0.51 SD)``; the change of a share in percentage points, of other models in the units of `measure`."""
    text = (
        f"by {numbers.estimate(100 * abs(float(value)), 1)} percentage points"
        if share
        else f"by {numbers.estimate(abs(float(value)))} {measure}"
    )
    if not numbers.is_missing(standardized):
        text += f" ({numbers.estimate(abs(float(standardized)))} SD)"
    return text


def interval_part(low: float, high: float, *, share: bool = False) -> str:
    """Return ``95% interval 0.12 to 0.45``; of a share in percentage points."""
    return f"95% interval {numbers.interval(100 * low, 100 * high, 1) if share else numbers.interval(low, high)}"


def sample_part(unit: str, n: int | None, n_persons: int | None, n_centers: int | None) -> str:
    """Return who the number rests on: ``301 people in 23 centers``."""
    one, many = UNIT_WORDS.get(unit, (unit, f"{unit}s"))
    centers = "" if numbers.is_missing(n_centers) else f" in {numbers.plural(n_centers, 'center')}"
    if unit == "person" and not numbers.is_missing(n_persons) and float(n_persons) > 0:
        return f"{numbers.plural(n_persons, one, many)}{centers}"
    if unit == "center":
        return numbers.plural(n if numbers.is_missing(n_centers) else n_centers, one, many)
    return f"{numbers.plural(n, one, many)}{centers}" if not numbers.is_missing(n) else centers.strip()


def better_part(value: float, better: str) -> str:
    """Return ``, for the better`` or ``, for the worse`` where the measure has a better end."""
    if better not in ("higher", "lower") or value == 0:
        return ""
    return ", for the better" if (value > 0) == (better == "higher") else ", for the worse"


def evidence(row: dict, unit: str, *, share: bool = False) -> str:
    """Return interval, p and sample of an estimate in brackets."""
    adjusted = row.get("p_adjusted")
    p = numbers.p_value(row.get("p_value") if numbers.is_missing(adjusted) else adjusted, prefix=True)
    p = "" if p == numbers.MISSING else f"adjusted {p}" if not numbers.is_missing(adjusted) else p
    known = not numbers.is_missing(row.get("low")) and not numbers.is_missing(row.get("high"))
    bounds = interval_part(row["low"], row["high"], share=share) if known else ""
    parts = [bounds, p, sample_part(unit, row.get("n"), row.get("n_persons"), row.get("n_centers"))]
    return f"({'; '.join(part for part in parts if part)})"


def change_sentence(row: dict, outcome: str, contrast: str, unit: str, better: str = "none", *, share: bool = False) -> str:
    """Return what happened to one outcome between two waves.

    Parameters
    ----------
    row : dict
        estimate, low, high, p_value, p_adjusted, standardized, n, n_persons, n_centers, and `measure` where it is not in points.
    outcome, contrast : str
        Labels of the outcome and of the comparison.
    unit : str
        person, visit or center.
    better : str
        Which end of the outcome is wanted: higher, lower or none.
    share : bool
        True where the outcome is a share between 0 and 1; it is then said in percentage points.
    """
    value, rest, measure = float(row["estimate"]), evidence(row, unit, share=share), _measure(row)
    size = amount(value, row.get("standardized"), share=share, measure=measure)
    moved = f"{outcome}, {contrast}: the average {direction(value)} {size}"
    if is_clear(row.get("low"), row.get("high"), row.get("p_adjusted")):
        return f"{moved}{better_part(value, better)} {rest}."
    if _leaves_out_zero(row):
        return f"{moved} {rest}, which is not clear once the number of comparisons is taken into account."
    size = (
        f"{numbers.estimate(100 * value, 1, signed=True)} percentage points"
        if share
        else f"{numbers.estimate(value, signed=True)} {measure}"
    )
    return f"{outcome}, {contrast}: no clear change; the estimate is {size} {rest}."


def difference_sentence(row: dict, outcome: str, contrast: str, unit: str, *, share: bool = False) -> str:
    """Return how much more one group changed than another; arguments as for `change_sentence`."""
    value, rest, measure = float(row["estimate"]), evidence(row, unit, share=share), _measure(row)
    size = (
        f"{numbers.estimate(100 * value, 1, signed=True)} percentage points"
        if share
        else f"{numbers.estimate(value, signed=True)} {measure}"
    )
    if is_clear(row.get("low"), row.get("high"), row.get("p_adjusted")):
        return f"{outcome}, {contrast}: the changes differ by {size} {rest}."
    return f"{outcome}, {contrast}: no clear difference between the changes; the estimate is {size} {rest}."


def overview_sentence(contrast: str, n_clear: int, n_all: int) -> str:
    """Return how many outcomes changed clearly in one comparison."""
    who = "the one outcome" if n_all == 1 else f"{numbers.count(n_clear)} of {numbers.count(n_all)} outcomes"
    if n_all == 1:
        return f"{contrast}: {who} {'changed clearly' if n_clear else 'did not change clearly'}."
    return f"{contrast}: {who} changed clearly."


def association_sentence(row: dict, outcome: str, term: str, unit: str) -> str:
    """Return how one term goes with an outcome; never how one works on the other.

    A term such as ``Change from A to B × Attendance`` is read as: where attendance is higher, the change is larger.
    """
    value, rest = float(row["estimate"]), evidence(row, unit)
    clear = is_clear(row.get("low"), row.get("high"), row.get("p_adjusted"))
    parts = term.split(" × ")
    changes = [part for part in parts if part.startswith("Change from ")]
    size = f"{numbers.estimate(value, signed=True)} {_measure(row)} {rest}"
    if len(parts) == 2 and len(changes) == 1:
        other = next(part for part in parts if part not in changes)
        goal = f"{lower_first(changes[0])} in {outcome}"
        if clear:
            return f"Higher {lower_first(other)} goes with a {'higher' if value > 0 else 'lower'} {goal}: {size}."
        return f"{other}: no clear link with the {goal}: {size}."
    if clear:
        return f"{term} goes with {'higher' if value > 0 else 'lower'} {outcome}: {size}."
    return f"{term}: no clear link with {outcome}: {size}."


def not_estimated_sentence(outcome: str, reasons: str, estimated: bool = False) -> str:
    """Return that nothing can be said and why; of a model that was estimated, that nothing is shown."""
    reason = str(reasons).strip().rstrip(".") if not numbers.is_missing(reasons) else ""
    if estimated:
        return f"{outcome}: nothing is shown{f', because {reason}' if reason else ''}."
    return f"{outcome}: nothing can be said, because the model was not estimated{f' ({reason})' if reason else ''}."


def response_sentence(instrument: str, wave: str, expected: int | str | None, received: int | str | None) -> str:
    """Return how many of those asked answered; counts may be masked (text), and then no share is given."""
    if numbers.is_missing(received):
        return f"{instrument}, {wave}: nothing is known of what was received."
    if isinstance(expected, str) or (isinstance(received, str) and not numbers.is_missing(expected)):
        return f"{instrument}, {wave}: {numbers.count(received)} received of {numbers.count(expected)} expected."
    if numbers.is_missing(expected) or float(expected) == 0:
        return f"{instrument}, {wave}: {numbers.count(received)} received; the number asked is not known."
    if received > expected:
        return f"{instrument}, {wave}: {numbers.count(received)} received, more than the {numbers.count(expected)} expected."
    share = numbers.percent(received / expected)
    return f"{instrument}, {wave}: {numbers.count(received)} of {numbers.count(expected)} expected forms were received ({share})."


def _measure(row: dict) -> str:
    return numbers.text(row.get("measure")) or "points"


def _leaves_out_zero(row: dict) -> bool:
    return is_clear(row.get("low"), row.get("high"), None)
