"""Times and optima of the multilevel models against plain statsmodels MixedLM, the peer whose optimiser they start from.

Run from the repository's root, without other work on the machine::

    .venv/bin/python benchmarks/mixed_models.py

It takes under a minute and prints two parts. `Time`: seconds for one model of bscstudy (`fit_model`: rows, fit, independent
checks, estimates, contrasts) and for the peer's fit alone, with its default optimiser (bfgs, lbfgs and cg in turn) and with
powell, on data simulated in the size of the demonstration and in that of the GTI study. `Optimum`: how often and how far the
peer's REML log-likelihood stays below that of bscstudy on 30 simulated sets, a third of them without any variance between centers.
All data are simulated from fixed seeds; only the times differ from run to run.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import time
import warnings
from statistics import median

import numpy as np
import pandas as pd

from bscstudy.models.fit import fit_model

OPTIMISERS = {"MixedLM, default": {}, "MixedLM, powell": {"method": "powell"}}
SHORT = 1e-4  # log-likelihood units: a difference that can be seen in four decimals
SETS = 30
CONFIG = {"waves": [{"id": f"T{k}", "label": f"Wave {k}", "order": k} for k in (1, 2, 3)]}


def staff(n_centers: int, n_persons: int, n_waves: int, *, center_sd: float, seed: int, answered: float = 0.8) -> pd.DataFrame:
    """Return scores of people in centers over waves; centers differ in size, some forms are missing."""
    rng = np.random.default_rng(seed)
    center = np.sort(np.r_[np.arange(n_centers), rng.integers(0, n_centers, n_persons - n_centers)])
    person = np.repeat(np.arange(n_persons), n_waves)
    wave = np.tile(np.arange(1, n_waves + 1), n_persons)
    shift = center_sd * rng.normal(size=n_centers)[center] + 0.5 * rng.normal(size=n_persons)
    core = np.where(rng.random(n_persons) < 0.4, "core", "other")[person]
    score = 3 + 0.2 * wave + shift[person] + 0.45 * rng.normal(size=len(person))
    columns = {"center_id": [f"C{c}" for c in center[person]], "person_id": [f"P{p}" for p in person], "wave": [f"T{w}" for w in wave]}
    frame = pd.DataFrame({**columns, "core": core, "score_of_form": score})
    return frame[rng.random(len(frame)) < answered].reset_index(drop=True)


def ours(frame: pd.DataFrame) -> tuple[float, float, str]:
    """Return seconds, log-likelihood and verdict of a model of bscstudy."""
    spec = {"id": "benchmark", "label": "benchmark", "question": "change", "unit": "person", "outcome": "score_of_form"}
    contrasts = [{"id": "change", "label": "change", "compare": {"wave": ["T1", "T2"]}}]
    spec = {**spec, "formula": "score ~ wave * core + (1 | center/person)", "reference": {"core": "other"}, "contrasts": contrasts}
    start = time.perf_counter()
    result = fit_model(spec, {"person": frame}, CONFIG)
    return time.perf_counter() - start, result.log_likelihood, result.verdict.state


def peer(frame: pd.DataFrame, options: dict) -> tuple[float, float]:
    """Return seconds and log-likelihood of the peer; NaN where it stops with an error or without a number."""
    from statsmodels.regression.mixed_linear_model import MixedLM

    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        inside = {"person": "0 + C(person_id)"}
        model = MixedLM.from_formula("score_of_form ~ wave * core", frame, groups="center_id", re_formula="1", vc_formula=inside)
        try:
            found = float(model.fit(reml=True, **options).llf)
        except np.linalg.LinAlgError:
            found = float("nan")
    return time.perf_counter() - start, found


def print_times() -> None:
    """Print the median seconds of three runs and their ratio."""
    sizes = {
        "demonstration": staff(23, 300, 3, center_sd=0.25, seed=1),
        "GTI": staff(480, 680, 2, center_sd=0.25, seed=2, answered=0.97),
    }
    print("Time (median of 3 runs, seconds; ratio to bscstudy)")
    for name, frame in sizes.items():
        print(f"  {name}: {len(frame)} rows, {frame['person_id'].nunique()} persons, {frame['center_id'].nunique()} centers")
        own = median(ours(frame)[0] for _ in range(3))
        print(f"    {'bscstudy fit_model':20} {own:7.2f}")
        for label, options in OPTIMISERS.items():
            taken = median(peer(frame, options)[0] for _ in range(3))
            print(f"    {label:20} {taken:7.2f}   x {taken / own:.1f}")


def print_optima() -> None:
    """Print how far the peer stays below the optimum."""
    sets = [staff(8, 48, 2, center_sd=(0.0, 0.1, 0.3)[k % 3], seed=100 + k) for k in range(SETS)]
    fits = [ours(frame) for frame in sets]
    states = [state for _, _, state in fits]
    print(
        f"Optimum ({SETS} sets of 8 centers, 48 persons, 2 waves; bscstudy: {states.count('ok')} ok, {states.count('boundary')} boundary)"
    )
    for label, options in OPTIMISERS.items():
        short = np.array([best - peer(frame, options)[1] for frame, (_, best, _) in zip(sets, fits, strict=True)])
        known = short[~np.isnan(short)]
        print(
            f"  {label:18} below the optimum by more than {SHORT:g}: {(known > SHORT).sum()} of {len(known)}; "
            f"furthest {known.max():.2g}; above it by at most {max(-known.min(), 0):.1g}; stopped with an error: {len(short) - len(known)}"
        )


if __name__ == "__main__":
    ours(staff(8, 48, 2, center_sd=0.3, seed=0))  # imports are not what is timed
    peer(staff(8, 48, 2, center_sd=0.3, seed=0), {})
    print_times()
    print_optima()
