"""A model's formula as its file writes it: id columns by their short names, `score` on the left. Nothing heavy is imported here.

Read with the configuration and again by the rule `fit_model`. The grammar is that of `bscstudy.multilevel.formula`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bscstudy.errors import BscError
from bscstudy.multilevel.formula import MixedFormula, parse_mixed_formula

#: short name in a random part -> id column
ID_COLUMNS = {
    "center": "center_id",
    "person": "person_id",
    "classroom": "classroom_id",
    "observation": "observation_id",
    "session": "session_id",
    "rater": "rater_id",
}
_AFTER_BAR = re.compile(r"(\|\s*)([^()|]+)\)")
_NAME = re.compile(r"(?<![\w.])[A-Za-z_][\w.]*")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")


@dataclass(frozen=True)
class ModelFormula:
    """A model's formula.

    Attributes
    ----------
    parsed : MixedFormula
        As the engine reads it, groups by their id columns.
    fixed_names : tuple of str
        Columns of the fixed part.
    slope_names : tuple of str
        Further columns of the random parts.
    groupings : tuple of tuple of str
        For each grouping factor the columns that together name a level, outermost first.
    """

    parsed: MixedFormula
    fixed_names: tuple[str, ...]
    slope_names: tuple[str, ...]
    groupings: tuple[tuple[str, ...], ...]

    @property
    def group_columns(self) -> tuple[str, ...]:
        """Columns that name groups, each once."""
        return tuple(dict.fromkeys(column for path in self.groupings for column in path))


def read_formula(text: str, where: str) -> ModelFormula:
    """Read a model's formula.

    Raises
    ------
    BscError
        BSC-MOD-010 where it cannot be read; BSC-MOD-011 where it leaves out the intercept, without which a coefficient of a factor is no
        longer a difference from its reference.
    """
    try:
        parsed = parse_mixed_formula(_AFTER_BAR.sub(_with_id_columns, str(text)))
    except BscError as fault:
        raise _unreadable(text, where, fault.what.removeprefix("The formula cannot be read. ")) from None
    if parsed.response.column != "score":
        raise _unreadable(text, where, "A formula starts with `score ~`.")
    fixed = names_in(parsed.fixed)
    if "score" in fixed:
        raise _unreadable(text, where, "The score stands on both sides.")
    _check_shape(parsed.fixed, text, where)
    if re.search(r"(^|\+)\s*0\s*($|[+-])|-", re.sub(r"\([^()]*\)", "", parsed.fixed)):
        raise _refused(text, where)
    slopes = dict.fromkeys(name for term in parsed.random for name in names_in(term.effects))
    groupings = dict.fromkeys(term.group for term in parsed.random)
    return ModelFormula(parsed, fixed, tuple(n for n in slopes if n not in fixed), tuple(groupings))


def names_in(part: str) -> tuple[str, ...]:
    """Return the columns a part of a formula names, each once: names that are no function, no keyword and no number."""
    text = _QUOTED.sub("''", part)
    found = [(match.group(), text[match.end() :].lstrip()) for match in _NAME.finditer(text)]
    names = [name for name, rest in found if not rest.startswith("(") and not (rest.startswith("=") and not rest.startswith("=="))]
    return tuple(dict.fromkeys(name for name in names if name not in ("True", "False", "None") and not name.startswith("np.")))


def _check_shape(fixed: str, text: str, where: str) -> None:
    """Refuse what would be read as something else: names side by side, and numbers as terms (which formulaic takes as factors)."""
    bare, before = _QUOTED.sub("q", fixed), ""
    while bare != before:
        before, bare = bare, re.sub(r"[\w.]+\([^()]*\)", "f", bare)
    if re.search(r"[\w)]\s+[\w(]|\)\s*\w", bare) or re.search(r"(^|[+*:(])\s*(?![01]\b)\d", bare):
        raise _unreadable(text, where, "Names are joined by + * : and round brackets, random parts by + only.")


def _with_id_columns(match: re.Match) -> str:
    return match.group(1) + _NAME.sub(lambda name: ID_COLUMNS.get(name.group(), name.group()), match.group(2)) + ")"


def _unreadable(text: str, where: str, what: str) -> BscError:
    return BscError(
        "BSC-MOD-010",
        f"The formula '{text}' cannot be read. {what}",
        where,
        "A formula read in a way its author did not mean would answer another question.",
        "Write it as in `score ~ wave * core + (1 | center/person)`.",
    )


def _refused(text: str, where: str) -> BscError:
    return BscError(
        "BSC-MOD-011",
        f"The formula '{text}' takes away a term or the intercept by '0 +' or '-'.",
        where,
        "Coefficients are named as differences from the reference group, which only an intercept makes them.",
        "Name the terms wanted, joined by + * and :, and keep the intercept.",
    )
