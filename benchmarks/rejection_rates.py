"""Does each rung of the ladder hold its level with 7, 12 and 24 centers? Rejection rates under a true null, and coverage.

Run from the repository's root (about 25 minutes on two cores); it writes benchmarks/results/rejection_rates.csv and prints the
tables of docs/multilevel.md::

    .venv/bin/python benchmarks/rejection_rates.py

`--data-sets 100` is a quick look; `--processes` changes the time and nothing else. 5,000 data sets a cell are 100 responses for each
of 50 draws of centers. Data: 4 to 12 staff a center, two waves, 15 % of forms missing and a fifth of the people in one wave only;
standard deviations .3 (centers), .5 (people), .45 (residual), and 0 or .2 for the change of a center; no change on average and no
association with the exposure of a center. Questions: the change, the exposure, both at once. Every response is fitted with random
intercepts alone and with a random change of centers, so that leaving out what is there, and adding what is not, can both be seen.
Beside these `linear` models two other parts: `indicators`, counts of 9 to 14 applicable indicators in 2 to 6 classrooms a center,
visited twice (logit scale: sd .4 centers, .5 classrooms, 0 or .3 their change), and `answers`, one five-point item of the staff
(sd .5 centers, 1 people; 2,000 data sets a cell), both with random intercepts for centers and what is in them.

Fewer data sets, their number always in the table: parametric bootstraps of both questions at once and of a linear model that did not
draw the data (1,000), percentile intervals (1,000), profile intervals (500), bootstraps of indicators (200). A part can be run by itself
(`--parts indicators`); the others' rows are then kept.

The columns of the table of results: `truth` and `model` (what varied and what was fitted), `rate_05`, `rate_01`, `rate_smallest` the
shares of data sets with p at most .05, .01 and `smallest_p`, with Monte Carlo standard errors (`_se`) that include the differences
between draws of centers; `coverage` of the 95 % interval; `boundary` the share of fits with a variance of 0; `failed` the data sets
without an answer (counted as not rejected and not covered) and `failed_replicates` refits of a bootstrap that did not converge;
`holds_level` is "no" where the rate at .05 exceeds .06 and .05 by 3 standard errors.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
from rejection_data import SLOPE_SDS, Study, draw_responses, draw_study, linear_design
from rejection_rungs import (
    QUESTIONS,
    bootstrap_rungs,
    fit_of,
    likelihood_ratio_rungs,
    percentile_rungs,
    profile_rungs,
    rungs_of_data,
    rungs_of_fit,
)
from rejection_tally import Tally, markdown, table_of_rates

from bscstudy.multilevel.covariance import covariance_layout
from bscstudy.multilevel.engine import prepare
from bscstudy.multilevel.linear import LinearFit
from bscstudy.multilevel.parametric_bootstrap import restricted_design

RESULTS = Path(__file__).resolve().parent / "results" / "rejection_rates.csv"
PARTS = ("linear", "indicators", "answers")
SEEDS = {"linear": 20_250_701, "indicators": 20_250_702, "answers": 20_250_703}
CENTERS = (7, 12, 24)
DESIGNS = 50
TRUTHS = {sd: f"change varies (sd {sd:g})" if sd else "change does not vary" for sd in SLOPE_SDS}
MODELS = {False: "intercepts", True: "intercepts and change"}
#: one data set in so many gets what is slow: parametric bootstraps of both questions at once, of models other than the one that
#: drew the data, and percentile intervals; profile intervals (of the model that drew the data only)
SELDOM_EVERY, PROFILE_EVERY = 5, 10


@dataclass(frozen=True)
class Task:
    """One draw of centers for one part of the simulation, and how many responses to draw for it."""

    part: str
    n_centers: int
    number: int
    responses: int


def simulate(task: Task) -> Tally:
    """Return the counts of one draw of centers; its random numbers depend on the task alone."""
    rng = np.random.default_rng(np.random.SeedSequence(SEEDS[task.part], spawn_key=(task.n_centers, task.number)))
    if task.part == "linear":
        return simulate_linear(task, rng)
    from rejection_generalized import ANSWERS, INDICATORS, simulate_outcome

    return simulate_outcome({"indicators": INDICATORS, "answers": ANSWERS}[task.part], task.n_centers, task.responses, rng)


def simulate_linear(task: Task, rng: np.random.Generator) -> Tally:
    """Return the counts of one draw of centers for the linear models."""
    study, tally = draw_study(task.n_centers, rng), Tally()
    for slope_sd in SLOPE_SDS:
        responses = draw_responses(study, slope_sd, rng, task.responses)
        seeds = rng.integers(2**31, size=task.responses)
        for response, seed in zip(responses.T, seeds, strict=True):
            tally.add(TRUTHS[slope_sd], "none", rungs_of_data(study, response, int(seed)))
        for slope in MODELS:
            _simulate_model(study, responses, seeds, slope, TRUTHS[slope_sd], slope == (slope_sd > 0), tally)
    return tally


def _simulate_model(study: Study, responses: np.ndarray, seeds: np.ndarray, slope: bool, truth: str, right: bool, tally: Tally) -> None:
    ratios = likelihood_ratios(study, responses, slope=slope)
    for number, fit in enumerate(all_fits(study, responses, slope=slope)):
        add = partial(tally.add, truth, MODELS[slope], boundary=bool(fit.boundary))
        seed, seldom = int(seeds[number]), number % SELDOM_EVERY == 0
        add(rungs_of_fit(fit))
        add(likelihood_ratio_rungs({question: values[number] for question, values in ratios.items()}))
        add(bootstrap_rungs(fit, tuple(QUESTIONS) if seldom else ("change", "exposure") if right else (), seed))
        if seldom:
            add(percentile_rungs(fit, seed))
        if right and number % PROFILE_EVERY == 0:
            add(profile_rungs(fit))


def all_fits(study: Study, responses: np.ndarray, *, slope: bool) -> Iterator[LinearFit]:
    """Yield the REML fit of each response (n, B); the design is prepared and all responses are fitted once."""
    design = linear_design(study, responses[:, 0], slope=slope)
    layout = covariance_layout(design)
    prepared = prepare(design, layout)
    fits = prepared.fit_many(responses, layout.start(), reml=True)
    for number in range(responses.shape[1]):
        yield fit_of(design, prepared, layout, fits, number, np.ascontiguousarray(responses[:, number]))


def likelihood_ratios(study: Study, responses: np.ndarray, *, slope: bool) -> dict[str, np.ndarray]:
    """Return twice the difference of the log-likelihoods for each question and response (B,), missing where a fit did not converge."""
    design = linear_design(study, responses[:, 0], slope=slope)
    layout = covariance_layout(design)
    full = prepare(design, layout).fit_many(responses, layout.start(), reml=False)
    ratios = {}
    for question, contrasts in QUESTIONS.items():
        null = prepare(restricted_design(design, contrasts)[0], layout).fit_many(responses, layout.start(), reml=False)
        ratio = np.maximum(null.criterion - full.criterion, 0.0)
        ratios[question] = np.where(full.converged & null.converged, ratio, np.nan)
    return ratios


def run(data_sets: int, designs: int, processes: int, parts: tuple[str, ...] = PARTS) -> pd.DataFrame:
    """Return the table of results; it does not depend on the number of processes."""
    responses = data_sets // designs
    tasks = [Task(part, g, number, responses) for part in parts for g in sorted(CENTERS, reverse=True) for number in range(designs)]
    if processes == 1:
        tallies = [simulate(task) for task in tasks]
    else:
        with get_context("spawn").Pool(processes) as pool:
            tallies = list(pool.imap(simulate, tasks, chunksize=1))
    found: dict[tuple[str, int], list[Tally]] = {(part, g): [] for part in parts for g in CENTERS}
    for task, tally in zip(tasks, tallies, strict=True):
        found[task.part, task.n_centers].append(tally)
    return table_of_rates(found)


def with_other_parts(rates: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Return the rates with those of the parts that were not run, as they stand in the file."""
    if not path.exists():
        return rates
    kept = pd.read_csv(path, keep_default_na=False, na_values=[""])
    kept = kept[~kept.part.isin(rates.part)]
    return pd.concat([rates, kept]).sort_values("part", key=lambda part: part.map(PARTS.index), kind="stable") if len(kept) else rates


def main() -> None:
    """Run the simulation, write the results and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-sets", type=int, default=5000)
    parser.add_argument("--designs", type=int, default=DESIGNS)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--results", type=Path, default=RESULTS)
    settings = parser.parse_args()
    start = time.perf_counter()
    rates = run(settings.data_sets, settings.designs, settings.processes, tuple(settings.parts))
    settings.results.parent.mkdir(parents=True, exist_ok=True)
    with_other_parts(rates, settings.results).to_csv(settings.results, index=False, float_format="%.5f", lineterminator="\n")
    print(markdown(rates))
    print(f"\n{int(time.perf_counter() - start)} seconds; written to {settings.results}")


if __name__ == "__main__":
    main()
