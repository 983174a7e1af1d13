"""What the multilevel engine refuses, and how each refusal reads: one small provoked case for each code.

Run from the repository's root::

    .venv/bin/python benchmarks/refusals.py          # all codes
    .venv/bin/python benchmarks/refusals.py 011 053  # some

The table is invented (seed 1): 144 rows of 48 people in 12 centers at three waves. The test test_multilevel_refusals holds the list
against docs/errors.md.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import sys
from collections.abc import Callable
from functools import cache

import numpy as np
import pandas as pd

from bscstudy.errors import BscError
from bscstudy.multilevel import MixedModelResult, fit_mixed_model

NESTED = "score ~ month + arm + (1 | center/person)"


@cache
def table() -> pd.DataFrame:
    """Return the invented table; nobody may change it."""
    random = np.random.default_rng(1)
    center, person, month = np.repeat(np.arange(12), 12), np.repeat(np.arange(48), 3), np.tile([0.0, 6.0, 12.0], 48)
    level = random.normal(size=12)[center] + random.normal(size=48)[person] + 0.1 * month
    return pd.DataFrame(
        {
            "center": [f"c{i + 1:02d}" for i in center],
            "person": [f"p{i + 101}" for i in person],
            "rater": [f"r{i}" for i in random.integers(6, size=144)],
            "wave": np.tile(["T1", "T3", "T4"], 48),
            "month": month,
            "arm": np.where(center % 2, "coached", "usual"),
            "experience": random.normal(size=144),
            "score": level + random.normal(size=144),
            "met": random.binomial(8, 1 / (1 + np.exp(-level / 2))),
            "asked": 8,
            "agreed": (level + random.normal(size=144) > 0).astype(int),
            "visits": random.poisson(np.exp(level / 3)),
        }
    )


def fitted(formula: str = NESTED, change: dict | None = None, rows: slice = slice(None), **how: object) -> MixedModelResult:
    """Fit a model to the table with some columns changed, or to some of its rows."""
    return fit_mixed_model(formula, table().iloc[rows].assign(**(change or {})), **how)


def counts(**how: object) -> MixedModelResult:
    """A binomial model of the indicators met."""
    return fitted("cbind(met, asked - met) ~ month + arm + (1 | center)", family="binomial", **how)


def robust(clusters: object = "center", kind: str = "CR2", formula: str = NESTED) -> object:
    """Cluster-robust inference on a model."""
    from bscstudy.multilevel.cluster_robust import cluster_robust

    return cluster_robust(fitted(formula).fit, clusters, kind=kind)


def wild(**changes: object) -> object:
    """A wild cluster bootstrap of the slope of month."""
    from bscstudy.multilevel.wild_cluster_bootstrap import wild_cluster_bootstrap

    rows = table()
    fixed = np.column_stack([np.ones(144), rows.month])
    given = {"response": rows.score.to_numpy(), "fixed": fixed, "clusters": rows.center.to_numpy(), "contrast": np.array([0.0, 1.0])}
    return wild_cluster_bootstrap(**given | {"seed": 1} | changes)


def exact(name: str, *values: object, **how: object) -> object:
    """An exact test on one value a center."""
    from bscstudy.multilevel import exact_tests

    return getattr(exact_tests, name)(*values, **how)


def adjusted(p_values: list, method: str = "holm", family: list | None = None) -> object:
    """P-values, adjusted within their families."""
    from bscstudy.multilevel.multiplicity import adjust

    return adjust(p_values, method, family)


def bootstrapped(contrasts: np.ndarray) -> object:
    """A parametric bootstrap test of contrasts."""
    from bscstudy.multilevel.parametric_bootstrap import likelihood_ratio_bootstrap

    return likelihood_ratio_bootstrap(fitted().fit, contrasts, replicates=9, seed=1)


def rungs(*names: str) -> object:
    """The ladder for the change by month."""
    from bscstudy.multilevel.ladder import ladder

    return ladder(fitted(), np.array([[0.0, 0.0, 1.0]]), names, seed=1)


def own_column() -> np.ndarray:
    """A constant and the indicator of one center."""
    return np.column_stack([np.ones(144), table().center == "c03"]).astype(float)


FORMULAS: dict[str, Callable[[], object]] = {
    "001": lambda: fitted("score ~ lag(month) + (1 | center)"),
    "002": lambda: fitted("score ~ moth + arm + (1 | centre)"),
    "003": lambda: fitted("cbind(met, asked - met) ~ month + (1 | center)"),
    "004": lambda: fitted("wave ~ month + (1 | center)"),
    "005": lambda: fitted("score ~ month + (1 | center)", family="poisson"),
    "006": lambda: fitted("score ~ np.log(month) + (1 | center)"),
    "007": lambda: fitted(change={"month": np.nan}),
    "008": lambda: fitted(weights="wave"),
    "009": lambda: fitted("score ~ month + (1 | center)", rows=slice(0, 12)),
    "010": lambda: fitted("score ~ month + (0 + wave | center:person)"),
    "011": lambda: fitted("score ~ month + years + (1 | center)", {"years": table().month / 12}),
    "012": lambda: fitted("score ~ a + b + c + d + (1 | site)", site_columns()),
    "013": lambda: fitted("score ~ month + (1 | center) + (month | center)"),
    "014": lambda: fitted("score ~ month + (1 | center) + (0 + wave | center)"),
    "015": lambda: fitted("score ~ day + (1 | center)", {"day": pd.Timestamp("2024-01-01")}),
    "016": lambda: fitted("score ~ month + language + (1 | center)", {"language": "English"}),
    "017": lambda: fitted("score ~ bs(wave, df=4) + (1 | center)"),
    "018": lambda: fitted().predict(table().iloc[:3].assign(arm="unknown arm")),
    "019": lambda: fitted(change={"score": 3.0}),
    "020": lambda: fitted("score ~ month + experience + (0 + experience | center)", rows=slice(0, 27, 12)),
    "021": lambda: fitted("score ~ 0 + (1 | center)"),
}


def site_columns() -> dict[str, object]:
    """Six sites of two centers each, and four columns that are constant within a site."""
    site, random = np.repeat(np.arange(6), 24), np.random.default_rng(2)
    return {"site": site, **{name: random.normal(size=6)[site] for name in "abcd"}}


CLUSTERS: dict[str, Callable[[], object]] = {
    "030": lambda: robust("center", formula="score ~ month + (1 | center) + (1 | rater)"),
    "031": lambda: robust("district"),
    "032": lambda: robust(np.zeros(144)),
    "033": lambda: robust().df(np.eye(2)),
    "034": lambda: robust().joint(np.array([[0.0, 0.0, 1.0], [0.0, 0.0, 2.0]])),
    "035": lambda: robust(kind="CR9"),
    "036": lambda: robust(kind="CR3", formula="score ~ month + I(center == 'c03') + (1 | center)"),
    "037": lambda: wild(clusters=np.arange(3)),
    "038": lambda: wild(weights="normal"),
    "039": lambda: wild(clusters=np.zeros(144)),
    "040": lambda: wild(fixed=np.ones((144, 2))),
    "041": lambda: wild(fixed=table()[["month"]].to_numpy(), contrast=np.ones(1), absorb=np.arange(144) % 4),
    "042": lambda: wild(fixed=own_column(), jackknife=True),
    "043": lambda: wild(response=2 + 3 * table().month.to_numpy()),
    "044": lambda: exact("sign_flip_test", np.array([1.0, np.nan, 2.0])),
    "045": lambda: exact("two_group_test", np.arange(5.0), np.ones(5, bool)),
    "046": lambda: exact("correlation_test", np.arange(5.0), np.arange(5.0), method="tau"),
    "047": lambda: exact("sign_flip_test", np.arange(23.0)),
    "048": lambda: fitted().parametric_bootstrap("month", replicates=0, seed=1),
}

GENERALIZED: dict[str, Callable[[], object]] = {
    "050": lambda: counts(quadrature_points=0),
    "051": lambda: fitted("agreed ~ month + (1 | center/person)", family="binomial", quadrature_points=7),
    "052": lambda: fitted("agreed ~ month", family="binomial"),
    "053": lambda: fitted("agreed ~ month + last + (1 | center)", last_wave(), family="binomial"),
    "054": lambda: fitted("always ~ 1 + (1 | center)", by_center(), family="binomial", quadrature_points=15),
    "055": lambda: fitted("visits ~ month + (1 | center)", family="poisson", offset=1e3 * table().experience.to_numpy()),
    "070": lambda: fitted(family="gausian"),
    "071": lambda: fitted("visits ~ month + (1 | center)", family="poisson", link="identity"),
    "074": lambda: fitted("agreed ~ month + (1 | center)", family="cumulative"),
}


def by_center() -> dict[str, object]:
    """All agree in coached centers, nobody elsewhere."""
    return {"always": (table().arm == "coached").astype(int)}


def last_wave() -> dict[str, object]:
    """Everybody agrees at the last wave."""
    last = table().month == 12
    return {"last": last.astype(int), "agreed": np.where(last, 1, table().agreed)}


RESULTS: dict[str, Callable[[], object]] = {
    "080": lambda: fitted("score ~ wave + (1 | center)").contrasts("wave", adjustment="bonferoni"),
    "081": lambda: adjusted([0.1, 1.2]),
    "082": lambda: fitted("score ~ month + (1 | center) + (1 | rater)").tests("between_within"),
    "083": lambda: fitted().marginal_means("arm", level=95),
    "084": lambda: fitted().influence("centre"),
    "085": lambda: fitted("score ~ month + (1 | center)", rows=slice(0, 36)).influence(),
    "086": lambda: fitted().marginal_means("arms"),
    "087": lambda: fitted().marginal_means("arm", weights="size"),
    "088": lambda: fitted().contrasts("arm", "tukey"),
    "089": lambda: fitted().tests("kenward-roger"),
    "090": lambda: fitted("score ~ 1 + (1 | center)").tests("likelihood_ratio"),
    "091": lambda: fitted().tests("parametric_bootstrap"),
    "092": lambda: fitted().joint_test("months"),
    "093": lambda: fitted().joint_test(np.eye(2)),
    "094": lambda: fitted().slopes("arm"),
    "095": lambda: fitted().marginal_means("arm", scale="percent"),
    "096": lambda: fitted().residuals("deviance"),
    "097": lambda: counts().profile(),
    "098": lambda: fitted().variance_partition(interval="profile"),
    "099": lambda: fitted().marginal_means("arm", method="likelihood_ratio"),
    "100": lambda: fitted(reml=False).tests("kenward_roger"),
    "101": lambda: fitted("exact ~ month + (1 | center)", {"exact": 2 + 3 * table().month}),
    "102": lambda: bootstrapped(np.zeros((1, 3))),
    "103": lambda: fitted().marginal_means("month", at={"arm": "coach"}),
    "104": lambda: fitted("score ~ bs(experience, df=4) + (1 | center)").marginal_means("experience", at={"experience": 60}),
    "105": lambda: fitted(offset="experience").predict(table()[["month", "arm", "center", "person"]]),
    "106": lambda: counts().tests("kenward_roger"),
    "107": lambda: fitted().tests("t"),
    "108": lambda: fitted("score ~ month + arm").tests("satterthwaite"),
    "109": lambda: counts(weights=np.full(144, 2.0)).parametric_bootstrap("month", replicates=9, seed=1),
    "110": lambda: rungs("satterthwaite", "bootstrap"),
}

ARGUMENTS: dict[str, Callable[[], object]] = {
    "111": lambda: fitted().parametric_bootstrap("month", seed=-1),
    "112": lambda: exact("sign_flip_test", np.array([1.0])),
    "113": lambda: exact("correlation_test", np.ones(5), np.arange(5.0)),
    "114": lambda: exact("correlation_test", np.arange(6.0), np.arange(5.0)),
    "115": lambda: fitted("score ~ month + arm").influence(),
    "116": lambda: fitted().contrasts("arm", {"coached": [1, 0, -1]}),
    "117": lambda: fitted().contrasts("arm", at={"arm": "usual"}),
    "118": lambda: counts(link="probit").contrasts("arm", scale="response"),
    "119": lambda: fit_mixed_model(NESTED, table().to_dict("list")),
    "120": lambda: fitted(reml="no"),
    "121": lambda: fitted().marginal_means(2),
    "122": lambda: fitted().marginal_means("arm", at=["month", 6]),
    "123": lambda: fitted().marginal_means("arm", offset="experience"),
    "124": lambda: fitted().marginal_means("arm", at={"month": "T1"}),
    "125": lambda: fitted(offset=np.ones(3)),
    "126": lambda: fitted(weights="month"),
    "127": lambda: fit_mixed_model(NESTED, pd.concat([table(), table()[["month"]]], axis=1)),
    "128": lambda: robust(np.arange(12)),
    "129": lambda: robust(np.where(table().center == "c03", None, table().center)),
    "130": lambda: robust(np.arange(144) // 48, kind="CR1p", formula="score ~ month + arm"),
    "131": lambda: robust().df(np.array([0.0, np.nan, 1.0])),
    "132": lambda: robust(np.arange(144) // 72, formula="score ~ wave").joint(np.eye(3)),
    "133": lambda: wild(response=np.full(144, np.nan)),
    "134": lambda: wild(contrast=np.zeros(2)),
    "135": lambda: wild(response=np.arange(3.0), fixed=np.eye(3), clusters=np.arange(3), contrast=np.ones(3)),
    "136": lambda: adjusted([0.1, 0.2], family=["change"]),
    "137": lambda: fitted().joint_test(np.array([0.0, np.inf, 1.0])),
    "138": lambda: fitted().joint_test(np.zeros((1, 3))),
}

CASES = {f"BSC-LMM-{number}": act for group in (FORMULAS, CLUSTERS, GENERALIZED, RESULTS, ARGUMENTS) for number, act in group.items()}


def refusal(code: str) -> BscError:
    """Provoke a refusal and return it; what is not refused is a fault here."""
    try:
        CASES[code]()
    except BscError as error:
        return error
    raise AssertionError(f"{code} was not provoked")


def main(numbers: list[str]) -> None:
    """Print the refusals asked for, or all."""
    unknown = [number for number in numbers if f"BSC-LMM-{number}" not in CASES]
    if unknown:
        sys.exit(f"There is no code BSC-LMM-{unknown[0]}; give three digits, such as 011.")
    for code in [f"BSC-LMM-{number}" for number in numbers] or CASES:
        print(refusal(code), end="\n\n")


if __name__ == "__main__":
    main(sys.argv[1:])
