"""Each question again without one center at a time."""

from __future__ import annotations

import numpy as np

from bscstudy.errors import BscError
from bscstudy.models.described import CENTER
from bscstudy.models.estimates import CONFIDENCE, Question
from bscstudy.models.rows import ModelRows

#: fewest centers for leaving one out: three remain; beyond the most, one among so many moves nothing, and each costs a refit
FEWEST_CENTERS, MOST_CENTERS = 4, 100


def influence_rows(questions: list[Question], result: object, rows: ModelRows, method: str | None) -> list[dict]:
    """Return {left_out, term, kind, label, cell_n, cell_centers, estimate, low, high, full_estimate, state} for every center and question.

    A refit starts at the estimates with all centers. Its interval is by the model's own method. The state is the verdict of the refit;
    where it is not ok or boundary, or a question cannot be answered without the center, the numbers are missing. No rows with fewer than
    4 or more than 100 centers.
    """
    if CENTER not in rows.frame or not questions or not result.fit.design.factors:
        return []
    centers = rows.frame[CENTER].astype(str).to_numpy()[result.fit.design.rows]
    if not FEWEST_CENTERS <= len(set(centers)) <= MOST_CENTERS:
        return []
    weights = np.array([q.weights for q in questions])
    full = weights @ result.fit.beta[: result.fit.design.p]
    found = []
    for center in sorted(set(centers)):
        state, estimates, limits = _without(result, centers != center, weights, method)
        for i, question in enumerate(questions):
            known = {"estimate": estimates[i], "low": limits[i, 0], "high": limits[i, 1], "full_estimate": float(full[i])}
            words = {"left_out": center, **question.place()}
            found.append({**words, **{name: float(v) for name, v in known.items()}, "state": state})
    return found


def _without(result: object, kept: np.ndarray, weights: np.ndarray, method: str | None) -> tuple[str, np.ndarray, np.ndarray]:
    """State, estimates (m,) and limits (m, 2) of a refit to some of the rows."""
    from bscstudy.multilevel.contrasts import interval_limits
    from bscstudy.multilevel.influence import subset
    from bscstudy.multilevel.refit import refitter
    from bscstudy.multilevel.result_methods import inference
    from bscstudy.multilevel.verdict import judge_fit

    nothing = np.full(len(weights), np.nan), np.full((len(weights), 2), np.nan)
    design = subset(result.fit.design, kept)
    size = np.linalg.norm(design.fixed, axis=0)
    if np.any(size == 0) or np.linalg.matrix_rank(design.fixed / size) < design.p:
        return "failed", *nothing
    same = [f.name for f in design.factors] == [f.name for f in result.fit.design.factors]
    try:
        part = refitter(result, reml=result.restricted)(design, result.fit.theta if same else None)
        verdict = judge_fit(part)
        if not verdict.estimated:
            return verdict.state, *nothing
        tests = inference(part, method, refitter(result, reml=False)).tests(weights)
    except BscError:
        return "failed", *nothing
    return verdict.state, tests.estimate, interval_limits(tests, CONFIDENCE)
