"""Saturation: themes and codes found with each further session, beside sessions in random order."""

from __future__ import annotations

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits import style
from bscstudy.exhibits.base import Context, Exhibit, empty_exhibit
from bscstudy.exhibits.panels import panel_grid
from bscstudy.exhibits.theme_words import UNITS

TABLES = ("qual/saturation",)
FIGURE = True
KINDS = {"theme": "Themes", "code": "Codes"}


def build(tables: dict[str, pd.DataFrame], context: Context) -> Exhibit:
    """Return after how many sessions most themes and codes were found, and the curves."""
    data = tables.get("qual/saturation")
    if data is None or data.empty:
        return empty_exhibit("No interview or focus group was coded.")
    kinds = [kind for kind in KINDS if (data["kind"] == kind).any()]
    curves = {kind: data[data["kind"] == kind].sort_values("place") for kind in kinds}
    table = pd.DataFrame([_row(kind, curve) for kind, curve in curves.items()])
    dated = bool(data["date"].notna().any())
    columns = ["kind", "place", "wave", "n_new", "n_found", "expected", "low", "high"]
    return Exhibit(
        table=table,
        caption="After how many sessions themes and codes had come up for the first time",
        notes=_notes(curves[kinds[0]], dated),
        sentences=tuple(_sentence(kind, curve) for kind, curve in curves.items()),
        figure=_figure(curves, context),
        alt="Curves of what was found after each session, with the mean and a band of random orders. "
        + " ".join(_sentence(kind, curve) for kind, curve in curves.items()),
        data=pd.concat(curves.values())[columns].reset_index(drop=True),
    )


def _first_with(curve: pd.DataFrame, share: float) -> int:
    """Return the place of the session with which this share of all that was found had been found."""
    return int(curve.loc[curve["n_found"] >= share * curve["n_found"].iloc[-1] - 1e-9, "place"].iloc[0])


def _row(kind: str, curve: pd.DataFrame) -> dict[str, str]:
    last_quarter = curve[curve["place"] > len(curve) - len(curve) // 4]
    return {
        "Of": KINDS[kind],
        "Sessions": numbers.count(len(curve)),
        "Found": numbers.count(curve["n_found"].iloc[-1]),
        "Half found after": numbers.count(_first_with(curve, 0.5)),
        "90% found after": numbers.count(_first_with(curve, 0.9)),
        "All found after": numbers.count(_first_with(curve, 1.0)),
        "New in the last quarter of sessions": numbers.count(last_quarter["n_new"].sum()),
    }


def _notes(curve: pd.DataFrame, dated: bool) -> dict[str, str]:
    held = "wave and date" if dated else "wave; their dates are not in the data, so that within a wave the order is that of ids"
    return {
        "Estimator": "counts; the dashed line is the mean over all orders of the sessions, the band holds 95% of random orders at "
        "each session",
        "n": f"{numbers.plural(len(curve), 'session')} ({UNITS} that were coded)",
        "Exclusions": "codes that the code map ignores; sessions not coded",
        "Order": f"sessions by {held}",
        "Reading": "a flat curve says that these guides and coders found little more, not that nothing more is there; topics that a "
        "session was not asked about could hardly come up in it",
    }


def _sentence(kind: str, curve: pd.DataFrame) -> str:
    total, after = int(curve["n_found"].iloc[-1]), _first_with(curve, 1.0)
    return (
        f"All {numbers.count(total)} {KINDS[kind].lower()} found had come up after "
        f"{numbers.count(after)} of {numbers.plural(len(curve), 'session')}, 90% of them after {numbers.count(_first_with(curve, 0.9))}."
    )


def _figure(curves: dict[str, pd.DataFrame], context: Context):
    figure, axes = panel_grid([KINDS[kind] for kind in curves], 2.6, context, columns=2)
    waves = context.labels("waves")
    for axis, curve in zip(axes, curves.values(), strict=True):
        axis.fill_between(
            curve["place"], curve["low"], curve["high"], color=style.RULE, alpha=0.6, linewidth=0, label="95% of random orders"
        )
        axis.plot(curve["place"], curve["expected"], color=style.MUTED, linestyle="--", linewidth=1, label="mean of all orders")
        axis.step(curve["place"], curve["n_found"], where="post", color=style.BLUE, linewidth=1.6, label="as held")
        for wave, part in curve.groupby("wave", sort=False):
            axis.axvline(part["place"].min() - 0.5, color=style.MUTED, linewidth=0.6, linestyle=":")
            axis.text(part["place"].min(), 0, waves.get(wave, wave), fontsize=7, color=style.MUTED, va="bottom")
        axis.set_ylim(0, curve["n_found"].iloc[-1] * 1.08)
        axis.set_xlim(0.5, len(curve) + 0.5)
        axis.set(xlabel="Session", ylabel="Found so far")
    axes[0].legend(loc="center right", fontsize=7)
    return figure
