"""Model formulas in lme4 style: what they say, and what this engine cannot fit.

Read with the configuration and again by the rule `fit_model`; its columns are made in `design_matrix`. A formula is a fixed part
and random intercepts, ``score ~ wave * core + (1 | center/person)``. Nothing heavy is imported here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bscstudy.errors import BscError

ID_COLUMNS = {
    "center": "center_id",
    "person": "person_id",
    "classroom": "classroom_id",
    "observation": "observation_id",
    "session": "session_id",
    "rater": "rater_id",
}
_RANDOM = re.compile(r"\(([^()|]*)(\|\|?)([^()|]*)\)")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
RANDOM_PART = "@"  # stands for a random part while the rest is read


@dataclass(frozen=True)
class ModelFormula:
    """A parsed formula.

    ``fixed`` is the fixed part and ``variables`` its columns; ``groupings`` the random intercepts in the order written, each a tuple
    of the columns that together name a group: ``(1 | center/person)`` gives ``(center_id,)`` and ``(center_id, person_id)``.
    """

    fixed: str
    variables: tuple[str, ...]
    groupings: tuple[tuple[str, ...], ...]


def parse_formula(text: str, where: str) -> ModelFormula:
    """Read a formula.

    Raises
    ------
    BscError
        BSC-MOD-010 where the formula cannot be read; BSC-MOD-011 where it asks for what this engine cannot fit
        (random slopes, no intercept, functions inside the formula).
    """
    left, tilde, right = str(text).partition("~")
    if not tilde or left.strip() != "score" or RANDOM_PART in right:
        raise _unreadable(text, where, "A formula starts with `score ~` and holds names, + * : | / and brackets.")
    groupings: list[tuple[str, ...]] = []
    for effects, bar, factors in _RANDOM.findall(right):
        if effects.strip() != "1" or bar != "|":
            raise _refused(text, where, f"the random part '({effects.strip()} {bar} {factors.strip()})' asks for a random slope")
        groupings += [path for path in _paths(factors, text, where) if path not in groupings]
    terms = re.sub(r"\s+", " ", _RANDOM.sub(RANDOM_PART, right))
    _check_terms(terms, text, where)
    fixed = " + ".join(part.strip() for part in terms.split("+") if part.strip() != RANDOM_PART) or "1"
    variables = tuple(dict.fromkeys(_NAME.findall(fixed)))
    if "score" in variables:
        raise _unreadable(text, where, "The score stands on both sides.")
    return ModelFormula(fixed, variables, tuple(groupings))


def _paths(factors: str, text: str, where: str) -> list[tuple[str, ...]]:
    """Expand ``a/b`` to ``a`` and ``a:b``."""
    steps = [part.strip() for part in factors.split("/")]
    paths, so_far = [], ()
    for step in steps:
        names = [name.strip() for name in step.split(":")]
        if not all(_NAME.fullmatch(name) for name in names):
            raise _unreadable(text, where, f"'{factors.strip()}' after the bar is no list of names joined by / or :.")
        so_far = so_far + tuple(ID_COLUMNS.get(name, name) for name in names)
        paths.append(so_far)
    return paths


def _check_terms(terms: str, text: str, where: str) -> None:
    if "|" in terms:
        raise _unreadable(text, where, "A random part is written (1 | center) or (1 | center/person).")
    if re.search(r"(^|[+\s(])0(\s|\+|$)|-", terms):
        raise _refused(text, where, "it leaves out the intercept or a term by '0 +' or '-'")
    if re.search(r"[A-Za-z0-9_.]\s*\(", terms):
        raise _refused(text, where, "it calls a function; put a transformed variable under `predictors`")
    shape, before = re.sub(r"(?<=[n1]) (?=[n1])", "?", _NAME.sub("n", terms)).replace(" ", ""), ""
    while shape != before:
        before, shape = shape, re.sub(r"\(n\)|n[+*:]n", "n", shape)
    if not re.fullmatch(rf"[n1{RANDOM_PART}](\+[n1{RANDOM_PART}])*", shape):
        raise _unreadable(text, where, "Names are joined by + * : and round brackets, random parts by + only.")


def _unreadable(text: str, where: str, what: str) -> BscError:
    return BscError(
        "BSC-MOD-010",
        f"The formula '{text}' cannot be read. {what}",
        where,
        "A formula read in a way its author did not mean would answer another question.",
        "Write it as in `score ~ wave * core + (1 | center/person)`.",
    )


def _refused(text: str, where: str, what: str) -> BscError:
    return BscError(
        "BSC-MOD-011",
        f"The formula '{text}' cannot be fitted here: {what}.",
        where,
        "This engine fits an intercept, fixed terms and nested random intercepts only; anything else would be silently another model.",
        "Use random intercepts such as (1 | center/person), or leave this model out.",
    )
