"""Compile every kernel once, so that the first model does not wait: ``python -m bscstudy.multilevel.warm_up``."""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pandas as pd

from bscstudy.multilevel.fit import fit_mixed_model

_OTHERS = {
    "binomial": "yes ~ x + (1 | center)",
    "poisson": "count ~ x + (1 | center)",
    "negative_binomial": "count ~ x + (1 | center)",
    "beta_binomial": "cbind(some, asked - some) ~ x + (1 | center)",
    "cumulative": "answer ~ x + (1 | center)",
}


def warm_up() -> None:
    """Fit small models of each kind; the compiled kernels stay in numba's cache. The engines are compiled side by side."""
    engines = (_crossed, _nested, _generalized)
    with ProcessPoolExecutor(min(len(engines), os.cpu_count() or 1), mp_context=get_context("spawn")) as processes:
        for compiled in [processes.submit(engine) for engine in engines]:
            compiled.result()


def _crossed() -> None:
    _fit_linear("y ~ x + (1 | center/person) + (1 | rater)")


def _nested() -> None:
    _fit_linear("y ~ x + (1 + x | center)")
    _fit_linear("y ~ x + (1 | center/person)")


def _fit_linear(formula: str) -> None:
    result = fit_mixed_model(formula, _table())
    result.tests("kenward_roger")
    result.parametric_bootstrap("x", replicates=2, seed=1)


def _generalized() -> None:
    for family, formula in _OTHERS.items():
        fit_mixed_model(formula, _table(), family=family)
    fit_mixed_model(_OTHERS["binomial"], _table(), family="binomial", quadrature_points=5)


def _table() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    n = 240
    person = np.arange(n) // 4
    center, rater, x = person // 6, rng.integers(0, 5, n), rng.normal(size=n)
    eta = 0.5 * x + 0.8 * rng.normal(size=10)[center]
    return pd.DataFrame(
        {
            "center": center,
            "person": person,
            "rater": rater,
            "x": x,
            "y": eta + rng.normal(size=60)[person] + 0.3 * rng.normal(size=5)[rater] + rng.normal(size=n),
            "yes": (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(float),
            "count": rng.negative_binomial(3, 3 / (3 + np.exp(eta))).astype(float),
            "some": rng.binomial(12, rng.beta(2, 2, n)).astype(float),
            "asked": np.full(n, 12.0),
            "answer": np.digitize(eta + rng.logistic(size=n), [-1.0, 1.0]),
        }
    )


if __name__ == "__main__":
    warm_up()
