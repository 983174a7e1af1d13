"""Every refusal of the engine, provoked: the right code, four parts in whole sentences, nothing of the data beyond columns and counts."""

import ast
import re
import warnings
from pathlib import Path

import pytest

from bscstudy import multilevel
from bscstudy.errors import BscError

ROOT = Path(__file__).resolve().parents[3]
CODES = re.findall(r"^\| (BSC-LMM-\d{3}) \|", (ROOT / "docs" / "errors.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
PARTS = {"what": 1, "why": 3, "todo": 4}
UNKNOWN = "\N{REPLACEMENT CHARACTER}"


@pytest.fixture(scope="module")
def refusals():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "benchmarks"))
        import refusals

        yield refusals


def test_each_code_of_the_page_has_a_case(refusals):
    assert list(refusals.CASES) == CODES


@pytest.mark.parametrize("code", CODES)
def test_the_case_is_refused_with_its_code_and_shows_no_data(refusals, code):
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        refusal = refusals.refusal(code)
    assert refusal.code == code
    assert refusal.exit_code == 4
    assert all(part for part in (refusal.what, refusal.where, refusal.why, refusal.todo))
    assert not [part for part in (refusal.what, refusal.why, refusal.todo) if not is_sentence(part)]
    said, data = f"{refusal.what} {refusal.where}", refusals.table()
    assert not [person for person in data.person.unique() if person in said]
    numbers = {f"{value:.2f}" for column in ("score", "experience") for value in data[column]}
    assert not [number for number in re.findall(r"-?\d+\.\d{2,}", said) if f"{float(number):.2f}" in numbers]


@pytest.mark.parametrize(
    ("outcome", "family", "size", "code"),
    [("visits", "poisson", 1e2, "055"), ("agreed", "binomial", 1e5, "053"), ("cbind(met, asked - met)", "beta_binomial", 1e300, "055")],
)
def test_offsets_out_of_all_proportion_are_refused_without_a_warning(refusals, outcome, family, size, code):
    offset = size * refusals.table().experience.to_numpy()
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        with pytest.raises(BscError, match=f"BSC-LMM-{code}"):
            refusals.fitted(f"{outcome} ~ month + (1 | center)", family=family, offset=offset)


def is_sentence(text):
    """Capital letter and full stop; an end that is filled in is judged by the cases above."""
    return text[0].isupper() and text[-1] in f".?{UNKNOWN}"


def texts(node, scope):
    """Every text an expression can be, what is filled in as a sign of its own; names are followed within the function ``scope``."""
    if isinstance(node, ast.Constant):
        return [node.value]
    if isinstance(node, ast.JoinedStr):
        return ["".join(part.value if isinstance(part, ast.Constant) else UNKNOWN for part in node.values)]
    if isinstance(node, ast.IfExp):
        return texts(node.body, scope) + texts(node.orelse, scope)
    if isinstance(node, ast.BinOp):
        return [left + right for left in texts(node.left, scope) for right in texts(node.right, scope)]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("strip", "rstrip"):
        return texts(node.func.value, scope)
    if isinstance(node, ast.Name):
        assigned = [n.value for n in ast.walk(scope) if isinstance(n, ast.Assign) and node.id in [getattr(t, "id", "") for t in n.targets]]
        return [text for value in assigned for text in texts(value, scope)]
    return []


def functions(tree):
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]


def said_in(tree):
    """The texts given to BscError in a module, directly or through a function of the module that passes its arguments on."""
    for scope in functions(tree):
        names = [a.arg for a in scope.args.args]
        for call in (n for n in ast.walk(scope) if isinstance(n, ast.Call) and getattr(n.func, "id", "") == "BscError"):
            for part, position in PARTS.items():
                node = call.args[position].func.value if isinstance(call.args[position], ast.Call) else call.args[position]
                yield from ((part, text) for text in texts(node, scope))
                if isinstance(node, ast.Name) and node.id in names:
                    for caller in functions(tree):
                        passed = (n for n in ast.walk(caller) if isinstance(n, ast.Call) and getattr(n.func, "id", "") == scope.name)
                        yield from ((part, text) for n in passed for text in texts(n.args[names.index(node.id)], caller))


MODULES = sorted(Path(multilevel.__file__).parent.glob("*.py"))


def test_whole_sentences_in_every_refusal_of_the_source():
    found = [(path.name, part, text) for path in MODULES for part, text in said_in(ast.parse(path.read_text(encoding="utf-8")))]
    assert len(found) > 3 * len(CODES) - 20  # a few are put together by functions of other modules
    assert not [row for row in found if not is_sentence(row[2])]
