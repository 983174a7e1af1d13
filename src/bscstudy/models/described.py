"""What stands beside the estimates of a model: variances and their partition, means, the ladder, centers, influence, diagnostics."""

from __future__ import annotations

import numpy as np

from bscstudy.models.cells import cells
from bscstudy.models.contrasts import means_at
from bscstudy.models.estimates import CONFIDENCE, Question, column_name, column_parts
from bscstudy.models.fitting import group_names
from bscstudy.models.rows import ModelRows
from bscstudy.models.terms import Vocabulary

CENTER = "center_id"


def variance_rows(result: object) -> list[dict]:
    """Return {group, term, term2, variance, sd, correlation} of each random effect; the residual variance stands apart."""
    names = group_names(result)
    rows = result.variance_components
    rows = rows[rows["group"] != "Residual"]
    return [
        {**row, "group": names[row["group"]], "term": _term(row["term"]), "term2": _term(row["term2"])} for row in rows.to_dict("records")
    ]


def _term(name: str) -> str:
    return column_name(column_parts(name)) if name else ""


def partition_rows(result: object) -> list[dict]:
    """Return {level, n_groups, share, low, high}: of the variance left by the fixed part, the share of each level."""
    names = {**group_names(result), "Residual": "residual"}
    columns = {"group": "level", "n_groups": "n_groups", "share": "share", "share_lower": "low", "share_upper": "high"}
    rows = result.variance_partition(CONFIDENCE)[list(columns)].rename(columns=columns).to_dict("records")
    return [{**row, "level": names[row["level"]]} for row in rows]


def icc_center(partition: list[dict], paths: dict[str, tuple[str, ...]]) -> float | None:
    """Return the share of variance that rows of one center have in common: that of the center and of what it lies within."""
    if CENTER not in paths:
        return None
    within = {name for name, path in paths.items() if set(path) <= set(paths[CENTER])}
    return float(sum(row["share"] for row in partition if row["level"] in within))


def means_rows(spec: dict, result: object, rows: ModelRows, inference: object, words: Vocabulary) -> list[dict]:
    """Return the declared marginal means, each with its interval and the rows of the model in its cell."""
    from bscstudy.multilevel.marginal_means import MeansRequest, means_frame
    from bscstudy.multilevel.new_rows import fixed_part

    scale = "score" if result.linear else "link" if result.family.is_ordinal else "response"
    how = {"family": result.family, "scale": "response" if scale == "response" else "link", "level": CONFIDENCE}
    found = []
    for factors in spec.get("marginal_means") or []:
        at = {name: mean for name, mean in means_at(rows).items() if name not in factors}
        frame = means_frame(fixed_part(result.fit.design), MeansRequest(tuple(factors), at=at), inference, **how)
        counts = rows.frame.groupby(list(factors), observed=False).size()
        sizes = cells(rows.frame, list(factors), spec["unit"])
        for row in frame.to_dict("records"):
            grid = {name: str(row[name]) for name in factors}
            key = tuple(row[name] for name in factors)
            label = ", ".join(words.level(name, level) for name, level in grid.items())
            numbers = {
                "estimate": row["estimate"],
                "std_error": row["std_error"],
                "df": row["df"],
                "low": row["lower"],
                "high": row["upper"],
            }
            key = key if len(key) > 1 else key[0]
            n = {"n": int(counts.get(key, 0)), **_sizes(sizes, key)}
            place = {"means": ":".join(factors), "cell": ":".join(grid.values()), "grid": grid}
            found.append({**place, "label": label, "scale": scale, **numbers, **n})
    return found


def _sizes(sizes: object, key: object) -> dict:
    """People and centers of one cell; nobody where it does not occur."""
    if key not in sizes.index:
        return {"n_people": 0, "n_centers": 0}
    people, centers = sizes.loc[key, ["people", "centers"]]
    return {"n_people": int(people), "n_centers": None if centers is None or centers != centers else int(centers)}


def ladder_rows(questions: list[Question], result: object, rungs: tuple[str, ...], seed: int, draws: int) -> list[dict]:
    """Return every rung for every question, in the words of the table models/ladder."""
    from dataclasses import asdict

    from bscstudy.multilevel.ladder import ladder

    if not questions or not rungs:
        return []
    found = ladder(result, np.array([q.weights for q in questions]), rungs, seed=seed, draws=draws)
    rows = []
    for rung in found:
        question, plain = questions[rung.contrast], asdict(rung)
        plain.pop("contrast")
        rows.append({**question.place(), **plain})
    return rows


def mode_rows(result: object, rows: ModelRows, words: Vocabulary) -> list[dict]:
    """Return the conditional modes of the centers with 95% limits that take the estimated parameters as known."""
    from scipy.special import ndtri

    names = group_names(result)
    factor = next((f for f in result.fit.design.factors if names[f.name] == CENTER), None)
    if factor is None:
        return []
    first = np.unique(factor.codes, return_index=True)[1]
    centers = dict(zip(factor.labels, rows.frame[CENTER].astype(str).to_numpy()[result.fit.design.rows[first]], strict=True))
    modes = result.conditional_modes()
    reach = float(ndtri((1 + CONFIDENCE) / 2))
    found = []
    for row in modes[modes["group"] == factor.name].itertuples():
        parts = column_parts(row.term)
        label = "Mean" if not parts else " × ".join(n if v is None else f"{words.level(n, v)} ({n})" for n, v in parts)
        limits = {"low": row.mode - reach * row.std_error, "high": row.mode + reach * row.std_error}
        found.append({"center_id": centers[row.level], "term": column_name(parts), "label": label, "mode": row.mode, **limits})
    return found
