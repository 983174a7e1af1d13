"""How well the scales measure: alpha in its forms and omega, ends of the scale, what is missing, and which may be averaged."""

from __future__ import annotations

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits import harmonised, labels, masking, style
from bscstudy.exhibits.base import Context, Exhibit, empty_exhibit, places_in, wave_order
from bscstudy.privacy import is_small

TABLES = ("measures/reliability", "measures/aggregation")
FIGURE = True
SECTIONS = ("items", "sources")
ACCEPTABLE = 0.70
#: what is not shown of a wave with too few people
_OF_COMPLETE = ["alpha", "alpha_low", "alpha_high", "alpha_ordinal", "omega"]
_OF_PEOPLE = [*_OF_COMPLETE, "floor", "ceiling", "missing"]
#: answers that a person was asked and did not give
_NOT_ANSWERED = ["missing_skipped", "missing_coded", "missing_not_possible"]


def build(tables: dict[str, pd.DataFrame], context: Context) -> Exhibit:
    """Return one row for each scale and wave; option `scales` restricts them."""
    data = tables["measures/reliability"]
    data = context.chosen(data, scales="scale")
    data = data[data["n"].fillna(0) > 0]
    if data.empty:
        return empty_exhibit("No scale was answered by anyone.")
    together = tables["measures/aggregation"][["scale", "wave", "aggregate"]]
    data = data.assign(missing=data[_NOT_ANSWERED].sum(axis=1, min_count=1)).merge(together, on=["scale", "wave"], how="left")
    small, few = ([is_small(n, context.min_cell) for n in data[column]] for column in ("n", "n_complete"))
    data.loc[few, _OF_COMPLETE] = None
    data.loc[small, _OF_PEOPLE] = None
    data = _ordered(data, context)
    return Exhibit(
        table=_shown(data, context),
        caption="Reliability of the scales by wave",
        notes=_notes(data)
        | harmonised.scale_notes(data["scale"], context)
        | ({"Privacy": f"{masking.note(context.min_cell)}; what such a group answered is not shown"} if any(small + few) else {}),
        sentences=tuple(_sentences(data, context)),
        group_by="Scale",
        figure=_figure(data, context) if data["alpha"].notna().any() else None,
        alt=_alt(data),
        data=data[["scale", "wave", "alpha", "alpha_low", "alpha_high"]],
    )


def _ordered(data: pd.DataFrame, context: Context) -> pd.DataFrame:
    scales, waves = list(labels.scale_rows(context)), wave_order(context)
    rank = pd.DataFrame({"scale": places_in(data["scale"], scales), "wave": places_in(data["wave"], waves)})
    return data.loc[rank.sort_values(["scale", "wave"], kind="stable").index].reset_index(drop=True)


def _shown(data: pd.DataFrame, context: Context) -> pd.DataFrame:
    waves = context.labels("waves")
    return pd.DataFrame(
        [
            {
                "Scale": labels.outcome_label(row["scale"], context),
                "Wave": waves.get(str(row["wave"]), str(row["wave"])),
                "Items": numbers.count(row["k"]),
                "n": numbers.count(masking.few(row["n"], context.min_cell)),
                "Alpha": numbers.estimate(row["alpha"]),
                "95% interval": numbers.interval(row["alpha_low"], row["alpha_high"]),
                "Ordinal alpha": numbers.estimate(row["alpha_ordinal"]),
                "Omega": numbers.estimate(row["omega"]),
                "At lowest": numbers.percent(row["floor"]),
                "At highest": numbers.percent(row["ceiling"]),
                "Not answered": numbers.percent(row["missing"]),
                "Center mean": numbers.text(row["aggregate"]),
            }
            for row in data.to_dict("records")
        ]
    )


def _notes(data: pd.DataFrame) -> dict[str, str]:
    notes = {
        "Estimator": "alpha with the interval of Feldt; ordinal alpha from polychoric correlations, for the normal variables that ordered "
        "answers may stand for; omega total of one factor",
        "n": "people (or forms) with a score",
        "Exclusions": "alpha, ordinal alpha and omega use people who answered every item of the scale (listwise); "
        "'not answered' is the share of asked answers that are blank, coded as missing or not possible, of everybody asked",
        "Figure": "an interval that reaches below the axis is cut at its end",
        "Center mean": "yes = answers within a center agree enough, and centers differ enough, to average them",
    }
    if data["omega"].isna().any() or data["alpha"].isna().any():
        notes["A dash"] = (
            "not defined for one item, for items that do not vary, or where nobody answered every item; "
            "omega also needs a proper one-factor solution"
        )
    return notes


def _sentences(data: pd.DataFrame, context: Context) -> list[str]:
    known = data.dropna(subset=["alpha"])
    low = sorted({labels.outcome_label(s, context) for s in known.loc[known["alpha"] < ACCEPTABLE, "scale"]})
    if known.empty:
        return ["No scale has an alpha that can be computed."]
    lowest, highest = numbers.estimate(known["alpha"].min()), numbers.estimate(known["alpha"].max())
    span = f"Alpha is {lowest}" if lowest == highest else f"Alpha lies between {lowest} and {highest} over scales and waves"
    return [f"{span}; it is below .70 at some wave for {numbers.listed(low)}." if low else f"{span}."]


def _figure(data: pd.DataFrame, context: Context):
    waves = context.labels("waves")
    known = data.dropna(subset=["alpha"])
    scales = list(dict.fromkeys(known["scale"]))
    present = list(dict.fromkeys(w for w in wave_order(context) if w in set(known["wave"])))
    figure, axis = style.new_figure(7.5, 1.5 + (0.12 + 0.09 * len(present)) * max(3, len(scales)))
    place = {scale: len(scales) - 1 - i for i, scale in enumerate(scales)}
    axis.axvline(ACCEPTABLE, color=style.MUTED, linewidth=1, linestyle=(0, (4, 3)))
    for number, wave in enumerate(present):
        part = known[known["wave"] == wave]
        shift = 0.25 - 0.5 * number / max(1, len(present) - 1) if len(present) > 1 else 0
        errors = [(part["alpha"] - part["alpha_low"]).fillna(0), (part["alpha_high"] - part["alpha"]).fillna(0)]
        axis.errorbar(
            part["alpha"], [place[s] + shift for s in part["scale"]], xerr=errors, fmt=style.MARKERS[number % len(style.MARKERS)],
            color=style.PALETTE[number % len(style.PALETTE)], markersize=5, elinewidth=1.3, label=waves.get(wave, wave),
        )  # fmt: skip
    axis.set_yticks(list(place.values()), [labels.outcome_label(s, context) for s in place])
    axis.set_ylim(-0.6, len(scales) - 0.4)
    axis.set_xlim(0.4 if len(known) and known["alpha_low"].min() > 0.4 else 0, 1)
    axis.set_xlabel("Alpha with 95% interval (dashed line: .70)")
    axis.grid(axis="x")
    axis.tick_params(axis="y", length=0)
    figure.legend(loc="outside lower center", ncols=max(1, len(present)))
    style.finish(figure, context)
    return figure


def _alt(data: pd.DataFrame) -> str:
    known = data["alpha"].dropna()
    span = f" from {numbers.estimate(known.min())} to {numbers.estimate(known.max())}" if len(known) else ""
    return f"Alpha with 95% intervals for {numbers.plural(data['scale'].nunique(), 'scale')} by wave{span}; the table holds every number."
