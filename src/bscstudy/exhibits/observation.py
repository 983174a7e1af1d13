"""What observers saw: each observation score by wave, with the indicators or segments it rests on."""

from __future__ import annotations

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits import harmonised, labels
from bscstudy.exhibits.base import Context, Exhibit, empty_exhibit, in_order, places_in, wave_order
from bscstudy.exhibits.distributions import box_panels

TABLES = ("measures/observation",)
FIGURE = True
SECTIONS = ("items", "sources")
NO_WAVE = "All visits"


def build(tables: dict[str, pd.DataFrame], context: Context) -> Exhibit:
    """Return one row for each score and wave; options: `scores` and `instruments` restrict them."""
    data = tables.get("measures/observation")
    if data is None:
        return empty_exhibit("The study has no classroom observation.")
    data = context.chosen(data, scores="score", instruments="instrument")
    if data.empty:
        return empty_exhibit("No visit was observed.")
    data = data.assign(wave=data["wave"].fillna("").astype(str) if "wave" in data else "")
    summary = _summary(data, context)
    names = _names(data, context)
    shown_waves = {**context.labels("waves"), "": NO_WAVE}
    apart = harmonised.not_comparable(names, context)
    drawn = [name for score, name in names.items() if score not in apart]
    boxes = data[~data["score"].isin(apart)].assign(panel=data["score"].map(names), wave=data["wave"].map(lambda w: shown_waves.get(w, w)))
    waves = [shown_waves.get(w, w) for w in in_order(data["wave"], wave_order(context))]
    return Exhibit(
        table=_shown(summary, names, shown_waves),
        caption="Observation scores by wave: visits with a score, mean, standard deviation and what the score rests on",
        notes=_notes(data) | harmonised.scale_notes(names, context) | ({"Not drawn": harmonised.NOT_DRAWN} if apart else {}),
        group_by="Score",
        figure=box_panels(boxes, drawn, waves, context, min_cell=1) if drawn else None,
        alt=f"Boxes of {len(drawn)} observation scores by wave; the table gives visits, mean and standard deviation of each.",
        data=summary,
    )


def _names(data: pd.DataFrame, context: Context) -> dict[str, str]:
    return {s: labels.outcome_label(s, context) for s in in_order(data["score"], list(labels.score_rows(context)))}


def _summary(data: pd.DataFrame, context: Context) -> pd.DataFrame:
    rows = []
    for (instrument, score, wave), part in data.groupby(["instrument", "score", "wave"], sort=True):
        scored = part[part["value"].notna()]
        rows.append(
            {
                "instrument": instrument,
                "score": score,
                "wave": wave,
                "visits": len(part),
                "n": len(scored),
                "n_centers": int(scored["center_id"].nunique()),
                "mean": scored["value"].mean(),
                "sd": scored["value"].std(ddof=1) if len(scored) > 1 else None,
                "numerator": part["numerator"].sum(min_count=1),
                "denominator": part["denominator"].sum(min_count=1),
                "n_interview": part["n_interview"].sum(),
            }
        )
    frame = pd.DataFrame(rows)
    orders = {"score": list(labels.score_rows(context)), "wave": wave_order(context)}
    rank = pd.DataFrame({c: places_in(frame[c], order) for c, order in orders.items()})
    return frame.loc[rank.sort_values(["score", "wave"], kind="stable").index].reset_index(drop=True)


def _shown(summary: pd.DataFrame, names: dict[str, str], waves: dict[str, str]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "Score": names[row["score"]],
                "Wave": waves.get(row["wave"], row["wave"]),
                "Visits": numbers.count(row["visits"]),
                "With a score": numbers.count(row["n"]),
                "Centers": numbers.count(row["n_centers"]),
                "Mean": numbers.estimate(row["mean"]),
                "SD": numbers.estimate(row["sd"]),
                "Rests on": _rests_on(row),
            }
            for row in summary.to_dict("records")
        ]
    )


def _rests_on(row: dict) -> str:
    if numbers.is_missing(row["denominator"]):
        return numbers.MISSING
    if numbers.is_missing(row["numerator"]):
        return f"{numbers.measure(row['denominator'])} ratings"
    told = "" if not row["n_interview"] > 0 else f", {_whole(row['n_interview'])} by interview"
    return f"{_whole(row['numerator'])} of {_whole(row['denominator'])} indicators{told}"


def _whole(value: float) -> str:
    return numbers.estimate(value, 0 if abs(value - round(value)) < 1e-9 else 1)


def _notes(data: pd.DataFrame) -> dict[str, str]:
    without = data[data["value"].isna()]
    reasons = without["why"].fillna("no reason stored").replace("", "no reason stored").value_counts().sort_index()
    listed = "; ".join(f"{labels.words(r).lower()}: {numbers.count(n)}" for r, n in reasons.items())
    coders = pd.to_numeric(data["n_raters"], errors="coerce") if "n_raters" in data else pd.Series(dtype=float)
    double = int(data.loc[coders > 1, "observation_id"].nunique()) if len(coders) else 0
    visits = data["observation_id"].nunique()
    return {
        "Estimator": "means over visits; indicators: yes / (yes + no), 'no opportunity' counts in neither; clustering is ignored",
        "n": f"{numbers.plural(visits, 'visit')}, {numbers.count(double)} of them coded by more than one rater{_whose(data)}",
        "Clusters": f"{numbers.count(data['center_id'].nunique())} centers",
        "Exclusions": f"visits without a score: {listed}" if listed else "every visit has every score",
        "Figure": "line = median, box = middle half, whiskers = 5th to 95th percentile, diamond = mean",
    }


def _whose(data: pd.DataFrame) -> str:
    """Return whose answers count in these visits."""
    words = {"mean": "averaged", "primary": "scored by the primary rater", "consensus": "scored by consensus"}
    used = {words[rule]: part for rule in words if len(part := data[data["scored_from"] == rule])}
    of = {told: numbers.listed([labels.words(name).lower() for name in sorted(part["instrument"].unique())]) for told, part in used.items()}
    return f", {numbers.listed([f'{told} ({of[told]})' for told in used] if len(used) > 1 else list(used))}" if used else ""
