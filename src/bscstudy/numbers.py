"""One formatter for every number a reader sees: tables, figures, sentences and the check of a manuscript's numbers use it.

Missing values become an en dash. A value that cannot be what it claims to be (a share of 1.2, a count
of 3.5) is refused, never rounded away.
"""

from __future__ import annotations

import math

MISSING = "–"
MINUS = "−"


def is_missing(value: object) -> bool:
    """Return True for None, NA and NaN; infinity is not missing."""
    if value is None:
        return True
    try:
        return bool(value != value)
    except TypeError:  # pandas.NA has no truth value
        return True


def text(value: object) -> str:
    """Return a value as text, blank where it is missing."""
    return "" if is_missing(value) else str(value)


def estimate(value: object, digits: int = 2, *, signed: bool = False) -> str:
    """Return a number with fixed digits, a true minus sign, and a plus sign on request; never ``-0.00``."""
    if is_missing(value):
        return MISSING
    number = float(value)
    if math.isinf(number):
        return f"{MINUS}∞" if number < 0 else "∞"
    text = f"{abs(number):,.{digits}f}"
    if float(text.replace(",", "")) == 0:
        return text
    return f"{MINUS}{text}" if number < 0 else f"+{text}" if signed else text


def interval(low: object, high: object, digits: int = 2) -> str:
    """Return ``0.12 to 0.45``; missing if either bound is, refused (ValueError) if low lies above high."""
    if is_missing(low) or is_missing(high):
        return MISSING
    if float(low) > float(high):
        raise ValueError("the lower bound of an interval lies above its upper bound")
    return f"{estimate(low, digits)} to {estimate(high, digits)}"


def estimate_with_interval(value: object, low: object, high: object, digits: int = 2, *, signed: bool = False) -> str:
    """Return ``0.30 (0.12 to 0.45)``, or the estimate alone where there is no interval."""
    if is_missing(value):
        return MISSING
    bounds = interval(low, high, digits)
    return estimate(value, digits, signed=signed) + ("" if bounds == MISSING else f" ({bounds})")


def p_value(value: object, *, prefix: bool = False) -> str:
    """Return ``.032``, ``< .001`` or ``> .999``; with ``prefix`` as in running text, ``p = .032``.

    Raises
    ------
    ValueError
        If the value is outside 0 to 1.
    """
    if is_missing(value):
        return MISSING
    number = float(value)
    if not 0 <= number <= 1:
        raise ValueError("a p value lies between 0 and 1")
    text = "< .001" if number < 0.001 else "> .999" if number > 0.999 else f"{number:.3f}"[1:]
    if prefix:
        return f"p {text}" if text[0] in "<>" else f"p = {text}"
    return text


def percent(share: object, digits: int = 0) -> str:
    """Return a share between 0 and 1 as a percentage; small but not zero is ``<1%``, nearly all is ``>99%``.

    Raises
    ------
    ValueError
        If the share is outside 0 to 1.
    """
    if is_missing(share):
        return MISSING
    number = float(share)
    if not -1e-12 <= number <= 1 + 1e-12:
        raise ValueError("a share lies between 0 and 1")
    smallest = 10.0**-digits
    text = f"{100 * number:.{digits}f}"
    if 0 < number and float(text) == 0:
        return f"<{smallest:.{digits}f}%"
    if number < 1 and float(text) == 100:
        return f">{100 - smallest:.{digits}f}%"
    return f"{abs(float(text)):.{digits}f}%"


def count(value: object) -> str:
    """Return a whole number with thousands separated; text (a masked count such as ``<10``) passes through.

    Raises
    ------
    ValueError
        If the number is not whole or negative.
    """
    if isinstance(value, str):
        return value
    if is_missing(value):
        return MISSING
    number = float(value)
    if not number.is_integer() or number < 0:
        raise ValueError("a count is a whole number of at least 0")
    return f"{int(number):,}"


def count_of(part: object, whole: object) -> str:
    """Return ``12 of 23 (52%)``; without a denominator of at least 1 there is no percentage."""
    if is_missing(part) or is_missing(whole):
        return MISSING
    text = f"{count(part)} of {count(whole)}"
    if isinstance(part, str) or isinstance(whole, str) or float(whole) == 0:
        return text
    return f"{text} ({percent(float(part) / float(whole))})"


def degrees_of_freedom(value: object) -> str:
    """Return whole degrees of freedom without, others with one digit; infinity as its sign."""
    if is_missing(value):
        return MISSING
    number = float(value)
    return estimate(number, 0 if math.isinf(number) or abs(number - round(number)) < 0.05 else 1)


def measure(value: object, significant: int = 3) -> str:
    """Return a number of any size with about three significant digits, thousands separated, no trailing zeros (costs, rates)."""
    if is_missing(value):
        return MISSING
    number = float(value)
    if number == 0 or math.isinf(number):
        return estimate(number, 0)
    text = estimate(number, max(0, significant - 1 - math.floor(math.log10(abs(number)))))
    return text.rstrip("0").rstrip(".") if "." in text else text


def plural(value: int, one: str, many: str = "") -> str:
    """Return ``1 center`` or ``23 centers``."""
    return f"{count(value)} {one if float(value) == 1 else many or one + 's'}"


def listed(words: list[str]) -> str:
    """Return ``a, b and c``."""
    words = [str(word) for word in words]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""
