"""Every error code stands in docs/errors.md, and the code carries no fault that is not described there."""

import ast
import re
from collections import Counter

import pytest

from bscstudy.errors import EXIT_CODES
from bscstudy.workflow import PACKAGE

CODE = re.compile(r"BSC-[A-Z]{3}-\d{3}")
PAGE = PACKAGE.parents[1] / "docs" / "errors.md"


def texts_of(tree):
    """Return the string constants of a module that are not docstrings."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    said = {id(n.body[0].value) for n in ast.walk(tree) if isinstance(n, documented) and n.body and isinstance(n.body[0], ast.Expr)}
    return [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str) and id(n) not in said]


@pytest.fixture(scope="module")
def raised():
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in sorted(PACKAGE.rglob("*.py"))]
    return {code for tree in trees for text in texts_of(tree) for code in CODE.findall(text)}


def rows_of_page():
    return re.findall(r"^\| (BSC-\S+) \| (.+?) \| (.+) \|$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)


def test_the_page_lists_the_codes_of_the_source_each_once(raised):
    listed = Counter(code for code, _, _ in rows_of_page())
    assert set(listed) == raised
    assert max(listed.values()) == 1
    assert all(count == 1 for count in Counter(cause for _, cause, _ in rows_of_page()).values()), "one cause, one code"


def test_every_family_has_an_exit_code(raised):
    assert {code.split("-")[1] for code in raised} - {"INT"} == set(EXIT_CODES)
