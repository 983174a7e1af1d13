"""Does the optimiser ever miss? 10,000 simulated refits of five models, started cold and warm.

Run from the repository's root::

    .venv/bin/python benchmarks/missed_optima.py [replicates]

For each model the REML fit to its classic table is the truth from which responses are drawn (seed 1); the nested slopes, which that
table does not have, are set. Each response is fitted from the usual start (relative standard deviations of 1), from the truth, from
nearly nothing (.05) and from a random place of its own portion. A fit counts as missed if its deviance lies more than 1e-6 above the
best of the four. `boundary` is the share of fits with a variance of 0 or a correlation of 1. docs/multilevel.md quotes the table.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from bscstudy.multilevel.linear import LinearFit, boundary_sentences, fit_linear
from bscstudy.multilevel.model_frame import build_design
from bscstudy.multilevel.parametric_bootstrap import simulate_responses

DATA = Path(__file__).resolve().parents[1] / "tests" / "reference" / "data" / "mixed"
MODELS = {
    "sleepstudy": ("sleepstudy.csv", "Reaction ~ Days + (1 + Days | Subject)"),
    "sim3": ("sim3.csv", "y ~ wave * arm + role + (1 | center/pid)"),
    "sim3u": ("sim3u.csv", "y ~ wave * arm + role + (1 | center/pid)"),
    "penicillin": ("penicillin.csv", "diameter ~ 1 + (1 | plate) + (1 | sample)"),
    "nested slopes": ("sim3u.csv", "y ~ wave * arm + role + (1 + wave | center) + (1 | center:pid)"),
}
MISSED = 1e-6  # deviance; an optimum found twice differs by less than 1e-8
PORTION = 1000
TRUTH = {"nested slopes": [1.1, 0.6, 0.1, 0.4]}  # theta: persons; centers' level, its tie with the slope, slope


def refit(fit: LinearFit, replicates: int) -> dict[str, float]:
    """Return the counts of one model."""
    rng = np.random.default_rng(1)
    layout = fit.layout
    starts = {"cold": layout.start(), "warm": fit.theta, "small": 0.05 * layout.start()}
    missed, boundary, failed, evaluations = dict.fromkeys([*starts, "random"], 0), 0, 0, 0.0
    for _ in range(0, replicates, PORTION):
        starts["random"] = rng.uniform(-0.5, 2.5, layout.n_parameters)
        drawn = simulate_responses(fit, rng, PORTION)
        found = {name: fit.prepared.fit_many(drawn, start, reml=True) for name, start in starts.items()}
        best = np.min([f.criterion for f in found.values()], axis=0)
        for name, fits in found.items():
            missed[name] += int(np.sum(~(fits.criterion <= best + MISSED)))
        failed += int(np.sum(~found["warm"].converged))
        evaluations += float(found["cold"].evaluations.sum())
        boundary += sum(bool(boundary_sentences(fit.design, layout, theta)) for theta in found["warm"].theta)
    return {
        **{f"missed, {k}": v for k, v in missed.items()},
        "not converged": failed,
        "boundary": boundary / replicates,
        "evaluations": evaluations / replicates,
    }


def main() -> None:
    """Print one row a model."""
    replicates = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    rows = {}
    for name, (file, formula) in MODELS.items():
        fit = fit_linear(build_design(formula, pd.read_csv(DATA / file)))
        rows[name] = refit(replace(fit, theta=np.array(TRUTH.get(name, fit.theta))), replicates)
    print(f"{replicates} refits a model")
    print(pd.DataFrame(rows).T.to_string(float_format=lambda v: f"{v:.4g}"))


if __name__ == "__main__":
    main()
