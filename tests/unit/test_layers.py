"""The house plan holds: lower layers import no higher one, and nothing in the package imports snakemake."""

import ast

import pytest

from bscstudy.workflow import PACKAGE

LAYERS = ["io", "checks measures", "models qual", "integrate", "exhibits", "release", "steps"]
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names.split()}
#: the workflow's glue and the commands, which stand above all layers
GLUE = {
    "pipeline",
    "sections",
    "launch",
    "cli",
    "new_study",
    "inferences",
    "inspect_command",
    "configuration_page",
    "environment",
    "simulate",
    "references",
    "references_integration",
    "references_observation",
    "references_ratings",
    "schema_check",
    "loading",
    "waves",
}
FOUNDATION = {"errors", "config", "tables", "numbers", "workflow", "privacy", "identity", "settled", "__init__"}
#: a package below all layers that could be taken out and used alone
ALONE = "multilevel"
MODULES = sorted(PACKAGE.rglob("*.py"))
LONGEST_BODY = 40


def imported(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names if node.module == "bscstudy")


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_imports_point_downward(path):
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    own = parts[0]
    names = list(imported(path))
    assert not [n for n in names if n.split(".")[0] == "snakemake"], "only the workflow's script sees snakemake"
    assert own in RANK or own in GLUE or own in FOUNDATION or own == ALONE, f"{own} has no place in the layers"
    others = {n.split(".")[1] for n in names if n.startswith("bscstudy.")}
    if own == ALONE:
        assert others <= {ALONE, "errors"}, "the multilevel engine knows nothing of studies"
    if own in FOUNDATION:
        assert others <= FOUNDATION
    if own in RANK:
        assert not others & GLUE
        assert all(RANK[o] <= RANK[own] for o in others if o in RANK)
        same_rank = {o for o in others if o in RANK and RANK[o] == RANK[own] and o != own}
        assert not same_rank, "two modules side by side do not know each other"


def test_files_stay_small():
    long = {p.relative_to(PACKAGE).as_posix(): n for p in MODULES if (n := len(p.read_text(encoding="utf-8").splitlines())) > 400}
    assert not long
    script = PACKAGE.parents[1] / "workflow" / "scripts"
    assert all(len(p.read_text(encoding="utf-8").splitlines()) <= 20 for p in script.glob("*.py"))


def test_functions_stay_short():
    """A body, without its docstring, has at most 40 lines."""
    found = {}
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0
                found |= {f"{path.relative_to(PACKAGE).as_posix()}, {node.name}": lines} if lines > LONGEST_BODY else {}
    assert not found
