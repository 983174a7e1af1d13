"""Which center means of scales a model uses without evidence that the people of a center agree."""

from __future__ import annotations

import pandas as pd

CHANGE = "__change"


def center_mean_columns(spec: dict) -> dict[str, bool]:
    """Return the scales whose center means a model uses, and whether over all waves: a change between waves, or a ``between`` predictor."""
    named = [(p["column"], p.get("center") == "between") for p in (spec.get("predictors") or {}).values()]
    named.append((spec["outcome"], False))
    found = {column.removesuffix(CHANGE): True for column, _ in named if column.endswith(CHANGE)}
    return found | {column: False for column, between in named if between and column not in found}


def unsupported_center_means(spec: dict, evidence: pd.DataFrame | None, waves: list[str]) -> list[str]:
    """Return what must be said of the center means a model uses.

    Parameters
    ----------
    spec : dict
        A model of ``config/models``.
    evidence : DataFrame or None
        measures/aggregation.
    waves : list of str
        The waves of the model's rows; a change between waves is judged by all waves of the scale.

    Returns
    -------
    list of str
        One remark for each scale whose evidence is against a mean at some of these waves.
    """
    found = []
    for scale, everywhere in center_mean_columns(spec).items() if evidence is not None else ():
        rows = evidence[(evidence["scale"] == scale) & (evidence["aggregate"] == "no")]
        rows = rows if everywhere or not waves else rows[rows["wave"].isin(waves)]
        if len(rows):
            reasons = sorted({reason for decision in rows["decision"].astype(str) for reason in decision.split("; ")})
            at = ", ".join(sorted(str(wave) for wave in rows["wave"].dropna())) or "the only wave"
            found.append(f"uses the center's mean of {scale} without evidence for it ({at}: {', '.join(reasons)})")
    return found
