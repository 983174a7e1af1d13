"""The glue between Snakemake and the package: digests that decide what reruns, and the start of one step.

Nothing here imports the snakemake package; ``run_step`` is handed the `snakemake` object of a script.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import sys
import traceback
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bscstudy.errors import BscError

PACKAGE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Job:
    """What one step is given: named paths, the sections of the configuration it declared, wildcards and its own seed."""

    inputs: dict
    outputs: dict
    config: dict
    wildcards: dict
    seed: int


def job_seed(study_seed: int, rule: str, wildcards: dict) -> int:
    """Return a 32-bit seed that depends on the study seed, the rule and its wildcards only, so order cannot matter."""
    text = f"{study_seed}|{rule}|" + "|".join(f"{k}={wildcards[k]}" for k in sorted(wildcards))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


@cache
def _module_file(module: str) -> Path | None:
    relative = Path(*module.split(".")[1:]) if "." in module else Path()
    for candidate in (
        PACKAGE / relative.with_suffix(".py") if relative.parts else PACKAGE / "__init__.py",
        PACKAGE / relative / "__init__.py",
    ):
        if candidate.is_file():
            return candidate
    return None


@cache
def _imports(module: str) -> tuple[str, ...]:
    """Return the modules of this package that a module imports, at any depth of its code."""
    found: set[str] = set()
    path = _module_file(module)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(a.name for a in node.names if a.name.startswith("bscstudy."))
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "bscstudy" and not node.level:
            found.add(node.module)
            found.update(f"{node.module}.{a.name}" for a in node.names if _module_file(f"{node.module}.{a.name}"))
    return tuple(sorted(m for m in found if m != "bscstudy" and _module_file(m)))


@cache
def code_digest(*modules: str) -> str:
    """Return a digest of the modules' source and of all they import from this package.

    Snakemake does not see edits of an imported module; every rule carries this digest as a parameter instead.
    Names, not absolute paths, enter the digest, so two checkouts agree.
    """
    todo, seen = list(modules), {}
    while todo:
        module = todo.pop()
        if module not in seen:
            seen[module] = hashlib.sha256(_module_file(module).read_bytes()).hexdigest()
            todo.extend(_imports(module))
    return hashlib.sha256("\n".join(f"{m} {seen[m]}" for m in sorted(seen)).encode()).hexdigest()[:16]


def file_digest(*paths: str | Path) -> str:
    """Return a digest of the files' bytes; unlike Snakemake's own rule it also sees files restored with an older date."""
    whole = hashlib.sha256()
    for path in paths:
        with open(path, "rb") as handle:
            whole.update(hashlib.file_digest(handle, "sha256").digest())
    return whole.hexdigest()[:16]


def collect_seldom() -> None:
    """Look for unreachable objects seldom: the millions of cells of a large table live to the end of its step anyway."""
    import gc

    gc.set_threshold(1_000_000, 50, 1_000)


def run_step(snakemake) -> None:
    """Run the step of the rule: its name, or the parameter ``step``.

    A fault in a study's files ends with its message, any other fault with its trace in the log.
    """
    module = f"bscstudy.steps.{snakemake.params.get('step', snakemake.rule)}"
    log = Path(snakemake.log[0])
    log.parent.mkdir(parents=True, exist_ok=True)
    collect_seldom()
    try:
        job = _job_of(snakemake)
        importlib.import_module(module).run(job)
    except BscError as error:
        log.write_text(f"{error}\n", encoding="utf-8")
        sys.exit(error.exit_code)
    except Exception:
        log.write_text(_unexpected(module, traceback.format_exc()), encoding="utf-8")
        sys.exit(1)
    log.write_text("done\n", encoding="utf-8")


def _job_of(snakemake) -> Job:
    from bscstudy.config import read_sections

    def named(items) -> dict:
        return {name: [Path(p) for p in v] if not isinstance(v, str) else Path(v) for name, v in items.items()}

    sections = dict(snakemake.params.get("sections", {}))
    wildcards = dict(snakemake.wildcards.items())
    config = read_sections(Path("config"), sections)
    return Job(
        inputs=named(snakemake.input),
        outputs=named(snakemake.output),
        config=config,
        wildcards=wildcards,
        seed=job_seed(int(config["study"]["seed"]), snakemake.rule, wildcards),
    )


def _unexpected(module: str, trace: str) -> str:
    return (
        f"BSC-INT-001: the step {module.rsplit('.', 1)[-1]} stopped on a fault of the program, not of your files.\n"
        "  What to do: report it with the lines below; look them over for values of your data before you send them.\n"
        f"{trace}"
    )
