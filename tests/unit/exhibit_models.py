"""Invented tables of model results, with the columns that docs/architecture.md names, for the tests of exhibits."""

import numpy as np
import pandas as pd

CENTERS = [f"CENTER{k}" for k in range(1, 8)]
RUNGS = ("exact", "satterthwaite", "kenward_roger", "cr2", "wild_cluster_bootstrap", "parametric_bootstrap", "wald")


def model_fits(**changes):
    """Return a change model that is ok, one that is unreliable, a facilitator model on the boundary and one left out."""
    base = {
        "question": "change", "outcome": "buy_in", "construct": "c", "unit": "person", "distribution": "gaussian", "link": "identity",
        "estimator": "REML", "df_method": "Satterthwaite", "adjust": "holm", "n": 40, "n_centers": 7, "n_persons": 30, "n_excluded": 3,
        "state": "ok", "reasons": "", "left_out": 0, "log_likelihood": -50.0, "sigma2": 0.2, "icc_center": 0.1, "r2_marginal": 0.12,
        "r2_conditional": 0.4, "smallest_p": 0.0156, "outcome_sd_baseline": 0.5, "second_engine": "dense GLS", "second_engine_agrees": 1,
        "log_likelihood_difference": 2e-9, "estimate_difference_in_se": 3e-7, "std_error_ratio_difference": 0.0, "notes": "",
    }  # fmt: skip
    rows = [
        {**base, "model": "m1", "label": "Change in buy-in"},
        {**base, "model": "m2", "label": "Change in stress", "outcome": "stress", "state": "unreliable", "second_engine_agrees": 0,
         "reasons": "estimates computed a second way differ by up to 0.2 standard errors", "estimate_difference_in_se": 0.2},
        {**base, "model": "f1", "label": "Dose", "question": "facilitators", "state": "boundary", "df_method": "Kenward-Roger",
         "reasons": "the variance of center_id is zero"},
        {**base, "model": "w1", "label": "Who it works for", "question": "moderation", "state": "failed", "left_out": 1,
         "second_engine": None, "second_engine_agrees": None, "log_likelihood_difference": None, "estimate_difference_in_se": None,
         "std_error_ratio_difference": None, "estimator": "not estimated", "notes": "the column language does not exist"},
    ]  # fmt: skip
    return pd.DataFrame(rows).assign(**changes)


def model_estimates():
    """Return the estimates of the contrast of m1 and the coefficient of f1."""
    row = {"estimate": 0.3, "std_error": 0.1, "df": 20.0, "statistic": 3.0, "p_value": 0.01, "p_adjusted": 0.02, "low": 0.1, "high": 0.5}
    row |= {"level": "row", "hypotheses": "h", "standardized": 0.6}
    return pd.DataFrame(
        [
            {**row, "model": "m1", "kind": "contrast", "term": "change_post", "label": "Before to after"},
            {**row, "model": "f1", "kind": "fixed", "term": "dose", "label": "Dose (per standard deviation)"},
        ]
    )


def ladder(p=(0.02, 0.01, 0.012, 0.03, 0.04, 0.014, 0.004)):
    """Return the rungs of the contrast of m1; the Wald rung carries a remark."""
    rows = []
    for rung, value in zip(RUNGS, p, strict=True):
        exact = rung in ("exact", "wild_cluster_bootstrap", "parametric_bootstrap")
        row = {"model": "m1", "kind": "contrast", "term": "change_post", "label": "Before to after", "rung": rung, "method": f"by {rung}"}
        row |= {
            "estimate": 0.3,
            "std_error": 0.1,
            "df": None if exact else 18.2,
            "statistic": 3.0,
            "p_value": value,
            "low": 0.1,
            "high": 0.5,
        }
        row |= {"smallest_p": 0.0156 if exact else None, "n_clusters": 7, "note": ""}
        rows.append(row)
    rows[-1] |= {"df": np.inf, "note": "with few groups a true null hypothesis is rejected too often"}
    return pd.DataFrame(sorted(rows, key=lambda r: r["rung"]))


def variance_partition():
    """Return three levels of m1 and two of f1; a limit beyond 1 and one missing."""
    rows = [("m1", "center_id", 7, 0.1, 0.0, 0.3), ("m1", "person_id", 30, 0.6, 0.4, 1.02), ("m1", "residual", None, 0.3, 0.2, 0.4),
            ("f1", "center_id", 7, 0.0, None, None), ("f1", "residual", None, 1.0, None, None)]  # fmt: skip
    return pd.DataFrame(rows, columns=["model", "level", "n_groups", "share", "low", "high"])


def marginal_means(n=((12, 9), (12, 3))):
    """Return means of m1 by wave and team, and by wave alone; n[wave][team] is the number of rows."""
    rows = []
    for w, wave in enumerate(("T1", "T2")):
        rows.append(("m1", "wave", wave, f"Wave {wave}", 3.0 + w, sum(n[w])))
        rows += [("m1", "wave:core", f"{wave}:{core}", f"{wave}, {core}", 3.1 + w + c, n[w][c]) for c, core in enumerate(("core", "other"))]
    frame = pd.DataFrame(rows, columns=["model", "means", "cell", "label", "estimate", "n"])
    return frame.assign(scale="score", std_error=0.1, df=12.0, low=frame["estimate"] - 0.2, high=frame["estimate"] + 0.2)


def center_modes():
    """Return the modes of seven centers of m1; the order of the modes is not that of the ids."""
    mode = np.array([0.1, -0.4, 0.5, 0.0, -0.1, 0.3, -0.2])
    frame = pd.DataFrame({"model": "m1", "center_id": CENTERS, "term": "(Intercept)", "label": "Mean", "mode": mode})
    return frame.assign(low=mode - 0.25, high=mode + 0.25)


def influence():
    """Return the refits of m1 without one center: one turns the sign, one could not be estimated."""
    values = [0.3, 0.32, -0.05, 0.28, 0.31, 0.33, None]
    rows = []
    for center, value in zip(CENTERS, values, strict=True):
        row = {"model": "m1", "kind": "contrast", "term": "change_post", "left_out": center, "label": "Before to after", "estimate": value}
        limits = (None, None) if value is None else (value - 0.2, value + 0.2)
        rows.append({**row, "low": limits[0], "high": limits[1], "full_estimate": 0.3, "state": "failed" if value is None else "ok"})
    return pd.DataFrame(rows)


def diagnostics():
    """Return quantiles of m1 that lie 0.6 SD off in the upper tail, and spreads from 0.8 to 2."""
    x = np.linspace(-1.5, 1.5, 7)
    quantile = pd.DataFrame({"kind": "quantile", "place": range(1, 8), "x": x, "y": x + [0, 0, 0, 0, 0, 0, 0.6], "spread": None, "n": 10})
    fitted = pd.DataFrame(
        {"kind": "fitted", "place": range(1, 4), "x": [2.0, 3.0, 4.0], "y": [0.1, 0, -0.1], "spread": [0.8, 1, 2], "n": 12}
    )
    return pd.concat([quantile, fitted], ignore_index=True).assign(model="m1")


def centers():
    """Return the register of centers."""
    return pd.DataFrame({"center_id": CENTERS, "collaborative": "alder"})


def all_tables():
    """Return every table of models, by name."""
    return {
        "models/fits": model_fits(),
        "models/estimates": model_estimates(),
        "models/ladder": ladder(),
        "models/variance_partition": variance_partition(),
        "models/marginal_means": marginal_means(),
        "models/center_modes": center_modes(),
        "models/influence": influence(),
        "models/diagnostics": diagnostics(),
        "centers": centers(),
    }
