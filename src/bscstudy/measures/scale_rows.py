"""Rows of the tables on scales and items: reliability, missing answers, item statistics, agreement within centers."""

from __future__ import annotations

import math

import numpy as np

from bscstudy.measures.aggregation import Null, aggregation
from bscstudy.measures.pooled import KINDS, Pooled
from bscstudy.measures.reliability import (
    cronbach_alpha,
    describe_ends,
    item_statistics,
    omega_total,
    ordinal_alpha,
    pairwise_alpha,
    standardized_alpha,
)
from bscstudy.measures.scales import possible_range


def _consistent(pooled: Pooled) -> np.ndarray:
    """Return the answers whose consistency means something: none where missing answers are counted."""
    return pooled.keyed if pooled.scale["rule"] != "count_missing" else pooled.keyed[:0]


def reliability_row(pooled: Pooled) -> dict:
    """Return consistency, distribution and missing answers of one scale and wave; ``n_partial`` were scored without all items."""
    low, high = possible_range(pooled.scale, pooled.bounds)
    low, high = pooled.step.range_after(low, high) if pooled.step else (low, high)
    ends, keyed = describe_ends(pooled.scores, low, high), _consistent(pooled)
    alpha, (pairwise, n_pairwise) = cronbach_alpha(keyed), pairwise_alpha(keyed)
    cells = pooled.n_asked * len(pooled.terms)
    shares = pooled.missing.sum(axis=0) / cells if cells else np.full(len(KINDS), math.nan)
    return {
        "n_asked": pooled.n_asked,
        "n_not_asked": pooled.n_not_asked,
        "n": ends.n,
        "k": pooled.keyed.shape[1],
        "n_complete": alpha.n,
        "alpha": alpha.value,
        "alpha_low": alpha.low,
        "alpha_high": alpha.high,
        "alpha_pairwise": pairwise,
        "n_pairwise": n_pairwise,
        "alpha_standardized": standardized_alpha(keyed),
        "alpha_ordinal": ordinal_alpha(keyed) if pooled.options else math.nan,
        "omega": omega_total(keyed),
        "mean": ends.mean,
        "sd": ends.sd,
        "floor": ends.floor,
        "ceiling": ends.ceiling,
        "n_partial": int(np.isnan(keyed).any(axis=1).sum()),
        **{f"missing_{kind}": float(share) for kind, share in zip(KINDS, shares, strict=True)},
    }


def item_rows(pooled: Pooled) -> list[dict]:
    """Return one row for each item of one scale and wave: missing answers by kind, distribution and what it adds to the scale."""
    found = []
    statistics = item_statistics(_consistent(pooled))
    for place, (term, bounds, own) in enumerate(zip(pooled.terms, pooled.bounds, statistics, strict=True)):
        answers = pooled.keyed[:, place]
        ends = describe_ends(answers, *bounds)
        found.append(
            {
                "place": place + 1,
                "item": term.item,
                "keyed": "reversed" if term.reverse else f"1 if {'|'.join(term.codes)}" if term.codes else "as answered",
                "n_asked": pooled.n_asked,
                **{f"n_{kind}": int(n) for kind, n in zip(KINDS, pooled.missing[place], strict=True)},
                "n": ends.n,
                "mean": ends.mean,
                "sd": ends.sd,
                "floor": ends.floor,
                "ceiling": ends.ceiling,
                "n_complete": own.n,
                "item_total": own.item_total,
                "alpha_if_deleted": own.alpha_if_deleted,
            }
        )
    return found


def aggregation_row(pooled: Pooled, null: Null | None = None) -> dict:
    """Return the evidence for a center mean of one scale and wave; rows without a center are left out."""
    known = pooled.centers != ""
    found = aggregation(pooled.scores[known], pooled.centers[known], pooled.keyed[known], pooled.options, null or Null())
    return dict(found.__dict__)
