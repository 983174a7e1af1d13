"""Agreement within centers: whether the answers of the people of a center may stand for their center as one mean."""

from __future__ import annotations

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits import harmonised, labels, masking
from bscstudy.exhibits.base import Context, Exhibit, empty_exhibit, places_in, wave_order
from bscstudy.measures.aggregation import LOWEST_ICC1, LOWEST_ICC2, LOWEST_R_WG
from bscstudy.privacy import is_small

TABLES = ("measures/aggregation",)
FIGURE = False
SECTIONS = ("items", "sources")
_EVIDENCE = ["icc1", "icc2", "r_wg_median", "r_wg_skewed_median", "n_low_agreement", "ad_median", "n_wide"]
_NULLS = {"uniform": "every answer as often", "slight_skew": "answers leaning slightly to the high side"}


def build(tables: dict[str, pd.DataFrame], context: Context) -> Exhibit:
    """Return one row for each scale and wave with more than one person in some center; option `scales` restricts them."""
    data = context.chosen(tables["measures/aggregation"], scales="scale")
    alone = data[(data["n_judged"] == 0) & data["icc1"].isna()]
    data = data.drop(index=alone.index)
    if data.empty:
        return empty_exhibit("No scale was answered by two or more people of one center.")
    small = data["n"].map(lambda n: is_small(n, context.min_cell)).to_numpy()
    data = data.astype(dict.fromkeys(_EVIDENCE, float))
    data.loc[small, _EVIDENCE] = float("nan")
    order = [places_in(data["scale"], list(labels.scale_rows(context))), places_in(data["wave"], wave_order(context))]
    data = data.assign(_scale=order[0], _wave=order[1]).sort_values(["_scale", "_wave"], kind="stable")
    return Exhibit(
        table=_shown(data, context),
        caption="Agreement of the people of a center, and differences between centers, by scale and wave",
        notes=_notes(data, context, small.any(), sorted(set(alone["scale"]))) | harmonised.map_note(data["scale"], context),
        sentences=(_sentence(data, context),),
        group_by="Scale",
    )


def _shown(data: pd.DataFrame, context: Context) -> pd.DataFrame:
    waves = context.labels("waves")
    return pd.DataFrame(
        [
            {
                "Scale": labels.outcome_label(row["scale"], context),
                "Wave": waves.get(str(row["wave"]), numbers.text(row["wave"])),
                "n": numbers.count(masking.few(row["n"], context.min_cell)),
                "Centers": numbers.count(row["n_centers"]),
                "ICC(1)": numbers.estimate(row["icc1"]),
                "ICC(2)": numbers.estimate(row["icc2"]),
                "r_wg": numbers.estimate(row["r_wg_median"]),
                "r_wg, skewed": numbers.estimate(row["r_wg_skewed_median"]),
                f"Centers below {LOWEST_R_WG:.2f}": _of(row["n_low_agreement"], row["n_judged"], row["r_wg_median"]),
                "AD": numbers.estimate(row["ad_median"]),
                "Centers above limit": _of(row["n_wide"], row["n_judged"], row["ad_median"]),
                "Center mean": numbers.text(row["aggregate"]),
            }
            for row in data.to_dict("records")
        ]
    )


def _of(n: float, of: float, known: float) -> str:
    return numbers.MISSING if numbers.is_missing(known) or numbers.is_missing(n) else f"{numbers.count(n)} of {numbers.count(of)}"


def _notes(data: pd.DataFrame, context: Context, withheld: bool, alone: list[str]) -> dict[str, str]:
    null = _NULLS[str(data["null"].iloc[0])]
    other = "the column 'skewed' has answers leaning to the high side, where that is declared for their number"
    notes = {
        "Estimator": "ICC(1), the share of variance between centers, and ICC(2), the reliability of a center's mean, from a one-way "
        "analysis of variance; r_wg and the average deviation AD are medians over centers with two or more complete persons",
        "n": "people (or forms) with a score and a center, all roles together",
        "Clusters": f"up to {numbers.plural(data['n_centers'].max(), 'center')}",
        "Null distribution": f"r_wg compares answers with those of people who agree on nothing; here it decides against {null}; {other}",
        "AD": "in points of an answer; its limit is the number of answers divided by 6",
        "Center mean": f"yes = median r_wg at least {LOWEST_R_WG:.2f} and ICC(1) at least {LOWEST_ICC1:.2f}; "
        f"where ICC(2) is below {LOWEST_ICC2:.2f} the mean of a single center is imprecise",
    }
    said = [str(d) for a, d in zip(data["aggregate"], data["decision"], strict=True) if a == "no" and not numbers.is_missing(d)]
    reasons = sorted({reason for decision in said for reason in decision.split("; ")})
    if reasons:
        notes["Not averaged because"] = "; ".join(reasons)
    if alone:
        names = numbers.listed([labels.outcome_label(scale, context) for scale in alone])
        notes["Exclusions"] = f"scales that one person of a center answers: {names}"
    if withheld:
        notes["Privacy"] = f"{masking.note(context.min_cell)}; what such a group answered is not shown"
    return notes


def _sentence(data: pd.DataFrame, context: Context) -> str:
    lacking = list(dict.fromkeys(labels.outcome_label(scale, context) for scale in data.loc[data["aggregate"] != "yes", "scale"]))
    if not lacking:
        return "The evidence supports a center's mean for every scale and wave."
    return f"A center's mean is not supported at some wave for {numbers.listed(lacking)}."


def mean_note(scale: str, tables: dict[str, pd.DataFrame]) -> dict[str, str]:
    """Return the note of an exhibit that orders centers by the change of a scale's center means, where the evidence is against these."""
    data = tables.get("measures/aggregation")
    rows = data[(data["scale"] == scale) & (data["aggregate"] == "no")] if data is not None else pd.DataFrame()
    if rows.empty:
        return {}
    at = numbers.listed(sorted(rows["wave"].dropna().astype(str)))
    reasons = sorted({reason for decision in rows["decision"].astype(str) for reason in decision.split("; ")})
    return {"Center mean": f"not supported by agreement within centers{f' at {at}' if at else ''}: {', '.join(reasons)}"}
