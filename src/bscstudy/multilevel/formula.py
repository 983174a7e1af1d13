"""Model formulas in the grammar of R's lme4: what they say, read once for each text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from bscstudy.errors import BscError

_NAME = r"`[^`]+`|[^\W\d][\w.]*"
_WHOLE_NAME = re.compile(rf"\s*({_NAME})\s*")
_RATIO = re.compile(rf"\s*({_NAME})\s*/\s*({_NAME})\s*")
_DIFFERENCE = re.compile(rf"\s*({_NAME})\s*-\s*({_NAME})\s*")
_OPENING, _CLOSING = "([{", ")]}"


@dataclass(frozen=True)
class RandomTerm:
    """One random part.

    Attributes
    ----------
    effects : str
        The random columns as formulaic reads them, such as ``1 + wave``.
    group : tuple of str
        The columns that together name a level: ``("center", "person")`` for persons within centers.
    correlated : bool
        False for ``||``: every term of ``effects`` is then a block of its own.
    """

    effects: str
    group: tuple[str, ...]
    correlated: bool

    @property
    def name(self) -> str:
        """Name of the grouping factor, such as ``center:person``."""
        return ":".join(self.group)


@dataclass(frozen=True)
class ResponsePart:
    """The left side of a formula.

    Attributes
    ----------
    text : str
        As written.
    column : str or None
        The column, where the left side is a plain name.
    successes : str or None
        Column of the number of successes, where the left side gives counts.
    failures : str or None
        Column of the number of failures, where that is given.
    trials : str or None
        Column of the number of trials, where that is given instead.
    is_ratio : bool
        Whether the left side is ``successes / trials``, which for other families is one number.
    """

    text: str
    column: str | None = None
    successes: str | None = None
    failures: str | None = None
    trials: str | None = None
    is_ratio: bool = False


@dataclass(frozen=True)
class MixedFormula:
    """A parsed formula: ``fixed`` goes to formulaic as it stands, ``random`` in the order written, ``a/b`` expanded."""

    text: str
    response: ResponsePart
    fixed: str
    random: tuple[RandomTerm, ...]


@lru_cache(maxsize=256)
def parse_mixed_formula(text: str) -> MixedFormula:
    """Read a formula.

    Parameters
    ----------
    text : str
        Such as ``y ~ x * z + (1 + x | center/person) + (1 | rater)``. On the left a column, an expression such as ``np.log(y)``,
        or counts: ``cbind(successes, failures)``, ``cbind(successes, trials - successes)`` or ``successes / trials``.
        Names with spaces or signs stand in backticks. ``a/b`` is ``a`` and ``a:b``.

    Returns
    -------
    MixedFormula

    Raises
    ------
    BscError
        BSC-LMM-001 where the formula cannot be read.

    Notes
    -----
    ``(x + z || g)`` gives every term on the left a block of its own, as in lme4: ``(1 | g) + (0 + x | g) + (0 + z | g)``. The columns
    of one categorical variable are one term; they stay correlated with each other, which is also lme4's behaviour.
    Source: Bates, Maechler, Bolker & Walker (2015), Journal of Statistical Software 67(1), table 2.
    """
    text = str(text)
    sides = _split(text, "~", text)
    if len(sides) != 2 or not sides[0][1].strip():
        raise unreadable(text, "It needs one ~ with the outcome on its left.")
    fixed, random = [], []
    for sign, term in _split(sides[1][1], "+-", text):
        bar = _bar(term, text)
        if bar is None:
            fixed.append((sign, _checked_fixed(term, text)))
        elif sign == "-":
            raise unreadable(text, f"A random part cannot be taken away: - {term.strip()}.")
        else:
            random += _random_terms(*bar, text)
    return MixedFormula(text, _response(sides[0][1].strip(), text), _joined(fixed), tuple(random))


def unreadable(text: str, reason: str) -> BscError:
    """Return the error for a formula that cannot be read."""
    return BscError(
        "BSC-LMM-001",
        f"The formula cannot be read. {reason}",
        text or "(empty formula)",
        "A formula read in a way its author did not mean would answer another question.",
        "Write it as in `score ~ wave * arm + (1 + wave | center/person) + (1 | rater)`; put unusual names in backticks.",
    )


def _split(text: str, signs: str, whole: str) -> list[tuple[str, str]]:
    """Split at signs outside of brackets, backticks and quotes: (sign before, part); an empty first part before a sign is left out."""
    parts, sign, start, open_brackets, quote = [], "+", 0, [], ""
    for position, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in "`'\"":
            quote = character
        elif character in _OPENING:
            open_brackets.append(_CLOSING[_OPENING.index(character)])
        elif character in _CLOSING:
            if not open_brackets or open_brackets.pop() != character:
                raise unreadable(whole, f"There is a '{character}' too many.")
        elif character in signs and not open_brackets:
            parts.append((sign, text[start:position]))
            sign, start = character, position + 1
    if quote or open_brackets:
        raise unreadable(whole, f"There is a '{quote or open_brackets[-1]}' missing.")
    parts.append((sign, text[start:]))
    return parts[1:] if len(parts) > 1 and not parts[0][1].strip() and "~" not in signs else parts


def _bar(term: str, whole: str) -> tuple[str, str, bool] | None:
    """Return (effects, group, correlated) of a random part, None for a fixed term."""
    inner = term.strip()
    if not (inner.startswith("(") and inner.endswith(")") and "|" in inner):
        if len(_split(inner, "|", whole)) > 1 or _random_inside(inner):
            raise unreadable(whole, f"A random part stands in brackets of its own, joined by +: '{inner}'.")
        return None
    parts = [part for _, part in _split(inner[1:-1], "|", whole)]
    doubled = len(parts) == 3 and parts[1] == ""
    if len(parts) != 2 and not doubled or not all(parts[i].strip() for i in (0, -1)):
        raise unreadable(whole, f"A random part has one bar (or ||) between columns and a grouping factor: '{inner}'.")
    return parts[0].strip(), parts[-1].strip(), not doubled


def _random_inside(term: str) -> bool:
    """Tell whether a bracket that no function opens holds a bar, as in ``x * (1 | g)``."""
    return re.search(r"(?:^|[^\w.\s`])\s*\([^()]*\|[^()]*\)", term) is not None


def _checked_fixed(term: str, whole: str) -> str:
    if not term.strip():
        raise unreadable(whole, "A term is missing between two signs or at the end.")
    return term.strip()


def _joined(fixed: list[tuple[str, str]]) -> str:
    text = " ".join(f"{sign} {term}" for sign, term in fixed)
    return text.removeprefix("+ ") or "1"


def _random_terms(effects: str, group: str, correlated: bool, whole: str) -> list[RandomTerm]:
    terms, names = [], ()
    for _, step in _split(group, "/", whole):
        inner = step.strip()
        inner = inner[1:-1] if inner.startswith("(") else inner
        found = [_WHOLE_NAME.fullmatch(name) for _, name in _split(inner, ":", whole)]
        if not all(found):
            raise unreadable(whole, f"After the bar stand names joined by / or :, not '{group}'; a + b is written as two random parts.")
        names += tuple(name for name in (plain_name(match[1]) for match in found) if name not in names)
        terms.append(RandomTerm(effects, names, correlated))
    return terms


def plain_name(name: str) -> str:
    """Return a name without its backticks."""
    return name.strip().strip("`")


def _response(left: str, whole: str) -> ResponsePart:
    if _WHOLE_NAME.fullmatch(left):
        return ResponsePart(left, column=plain_name(left))
    ratio = _RATIO.fullmatch(left)
    if ratio:
        return ResponsePart(left, successes=plain_name(ratio[1]), trials=plain_name(ratio[2]), is_ratio=True)
    if not re.match(r"cbind\s*\(", left):
        return ResponsePart(left)
    parts = [part for _, part in _split(left[left.index("(") + 1 : -1], ",", whole)]
    first = _WHOLE_NAME.fullmatch(parts[0])
    second, difference = (pattern.fullmatch(parts[-1]) for pattern in (_WHOLE_NAME, _DIFFERENCE))
    if len(parts) == 2 and first and second:
        return ResponsePart(left, successes=plain_name(first[1]), failures=plain_name(second[1]))
    if len(parts) == 2 and first and difference and plain_name(difference[2]) == plain_name(first[1]):
        return ResponsePart(left, successes=plain_name(first[1]), trials=plain_name(difference[1]))
    raise unreadable(whole, "Counts are written cbind(successes, failures) or cbind(successes, trials - successes).")
