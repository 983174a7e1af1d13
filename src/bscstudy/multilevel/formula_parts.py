"""Parts of a formula as formulaic parses them: their terms, the columns of the data they use, the functions they may call."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from bscstudy.multilevel.formula import unreadable

_NAMESPACES = {"np", "contr", "Treatment", "Poly", "Sum", "Helmert", "Diff"}
_REFUSED_FUNCTIONS = {
    "lag": "lag() depends on the order of the rows; make that column in the data.",
    "hashed": "hashed() mixes levels; join levels in the data.",
    "offset": "An offset is given by the argument offset.",
    "factor": "A number is made a category by C(...).",
    "ns": "Natural splines are cr(x, df=...).",
}


@dataclass(frozen=True, eq=False)
class FormulaPart:
    """A part as formulaic parsed it.

    ``variables`` in order of appearance; ``coded`` leads from each ``C(variable, ...)`` to its variable; ``plain`` where the part holds
    no other function, so that its coding depends on the levels alone; ``plainly`` are the variables that stand without a function.
    """

    text: str
    formula: object
    variables: tuple[str, ...]
    coded: dict[str, str]
    plain: bool
    plainly: frozenset[str]


@lru_cache(maxsize=256)
def formula_part(text: str, whole: str) -> FormulaPart:
    """Parse one part by formulaic.

    Raises
    ------
    BscError
        BSC-LMM-001 where it cannot be parsed, or calls an unknown function.
    """
    from formulaic import Formula

    try:
        formula = Formula(text)
        factors = [factor for term in formula for factor in term.factors]
    except Exception as error:
        reason = re.sub(r"\x1b\[[0-9;]*m|[⧛⧚]", "", str(error)).strip().splitlines()
        raise unreadable(whole, f"'{text}': {(reason[0] if reason else type(error).__name__).rstrip('.')}.") from None
    names, coded, others = {}, {}, False
    for factor in factors:
        if factor.eval_method.value == "lookup":
            names[factor.expr] = None
        elif factor.eval_method.value == "python":
            used = expression_variables(factor.expr, whole)
            names.update(dict.fromkeys(used))
            if len(used) == 1 and re.match(r"C\((\w+|`[^`]+`)[,)]", factor.expr):
                coded[factor.expr] = used[0]
            else:
                others = True
    plainly = frozenset(factor.expr for factor in factors if factor.eval_method.value == "lookup")
    return FormulaPart(text, formula, tuple(names), coded, not others, plainly)


def term_texts(part: FormulaPart) -> list[str]:
    """Return each term of a part so that formulaic reads it as before, the constant as ``1``."""
    quotes = {"lookup": "`{}`", "python": "{{{}}}", "literal": "{}"}
    return [":".join(quotes[factor.eval_method.value].format(factor.expr) for factor in term.factors) for term in part.formula]


def expression_variables(expression: str, whole: str) -> list[str]:
    """Return the columns that an expression such as ``bs(x, df=4)`` uses."""
    from formulaic.transforms import TRANSFORMS

    quoted: dict[str, str] = {}

    def placeholder(match: re.Match) -> str:
        return quoted.setdefault(match[1], f"quoted_name_{len(quoted)}")

    try:
        tree = ast.parse(re.sub(r"`([^`]+)`", placeholder, expression), mode="eval")
    except SyntaxError:
        raise unreadable(whole, f"'{expression}' is no expression; powers are written **.") from None
    original = {value: key for key, value in quoted.items()}
    called = {id(node.func): node for node in ast.walk(tree) if isinstance(node, ast.Call)}
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitXor):
            raise unreadable(whole, f"'{expression}': powers are written **.")
        if isinstance(node, ast.Attribute) and node.attr.startswith("_"):
            raise unreadable(whole, f"'{expression}' reaches for a private attribute.")
        if not isinstance(node, ast.Name):
            continue
        if id(node) in called:
            _check_function(node.id, expression, whole, TRANSFORMS)
            if node.id == "Q":
                names += [argument.value for argument in called[id(node)].args if isinstance(argument, ast.Constant)]
        elif node.id not in _NAMESPACES:
            names.append(original.get(node.id, node.id))
    return list(dict.fromkeys(names))


def _check_function(name: str, expression: str, whole: str, known: Mapping) -> None:
    if name in _REFUSED_FUNCTIONS:
        raise unreadable(whole, _REFUSED_FUNCTIONS[name])
    if name not in known:
        raise unreadable(whole, f"'{expression}' calls {name}(), which formulas do not have; make that column in the data.")
