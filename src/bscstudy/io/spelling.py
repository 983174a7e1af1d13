"""One spelling for ids that files write in several ways: case, separators, leading zeros, as `ids` of config.yaml declares."""

from __future__ import annotations

import re

#: spaces, dashes of every kind, underscores, dots, slashes
_SEPARATORS = re.compile("[\\s\\-_./\u2010-\u2015\u2212]+")
_DIGITS = re.compile("[0-9]+")


def spell(text: str, rule: dict) -> str:
    """Return an id in the declared spelling.

    Parameters
    ----------
    text : str
        As the file has it.
    rule : dict
        One entry of `ids`: `case` (lower, upper, keep), `separators` (keep, drop, dash) and `leading_zeros` (keep, drop, or the
        width to which the last run of digits is written), carried out in this order. Outer spaces always go.
    """
    return _steps(text, rule)[-1][1]


def changes_of(text: str, rule: dict) -> list[str]:
    """Return which kinds of change the declared spelling makes in an id: spacing, case, separators, zeros."""
    kinds, before = [], text
    for kind, after in _steps(text, rule):
        kinds += [kind] if after != before else []
        before = after
    return kinds


def _steps(text: str, rule: dict) -> list[tuple[str, str]]:
    plain = text.strip()
    cased = {"lower": plain.lower(), "upper": plain.upper()}.get(rule.get("case", "keep"), plain)
    joint = {"drop": "", "dash": "-"}.get(rule.get("separators", "keep"))
    joined = cased if joint is None else _SEPARATORS.sub(joint, cased)
    return [("spacing", plain), ("case", cased), ("separators", joined), ("zeros", _zeros(joined, rule.get("leading_zeros", "keep")))]


def _zeros(text: str, rule: str | int) -> str:
    if rule == "keep":
        return text
    if rule == "drop":
        return _DIGITS.sub(lambda run: run[0].lstrip("0") or "0", text)
    runs = list(_DIGITS.finditer(text))
    if not runs:
        return text
    last = runs[-1]
    return text[: last.start()] + (last[0].lstrip("0") or "0").zfill(rule) + text[last.end() :]
