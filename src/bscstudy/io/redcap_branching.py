"""REDCap's branching logic: read into a small tree, and judged as true, false or not known for the values of a record.

Read are comparisons of fields, checkboxes, fields of other events, texts and numbers, joined by and, or and parentheses. What is
beyond that (functions, arithmetic, instances, smart variables) is named, not guessed.
"""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass

from bscstudy.io.raw import number_of

_TOKEN = re.compile(
    r"\s*(?:(?P<bracket>\[[^\[\]]*\])|(?P<text>'[^']*'|\"[^\"]*\")|(?P<number>-?(?:\d+\.?\d*|\.\d+))"
    r"|(?P<compare><>|!=|<=|>=|==|=|<|>)|(?P<join>&&|\|\|)|(?P<word>[A-Za-z_][\w.]*)|(?P<paren>[()])|(?P<other>\S))"
)
_REFERENCE = re.compile(r"(?P<field>[a-z][a-z0-9_]*)(?:\((?P<code>[^()]*)\))?(?::value)?")
_COMMENT = re.compile(r"^\s*(//|#).*$", re.MULTILINE)
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2})?)?")
_JOINS = {"and": "and", "&&": "and", "or": "or", "||": "or"}
_ORDER = {"<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge}
_SAME = {"=": True, "==": True, "<>": False, "!=": False}
EVENT_NAME = "event-name"
DEEPEST = 100


class NotEvaluated(Exception):  # noqa: N818 - a limit of this reader, not a fault of the user
    """A piece of logic that is not evaluated; the message names it without any value."""


@dataclass(frozen=True)
class Reference:
    """A field of the record: of the row's own event where `event` is blank; `code` names a box of a checkbox."""

    field: str
    code: str = ""
    event: str = ""


@dataclass(frozen=True)
class Literal:
    """A text or number of the logic itself."""

    text: str
    quoted: bool


@dataclass(frozen=True)
class Comparison:
    """Two operands and the sign between them."""

    left: Reference | Literal
    sign: str
    right: Reference | Literal


@dataclass(frozen=True)
class Joined:
    """Parts that must all be true (``and``) or of which one must (``or``)."""

    word: str
    parts: tuple[Comparison | Joined, ...]


Logic = Comparison | Joined


def parse_logic(text: str) -> Logic:
    """Return the tree of a branching logic.

    Raises
    ------
    NotEvaluated
        Naming what it uses that is not evaluated: the first function, ``arithmetic``, ``a field without comparison``,
        ``an instance``, a smart variable, or ``unreadable logic``.
    """
    tokens = [(match.lastgroup or "", match[match.lastgroup or 0]) for match in _TOKEN.finditer(_COMMENT.sub("", text))]
    for place, (kind, token) in enumerate(tokens):
        if kind == "word" and token.lower() not in _JOINS:
            called = place + 1 < len(tokens) and tokens[place + 1][1] == "("
            raise NotEvaluated(f"the function {token.lower()}" if called else "unreadable logic")
        if kind == "other":
            raise NotEvaluated("arithmetic" if token in "+-*/^%" else "unreadable logic")
    if sum(token == "(" for _, token in tokens) > DEEPEST:
        raise NotEvaluated("unreadable logic")
    logic, rest = _joined(tokens, "or")
    if rest:
        raise NotEvaluated("arithmetic" if rest[0][0] == "number" else "unreadable logic")
    return logic


def references_of(logic: Logic) -> set[Reference]:
    """Return every field that a logic looks at."""
    if isinstance(logic, Joined):
        return set().union(*(references_of(part) for part in logic.parts))
    return {side for side in (logic.left, logic.right) if isinstance(side, Reference)}


def judge(logic: Logic, values: dict[Reference, str | None], numbers: frozenset[str] = frozenset()) -> bool | None:
    """Return whether a logic is met.

    Parameters
    ----------
    logic : Comparison or Joined
        As `parse_logic` gives it.
    values : dict
        Reference -> the record's value as text, blank where there is none, None where it is not known.
    numbers : frozenset of str
        Fields that take only numbers: a blank one is neither below nor above anything.

    Returns
    -------
    bool or None
        None where it is not known: a value is not known; a blank is compared by size, or with a bare zero, which REDCap's
        own two evaluations do not treat alike; text that is neither number nor date is compared by size.
    """
    if isinstance(logic, Joined):
        found = [judge(part, values, numbers) for part in logic.parts]
        decisive = logic.word == "or"
        return decisive if decisive in found else None if None in found else not decisive
    left, right = (_value(side, values) for side in (logic.left, logic.right))
    if left is None or right is None:
        return None
    if logic.sign in _SAME:
        same = _equal(logic, left, right)
        return None if same is None else same == _SAME[logic.sign]
    return _ordered(logic, left, right, numbers)


def _joined(tokens: list[tuple[str, str]], word: str) -> tuple[Logic, list]:
    below = (lambda rest: _joined(rest, "and")) if word == "or" else _comparison
    part, rest = below(tokens)
    parts = [part]
    while rest and _JOINS.get(rest[0][1].lower()) == word:
        part, rest = below(rest[1:])
        parts.append(part)
    return (parts[0] if len(parts) == 1 else Joined(word, tuple(parts))), rest


def _comparison(tokens: list[tuple[str, str]]) -> tuple[Logic, list]:
    if tokens and tokens[0][1] == "(":
        inner, rest = _joined(tokens[1:], "or")
        if not rest or rest[0][1] != ")":
            raise NotEvaluated("unreadable logic")
        return inner, rest[1:]
    left, rest = _operand(tokens)
    if not rest or rest[0][0] != "compare":
        raise NotEvaluated("arithmetic" if rest and rest[0][0] == "number" else "a field without comparison")
    right, after = _operand(rest[1:])
    return Comparison(left, rest[0][1], right), after


def _operand(tokens: list[tuple[str, str]]) -> tuple[Reference | Literal, list]:
    if not tokens:
        raise NotEvaluated("unreadable logic")
    kind, token = tokens[0]
    if kind == "text":
        return Literal(token[1:-1], quoted=True), tokens[1:]
    if kind == "number":
        return Literal(token, quoted=False), tokens[1:]
    if kind != "bracket":
        raise NotEvaluated("unreadable logic")
    length = next((n for n, (kind, _) in enumerate(tokens) if kind != "bracket"), len(tokens))
    return _reference([token[1:-1].strip() for _, token in tokens[:length]]), tokens[length:]


def _reference(names: list[str]) -> Reference:
    if names == [EVENT_NAME]:
        return Reference(EVENT_NAME)
    smart = next((name for name in names if "-" in name.split("(")[0]), "")
    if smart:
        raise NotEvaluated(f"the smart variable {smart.split(':')[0]}")
    if len(names) > 2 or (len(names) == 2 and names[1].isdigit()):
        raise NotEvaluated("an instance")
    match = _REFERENCE.fullmatch(names[-1])
    if not match:
        raise NotEvaluated("unreadable logic")
    return Reference(match["field"], (match["code"] or "").strip(), names[0] if len(names) == 2 else "")


def _value(side: Reference | Literal, values: dict[Reference, str | None]) -> str | None:
    return side.text.strip() if isinstance(side, Literal) else values[side]


def _equal(logic: Comparison, left: str, right: str) -> bool | None:
    numbers = number_of(left), number_of(right)
    if None not in numbers:
        return numbers[0] == numbers[1]
    bare = [side for side in (logic.left, logic.right) if isinstance(side, Literal) and not side.quoted]
    if "" in (left, right) and any(number_of(side.text) == 0 for side in bare):
        return None
    return left == right


def _ordered(logic: Comparison, left: str, right: str, fields: frozenset[str]) -> bool | None:
    numbers = number_of(left), number_of(right)
    if None not in numbers:
        return _ORDER[logic.sign](*numbers)
    if _ISO.fullmatch(left) and _ISO.fullmatch(right):
        return _ORDER[logic.sign](left.replace("T", " "), right.replace("T", " "))
    blank = [side for side, value in ((logic.left, left), (logic.right, right)) if not value]
    return False if blank and all(isinstance(side, Reference) and side.field in fields for side in blank) else None
