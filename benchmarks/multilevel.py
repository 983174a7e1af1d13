"""Times of the multilevel engine beside the peers that are installed, on one core, in one run.

Run from the repository's root, without other work on the machine (about five minutes with R)::

    taskset -c 0 .venv/bin/python benchmarks/multilevel.py

Peers: lme4, lmerTest, pbkrtest and ordinal where R has them (Debian: r-base-core r-cran-lme4 r-cran-lmertest r-cran-pbkrtest
r-cran-ordinal), the package `glmm` and statsmodels where they are installed; a peer that is missing leaves its column blank.
`prepared` is the fit alone, the engine's form of the design being ready; `formula` starts from a formula and a DataFrame. `first use`
compiles every kernel into an empty cache; `later start` is the import and a first fit in a new process. The last table is the growth
of time and memory with the rows (persons in centers).
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["RAYON_NUM_THREADS"] = "1"
os.environ["NUMBA_NUM_THREADS"] = "1"

import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd
from multilevel_cases import Case, cases, nested_rows

HERE = Path(__file__).resolve().parent
GROWTH = (1_000, 10_000, 100_000, 1_000_000)
STATSMODELS_CASES = ("sleepstudy", "HSB", "Exam")


def seconds(action, repeats: int) -> float:
    """Return the median time of an action after one run that warms caches."""
    action()
    found = []
    for _ in range(repeats):
        start = time.perf_counter()
        action()
        found.append(time.perf_counter() - start)
    return median(found)


def our_times(case: Case) -> dict[str, float]:
    """Return our times of one case by what was done."""
    from bscstudy.multilevel import fit_mixed_model
    from bscstudy.multilevel.model_frame import build_design

    design = build_design(case.formula, case.frame, family=case.family)
    found = {"formula": seconds(lambda: fit_mixed_model(case.formula, case.frame, family=case.family), case.repeats)}
    if case.family == "gaussian":
        return {**found, **_linear_times(case, design)}
    from bscstudy.multilevel.generalized import finish, fit_generalized

    prepared = fit_generalized(design, family=case.family).prepared
    return {**found, "prepared": seconds(lambda: finish(prepared, prepared.fit(), 1), case.repeats)}


def _linear_times(case: Case, design) -> dict[str, float]:
    from bscstudy.multilevel.kenward_roger import kenward_roger
    from bscstudy.multilevel.linear import fit_linear
    from bscstudy.multilevel.parametric_bootstrap import bootstrap_sample, likelihood_ratio_bootstrap

    fit = fit_linear(design)
    start, response = fit.layout.start(), design.response[:, None]
    found = {"prepared": seconds(lambda: fit.prepared.fit_many(response, start, reml=True), case.repeats)}
    if case.name in ("7x15x3", "HSB"):
        contrasts = np.eye(design.p)
        found["Kenward-Roger"] = seconds(lambda: kenward_roger(fit).tests(contrasts), 15)
    if case.name in ("7x15x3", "sleepstudy", "Penicillin"):
        count = 10_000 if case.name != "Penicillin" else 1_000
        found["bootstrap replicate"] = seconds(lambda: bootstrap_sample(fit, replicates=count, seed=1), 3) / count
    if case.name == "7x15x3":
        last = np.eye(design.p)[-1:]
        found["likelihood-ratio bootstrap of 1,000"] = seconds(lambda: likelihood_ratio_bootstrap(fit, last, replicates=1000, seed=1), 5)
    return found


def r_times(chosen: list[Case]) -> dict[tuple[str, str], float]:
    """Return the times that R prints, by case and action; empty where R or a package is missing."""
    with tempfile.TemporaryDirectory() as folder:
        rows = []
        for number, case in enumerate(chosen):
            case.frame.to_csv(Path(folder) / f"{number}.csv", index=False)
            rows.append((case.name, f"{number}.csv", case.formula, case.family, case.repeats))
        pd.DataFrame(rows, columns=["name", "file", "formula", "family", "repeats"]).to_csv(Path(folder) / "cases.csv", index=False)
        try:
            done = subprocess.run(["Rscript", str(HERE / "multilevel_peers.R"), folder], capture_output=True, text=True, check=False)
        except FileNotFoundError:
            return {}
    if done.returncode:
        print("R stopped:", done.stderr.strip().splitlines()[-1:])
    lines = [line.split("\t") for line in done.stdout.splitlines() if line.count("\t") == 2]
    return {(name, what): float(value) for name, what, value in lines}


def glmm_time(case: Case) -> float:
    """Return the time of one fit of the package glmm, missing where it is absent or refuses the model."""
    try:
        import glmm
    except ImportError:
        return np.nan
    family = {"gaussian": {}, "binomial": {"family": "binomial"}}.get(case.family)
    if family is None:
        return np.nan
    try:
        return seconds(lambda: glmm.fit(case.frame, case.formula, satterthwaite=False, **family), min(case.repeats, 7))
    except Exception as error:  # a peer that refuses a model is no finding of ours
        print(f"glmm refuses {case.name}: {type(error).__name__}")
        return np.nan


def statsmodels_time(case: Case) -> float:
    """Return the time of one fit of MixedLM where it can express the model directly."""
    if case.name not in STATSMODELS_CASES:
        return np.nan
    from statsmodels.regression.mixed_linear_model import MixedLM

    fixed, random = case.formula.split(" + (", 1)
    effects, group = (part.strip() for part in random.rstrip(")").split("|"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = MixedLM.from_formula(fixed, case.frame, groups=group, re_formula=effects)
        return seconds(lambda: model.fit(reml=True), 3)


def print_times() -> None:
    """Print our medians in milliseconds and each peer's as a ratio to our fit from the formula."""
    chosen = cases()
    peers = r_times(chosen)
    rows = []
    for case in chosen:
        own = our_times(case)
        for what, value in own.items():
            r_what = "single fit" if what in ("formula", "prepared") else what
            row = {"case": case.name + (" (simulated)" if case.simulated else ""), "what": what, "ours, ms": value * 1e3}
            row["R / ours"] = peers.get((case.name, r_what), np.nan) / value
            if what == "formula":
                row["glmm / ours"] = glmm_time(case) / value
                row["statsmodels / ours"] = statsmodels_time(case) / value
            rows.append(row)
    print(pd.DataFrame(rows).to_string(index=False, float_format=lambda v: f"{v:.4g}", na_rep=""))


def print_compiling() -> None:
    """Print the seconds of a first use in an empty cache and of a later start."""
    program = [sys.executable, "-c", "from bscstudy.multilevel.warm_up import warm_up; warm_up()"]
    small = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(HERE)!r}); from multilevel import one_fit; one_fit()"]
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "NUMBA_CACHE_DIR": cache}
        for name, command in (
            ("first use, every kernel", program),
            ("later start, every kernel", program),
            ("later start, one fit", small),
        ):
            start = time.perf_counter()
            subprocess.run(command, env=environment, check=True)
            print(f"{name}: {time.perf_counter() - start:.2f} s")


def one_fit() -> None:
    """Fit one small model; what a new process pays before its first result."""
    from bscstudy.multilevel import fit_mixed_model

    fit_mixed_model("y ~ wave + (1 | center/person)", nested_rows(200, 1))


def print_growth() -> None:
    """Print seconds and peak memory of a fit from the formula, each size in a process of its own."""
    print("rows, seconds, seconds of the fit alone, peak memory in MB (process with packages)")
    for n in GROWTH:
        code = f"import sys; sys.path.insert(0, {str(HERE)!r}); from multilevel import grow; grow({n})"
        print(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip())


def grow(n: int) -> None:
    """Fit n rows and print time and peak memory."""
    import resource

    from bscstudy.multilevel.linear import fit_linear
    from bscstudy.multilevel.model_frame import build_design

    one_fit()
    frame = nested_rows(n, 1)
    start = time.perf_counter()
    design = build_design("y ~ wave + (1 | center/person)", frame)
    middle = time.perf_counter()
    fit_linear(design)
    end = time.perf_counter()
    print(f"{n}, {end - start:.3f}, {end - middle:.3f}, {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f}")


if __name__ == "__main__":
    print_compiling()
    print_growth()
    print_times()
