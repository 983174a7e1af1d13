"""Data for the simulation of rejection rates: staff in centers over two waves, without any change and without any association."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bscstudy.multilevel.design import Design, GroupingFactor

CENTER_SD, PERSON_SD, RESIDUAL_SD = 0.3, 0.5, 0.45
SLOPE_SDS = (0.0, 0.2)  # of the change of a center, around no change on average
STAYING, ANSWERING = 0.8, 0.85  # people in both waves; forms that came back


@dataclass(frozen=True)
class Study:
    """Who answered in which wave.

    Attributes
    ----------
    n_centers : int
    center, person : ndarray of int64, shape (n,)
        Of each form; persons are numbered over all centers.
    wave : ndarray, shape (n,)
        0 or 1.
    exposure : ndarray, shape (G,)
        One value a center, standard normal.
    """

    n_centers: int
    center: np.ndarray
    person: np.ndarray
    wave: np.ndarray
    exposure: np.ndarray

    @property
    def fixed(self) -> np.ndarray:
        """Constant, wave and exposure, shape (n, 3)."""
        return np.column_stack([np.ones(len(self.wave)), self.wave, self.exposure[self.center]])

    def center_means(self, responses: np.ndarray, wave: float | None = None) -> np.ndarray:
        """Return the mean of the forms of each center, of one wave or of both; ``responses`` (n, B), shape (G, B)."""
        used = np.ones(len(self.wave), bool) if wave is None else self.wave == wave
        member = (self.center == np.arange(self.n_centers)[:, None]) & used
        return (member / member.sum(axis=1, keepdims=True)) @ responses


def draw_study(n_centers: int, rng: np.random.Generator) -> Study:
    """Draw centers of 4 to 12 staff, an exposure a center, and the forms that came back; each center has forms in both waves."""
    size = rng.integers(4, 13, n_centers)
    center = np.repeat(np.arange(n_centers), size)
    exposure = rng.standard_normal(n_centers)
    while True:
        present = np.ones((len(center), 2), bool)
        moving = rng.random(len(center)) >= STAYING
        present[moving, rng.integers(2, size=len(center))[moving]] = False
        present &= rng.random(present.shape) < ANSWERING
        if all(np.bincount(center, present[:, wave]).min() > 0 for wave in (0, 1)):
            break
    who, wave = np.nonzero(present)
    person = np.unique(who, return_inverse=True)[1].astype(np.int64)
    return Study(n_centers, center[who].astype(np.int64), person, wave.astype(float), exposure)


def draw_responses(study: Study, slope_sd: float, rng: np.random.Generator, count: int) -> np.ndarray:
    """Draw scores under the null hypothesis, shape (n, count)."""
    scores = RESIDUAL_SD * rng.standard_normal((len(study.wave), count))
    scores += PERSON_SD * rng.standard_normal((study.person.max() + 1, count))[study.person]
    scores += CENTER_SD * rng.standard_normal((study.n_centers, count))[study.center]
    if slope_sd > 0:
        scores += slope_sd * rng.standard_normal((study.n_centers, count))[study.center] * study.wave[:, None]
    return scores


def linear_design(study: Study, response: np.ndarray, *, slope: bool) -> Design:
    """Return the design of ``y ~ wave + exposure + (1 | center/person)``, with ``slope`` also ``(0 + wave | center)``."""
    random = study.fixed[:, : 2 if slope else 1]
    names = ("(Intercept)", "wave")[: random.shape[1]]
    n = len(response)
    return Design(
        response=np.asarray(response, float),
        trials=None,
        fixed=np.ascontiguousarray(study.fixed),
        fixed_names=("(Intercept)", "wave", "exposure"),
        factors=(
            factor("center:person", study.person, ("(Intercept)",), np.ones((n, 1))),
            factor("center", study.center, names, np.ascontiguousarray(random)),
        ),
        weights=np.ones(n),
        offset=np.zeros(n),
        rows=np.arange(n),
        response_name="score",
    )


def factor(name: str, codes: np.ndarray, effect_names: tuple[str, ...], columns: np.ndarray) -> GroupingFactor:
    """Return a grouping factor with uncorrelated random columns."""
    labels = tuple(str(level) for level in range(codes.max() + 1))
    return GroupingFactor(name, codes, labels, effect_names, columns, np.eye(len(effect_names), dtype=bool))
