"""A small invented study for the tests of exhibits: configuration sections and derived tables."""

import numpy as np
import pandas as pd

from bscstudy.exhibits.base import Context

CONFIG = {
    "study": {"id": "tiny", "title": "Tiny study", "synthetic": True, "seed": 1},
    "waves": [{"id": "T1", "label": "Before", "order": 1}, {"id": "T2", "label": "After", "order": 2}],
    "collaboratives": [{"id": "alder", "label": "Alder"}, {"id": "birch", "label": "Birch"}],
    "roles": [{"id": "director", "label": "Director"}, {"id": "teacher", "label": "Teacher"}],
    "privacy": {"min_cell": 5, "show_centers": False},
    "scales": [
        {"scale": "buy_in", "label": "Buy-in", "better": "higher", "low": 1, "high": 5},
        {"scale": "stress", "label": "Stress", "better": "lower", "low": 1, "high": 5},
    ],
    "observation": [
        {"id": "form", "label": "Form", "kind": "indicators", "parts": [{"id": "key", "label": "Key practices", "better": "higher"}]}
    ],
    "fidelity": [{"id": "attendance", "label": "Attendance", "rule": "share"}],
    "models": {
        "m1": {
            "id": "m1",
            "contrasts": [{"id": "change_post", "label": "Before to after"}, {"id": "core", "label": "Core", "at": {"core": "core"}}],
        },
        "f1": {"id": "f1", "predictors": {"dose": {"column": "dose", "scale": "sd"}}},
    },
    "run_charts": {"metrics": [{"id": "talk", "label": "Families with talk", "better": "higher"}]},
    "exclusions": [{"source": "staff", "match": {"person_id": "A01-P07"}, "reason": "second form"}],
}


def context(exhibit="T1_x", **changes):
    """Return a context of the tiny study."""
    fields = {"kind": "x", "title": "An exhibit", "section": "Part", "options": {}, "config": CONFIG, **changes}
    return Context(exhibit, **fields)


def fits(**changes):
    """Return two change models (one failed) and a facilitator model."""
    base = {
        "estimator": "REML",
        "df_method": "between-within",
        "n": 40,
        "n_persons": 30,
        "n_centers": 7,
        "n_excluded": 3,
        "state": "ok",
        "unit": "person",
    }
    frame = pd.DataFrame(
        [
            {**base, "model": "m1", "label": "Change in buy-in", "question": "change", "outcome": "buy_in", "outcome_sd_baseline": 0.5},
            {**base, "model": "m2", "label": "Change in stress", "question": "change", "outcome": "stress", "outcome_sd_baseline": 0.8},
            {**base, "model": "f1", "label": "Dose", "question": "facilitators", "outcome": "buy_in", "outcome_sd_baseline": 0.5},
        ]
    )
    frame["reasons"], frame["notes"], frame["smallest_p"] = "", "", 0.0078
    frame.loc[1, ["state", "reasons"]] = ["failed", "the two optimisers disagree"]
    return frame.assign(**changes)


def estimates():
    """Return the estimates of the models that were estimated."""
    row = {
        "df": 20.0,
        "std_error": 0.1,
        "statistic": 2.0,
        "p_value": 0.01,
        "p_adjusted": 0.02,
        "low": 0.1,
        "high": 0.5,
        "estimate": 0.3,
        "standardized": 0.6,
    }
    return pd.DataFrame(
        [
            {**row, "model": "m1", "kind": "contrast", "term": "change_post", "label": "Before to after"},
            {
                **row,
                "model": "m1",
                "kind": "contrast",
                "term": "core",
                "label": "Before to after, core team",
                "low": -0.1,
                "p_value": 0.2,
                "p_adjusted": 0.4,
            },
            {**row, "model": "m1", "kind": "fixed", "term": "(Intercept)", "label": "Mean"},
            {
                **row,
                "model": "f1",
                "kind": "fixed",
                "term": "wave[T2]:dose",
                "label": "Change from Before to After × Dose (per standard deviation)",
            },
            {**row, "model": "f1", "kind": "fixed", "term": "dose", "label": "Dose (per standard deviation)"},
            {**row, "model": "f1", "kind": "fixed", "term": "role[director]", "label": "Director compared with Teacher"},
        ]
    )


def scores():
    """Return scores of 12 people of three centers at two waves; one person has no score at the second."""
    rng = np.random.default_rng(3)
    rows = [
        {
            "scale": "buy_in",
            "wave": w,
            "person_id": f"P{i}",
            "center_id": f"C{i % 3}",
            "role": "director" if i < 3 else "teacher",
            "score": s,
            "why": None,
        }
        for w in ("T1", "T2")
        for i, s in enumerate(rng.uniform(1, 5, 12).round(2))
    ]
    rows[-1].update(score=np.nan, why="too_few_items")
    return pd.DataFrame(rows)


def flow():
    """Return expected and received forms of two centers by role."""
    rows = [("A1", "director", 1, 1, 0), ("A1", "teacher", 10, 8, 1), ("B1", "director", 1, 1, 0), ("B1", "teacher", 9, 9, 0)]
    return pd.DataFrame(
        [
            {
                "instrument": "staff_survey",
                "wave": "T1",
                "collaborative": "alder" if c == "A1" else "birch",
                "center_id": c,
                "role": r,
                "expected": e,
                "received": g,
                "excluded": x,
            }
            for c, r, e, g, x in rows
        ]
    )
