"""What people answered: each scale's n, mean, spread and range by wave, and boxes of the scores."""

from __future__ import annotations

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits import harmonised, labels, masking
from bscstudy.exhibits.base import Context, Exhibit, empty_exhibit, in_order, places_in, wave_order
from bscstudy.exhibits.distributions import box_panels
from bscstudy.privacy import COMPLEMENT, is_small

TABLES = ("measures/scores",)
FIGURE = True
SECTIONS = ("items", "sources")


def build(tables: dict[str, pd.DataFrame], context: Context) -> Exhibit:
    """Return descriptives by scale and wave; options: `scales` (ids to show), `by` = `role` or `collaborative`."""
    scores = _asked(tables["measures/scores"], context)
    if scores.empty:
        return empty_exhibit("No scale has a score.")
    by = [context.options["by"]] if context.options.get("by") in ("role", "collaborative") else []
    data = _describe(scores, by, context)
    apart = harmonised.not_comparable(scores["scale"], context)
    boxes = scores[~scores["scale"].isin(apart)].rename(columns={"score": "value"})
    boxes = boxes.assign(
        panel=boxes["scale"].map(lambda s: labels.outcome_label(s, context)), wave=boxes["wave"].map(context.labels("waves"))
    )
    ends = {s: (r.get("low"), r.get("high")) for s, r in labels.scale_rows(context).items()}
    boxes = boxes.assign(
        low=[ends.get(s, (None, None))[0] for s in boxes["scale"]], high=[ends.get(s, (None, None))[1] for s in boxes["scale"]]
    )
    panels = [labels.outcome_label(s, context) for s in in_order(boxes["scale"], list(labels.scale_rows(context)))]
    waves = [context.labels("waves")[w] for w in in_order(scores["wave"], wave_order(context))]
    return Exhibit(
        table=_shown(data, by, context),
        caption="Scale scores by wave: people with a score, mean, standard deviation and quartiles",
        notes=_notes(data, context)
        | harmonised.scale_notes(data["scale"], context)
        | ({"Not drawn": harmonised.NOT_DRAWN} if apart else {}),
        group_by="Scale",
        figure=box_panels(boxes, panels, waves, context, min_cell=context.min_cell) if panels else None,
        alt=f"Boxes of scores by wave for {numbers.plural(len(panels), 'scale')}; "
        "the table gives n, mean, standard deviation and quartiles of each.",
        data=_behind(data, context) if not by else None,
    )


def _asked(scores: pd.DataFrame, context: Context) -> pd.DataFrame:
    kept = scores[scores["why"].fillna("") != "not_asked"]
    return context.chosen(kept, scales="scale")


def _describe(scores: pd.DataFrame, by: list[str], context: Context) -> pd.DataFrame:
    rows = []
    for keys, part in scores.groupby(["scale", "wave", *by], sort=True):
        values = part["score"].dropna().astype(float)
        quartiles = values.quantile([0.25, 0.5, 0.75]).tolist() if len(values) else [None] * 3
        rows.append(
            {
                **dict(zip(["scale", "wave", *by], keys, strict=True)),
                "answered": len(part),
                "n": len(values),
                "n_centers": int(part.loc[part["score"].notna(), "center_id"].nunique()),
                "mean": values.mean() if len(values) else None,
                "sd": values.std(ddof=1) if len(values) > 1 else None,
                "q1": quartiles[0],
                "median": quartiles[1],
                "q3": quartiles[2],
            }
        )
    data = pd.DataFrame(rows)
    for column, order in (("scale", list(labels.scale_rows(context))), ("wave", wave_order(context))):
        data[f"_{column}"] = places_in(data[column], order)
    return data.sort_values(["_scale", "_wave", *by], kind="stable").reset_index(drop=True)


def _shown(data: pd.DataFrame, by: list[str], context: Context) -> pd.DataFrame:
    waves, rows = context.labels("waves"), []
    groups = context.labels(f"{by[0]}s") if by else {}
    few, withheld = _withheld(data, by, context.min_cell)
    for row, small, hidden in zip(data.to_dict("records"), few, withheld, strict=True):
        scale = labels.scale_rows(context).get(row["scale"], {})
        value = {k: None if hidden else row[k] for k in ("mean", "sd", "q1", "median", "q3")}
        rows.append(
            {
                "Scale": f"{labels.outcome_label(row['scale'], context)}{_range_text(scale)}",
                "Wave": waves.get(str(row["wave"]), str(row["wave"])) + (f": {groups.get(row[by[0]], row[by[0]])}" if by else ""),
                "n": f"<{context.min_cell}" if small else COMPLEMENT if hidden else numbers.count(row["n"]),
                "No score": numbers.MISSING if hidden else numbers.count(row["answered"] - row["n"]),
                "Mean": numbers.estimate(value["mean"]),
                "SD": numbers.estimate(value["sd"]),
                "25%": numbers.estimate(value["q1"]),
                "Median": numbers.estimate(value["median"]),
                "75%": numbers.estimate(value["q3"]),
                "Centers": numbers.count(row["n_centers"]),
            }
        )
    return pd.DataFrame(rows)


def _behind(data: pd.DataFrame, context: Context) -> pd.DataFrame:
    """Return the numbers behind the boxes, blank where so few answered that the table withholds them."""
    _, withheld = _withheld(data, [], context.min_cell)
    kept = data.drop(columns=[c for c in data if c.startswith("_")])
    return kept.assign(**{c: kept[c].astype(float).where(~withheld) for c in kept.columns.difference(["scale", "wave"], sort=False)})


def _withheld(data: pd.DataFrame, by: list[str], min_cell: int) -> tuple[pd.Series, pd.Series]:
    """Return which rows rest on few scores, and which are not shown: these, few forms, and of parts what would give them away."""
    counts = (data["answered"], data["n"])
    hidden = masking.any_small(counts, min_cell)
    withheld = masking.with_complement(hidden, counts, data[["scale", "wave"]], min_cell) if by else hidden
    return masking.any_small((data["n"],), min_cell), withheld


def _range_text(scale: dict) -> str:
    low, high = scale.get("low"), scale.get("high")
    return "" if numbers.is_missing(low) or numbers.is_missing(high) else f" ({low:g} to {high:g})"


def _notes(data: pd.DataFrame, context: Context) -> dict[str, str]:
    without, forms = int((data["answered"] - data["n"]).sum()), int(data["answered"].sum())
    small = data["n"].map(lambda n: is_small(n, context.min_cell)).any()
    of_all = "" if small else f" of {numbers.count(forms)}"
    return {
        "Estimator": "means, standard deviations and quartiles over people; no clustering is taken into account here (the models do that)",
        "n": "people (or forms, where a form is anonymous) with a score",
        "Clusters": f"up to {numbers.plural(data['n_centers'].max(), 'center')}",
        "Exclusions": f"{numbers.count(without)}{of_all} scores are missing, because too "
        "few items were answered; a form counts once for each scale it was asked",
        "Figure": "line = median, box = middle half, whiskers = 5th to 95th percentile, diamond = mean; no single person's score is drawn",
        "Privacy": masking.note(context.min_cell) + "; how many have no score is shown wherever n is, as it says nothing of an answer",
    }
