"""The figure of monthly metrics: one panel a chart, with limits, phases, gaps and what is marked."""

from __future__ import annotations

import textwrap

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits import style

ALL = "all"


def is_share(series: pd.DataFrame) -> bool:
    """Return True where every value of a metric is a share of its denominator."""
    known = series.dropna(subset=["value", "numerator", "denominator"])
    shares = not series["kind"].isin(["c", "u", "u_prime"]).any()
    within = (known["numerator"] <= known["denominator"]).all() and (known["numerator"] >= 0).all()
    return bool(shares and len(known) and within)


def panels_figure(
    drawn: pd.DataFrame, titles: dict[tuple[str, str], tuple[str, str, bool]], events: pd.DataFrame, context, *, shared: bool
):
    """Return the figure.

    Parameters
    ----------
    drawn : DataFrame
        Rows of measures/run_charts of the panels.
    titles : dict
        (metric, group) of each panel, in order -> title, verdict, whether the verdict is a signal.
    events : DataFrame
        Rows of measures/run_chart_events.
    shared : bool
        Panels are groups of one metric: smaller, with one scale.
    """
    columns = min(3 if shared and len(titles) > 4 else 2, len(titles))
    rows = -(-len(titles) // columns)
    figure, axes = style.new_figure(
        (2.7 if columns == 3 else 4.0) * columns, (1.75 if shared else 2.35) * rows + 0.5, rows, columns, squeeze=False, sharey=shared
    )
    for axis, (panel, words) in zip(axes.flat, titles.items(), strict=False):
        part = drawn[(drawn["metric"] == panel[0]) & (drawn["group"] == panel[1])]
        level = str(part["level"].iloc[0])
        draw_panel(axis, part, words, wide=columns < 3)
        _mark(axis, part, events[(events["group"] == panel[1]) | ((events["level"] == ALL) & ~events["label"].isin(_own(events, level)))])
    for axis in list(axes.flat)[len(titles) :]:
        axis.set_visible(False)
    style.finish(figure, context)
    return figure


def _own(events: pd.DataFrame, level: str) -> list[str]:
    """Return what is known for single groups of a level, and is not taken from all centers together there."""
    return [] if level == ALL else events.loc[events["level"] == level, "label"].unique().tolist()


def draw_panel(axis, part: pd.DataFrame, words: tuple[str, str, bool], *, wide: bool) -> None:
    """Draw one chart; month i stands at place i, ``words`` are its title, its verdict and whether that is a signal."""
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    title, verdict, signal = words
    part = part.reset_index(drop=True)
    places, values = part.index, part["value"].astype(float)
    colour = style.ORANGE if signal else style.BLUE
    _lines(axis, part)
    for _, points in pd.DataFrame({"place": places, "value": values}).groupby(part["phase"]):
        axis.plot(points["place"], points["value"], color=colour, linewidth=1.4, marker="o", markersize=4 if wide else 3)
    beyond = part.index[part["outside"] == 1]
    axis.plot(beyond, values[beyond], linestyle="none", marker="o", markersize=8, markerfacecolor="none", color=style.WARNING)
    letters = 44 if wide else 30
    head, foot = ("\n".join(textwrap.wrap(text, letters)) for text in (title, verdict))
    axis.set_title(f"{head}\n" + "\n" * foot.count("\n"), fontsize=9)
    axis.annotate(
        foot, (0, 1), xycoords="axes fraction", xytext=(0, 5), textcoords="offset points", fontsize=7.5, va="bottom",
        color=colour if signal else style.MUTED, fontweight="bold" if signal else "normal",
    )  # fmt: skip
    ticks = sorted({round(i * (len(part) - 1) / 3) for i in range(4)}) if wide else [0, len(part) - 1]
    wording = [
        f"{m}\nof {numbers.measure(d)}" if d == d else f"{m}\n" for m, d in zip(part["month"].astype(str), part["denominator"], strict=True)
    ]
    axis.set_xticks(ticks, [wording[tick] for tick in ticks], fontsize=7.5)
    axis.set_xlim(-0.5, len(part) - 0.5)
    axis.yaxis.set_major_locator(MaxNLocator(4))
    if part["share"].all():
        axis.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axis.margins(y=0.22)
    axis.grid(axis="y")


def _lines(axis, part: pd.DataFrame) -> None:
    """Draw centre line and limits of each phase, each from half a month before its first to half a month after its last."""
    numbered = part.assign(place=range(len(part)))
    for _, phase in numbered.groupby("phase", sort=True):
        known = phase.dropna(subset=["centre"])
        if known.empty:
            continue
        first, last = phase["place"].iloc[0] - 0.5, phase["place"].iloc[-1] + 0.5
        if first > 0:
            axis.axvline(first, color=style.RULE, linewidth=1)
        axis.hlines(known["centre"].median(), first, last, color=style.MUTED, linewidth=1, linestyle=(0, (5, 3)))
        for limit in ("lower", "upper"):
            if known[limit].notna().any():
                axis.step(phase["place"], phase[limit], where="mid", color=style.MUTED, linewidth=0.8, linestyle=(0, (1, 1.5)))


def _mark(axis, part: pd.DataFrame, events: pd.DataFrame) -> None:
    """Draw upright lines with names for single events, and counts of a month at the foot."""
    place = {month: i for i, month in enumerate(part["month"].astype(str))}
    seen = events[events["month"].isin(place)]
    for row in seen[seen["kind"] == "mark"].to_dict("records"):
        axis.axvline(place[row["month"]], color=style.GREEN, linewidth=0.9, alpha=0.6, zorder=0)
        name = numbers.text(row["name"]) or str(row["label"])
        axis.annotate(
            name, (place[row["month"]], 1), xycoords=("data", "axes fraction"), xytext=(2, -1), textcoords="offset points", va="top",
            fontsize=6.5, color=style.GREEN,
        )  # fmt: skip
    counted = seen[seen["kind"] == "count"].groupby("month", sort=True)["n"].sum()
    for month, n in counted.items():
        axis.annotate(
            numbers.count(n), (place[month], 0), xycoords=("data", "axes fraction"), xytext=(0, 2), textcoords="offset points", ha="center",
            va="bottom", fontsize=6.5, color=style.BROWN,
        )  # fmt: skip
