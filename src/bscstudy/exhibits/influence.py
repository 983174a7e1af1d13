"""Does one center carry the answer: each question of the models again without one center at a time."""

from __future__ import annotations

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits import labels, model_cells, model_choice, model_notes, style
from bscstudy.exhibits.base import Context, Exhibit, empty_exhibit
from bscstudy.exhibits.model_notes import ESTIMATED
from bscstudy.exhibits.theme_words import center_codes

TABLES = ("models/influence", "models/estimates", "models/fits", "centers")
FIGURE = True
#: rows beyond which the figure is no longer read
MOST_ROWS = 30
#: questions that a sentence names
MOST_NAMED = 4


def build(tables: dict[str, pd.DataFrame], context: Context) -> Exhibit:
    """Return for every contrast (coefficient) the range of its estimate over the refits without one center.

    Options: `model` (ids) or `question` choose the models; `contrasts` (ids) says which are drawn, by default the main contrast of each
    model. Centers are not named; where they may be shown, the one that matters most is named by its letter.
    """
    fits = model_choice.chosen_fits(tables.get("models/fits"), context)
    rows = model_choice.rows_of_models(tables.get("models/influence"), fits)
    if rows.empty:
        return empty_exhibit("No estimated model of this study has enough centers to leave one out.")
    rows, small = model_cells.shown(rows, context)
    if rows.empty:
        return empty_exhibit("Every comparison is withheld, as its groups are small.", small)
    rows = model_choice.floats(rows, ("estimate", "low", "high", "full_estimate"))
    data = _summaries(model_choice.term_order(rows, context), tables, fits, context)
    drawn = data[data["drawn"]].head(MOST_ROWS).reset_index(drop=True)
    dots = _dots(drawn)
    return Exhibit(
        table=_shown(data, context),
        caption="Estimates without one center at a time",
        notes={**_notes(data, context), **model_notes.link_note(fits), **small, **model_notes.model_notes(fits, row_each=False)},
        sentences=tuple(_sentences(data)),
        group_by="Model",
        figure=_figure(drawn, dots, context),
        alt=_alt(drawn),
        data=dots,
    )


def _summaries(rows: pd.DataFrame, tables: dict[str, pd.DataFrame], fits: pd.DataFrame, context: Context) -> pd.DataFrame:
    codes = center_codes(tables["centers"], context) if context.show_centers else {}
    sd = fits.set_index("model").get("outcome_sd_baseline", pd.Series(dtype=float))
    intervals = _intervals(tables.get("models/estimates"))
    found = [
        _summary(part, intervals.get((str(model), str(kind), str(term)), (float("nan"),) * 2), codes)
        | {"sd": pd.to_numeric(sd.get(model), errors="coerce")}
        for (model, kind, term), part in rows.groupby(["model", "kind", "term"], sort=False)
    ]
    data = pd.DataFrame(found)
    return data.assign(drawn=model_choice.drawn_terms(data, context))


def _intervals(estimates: pd.DataFrame | None) -> dict[tuple[str, str, str], tuple[float, float]]:
    if estimates is None:
        return {}
    known = model_choice.floats(estimates, ("low", "high"))
    return {(str(r["model"]), str(r["kind"]), str(r["term"])): (r["low"], r["high"]) for r in known.to_dict("records")}


def _summary(part: pd.DataFrame, interval: tuple[float, float], codes: dict[str, str]) -> dict:
    """Return what the refits of one question say; the values without one center are sorted and carry no name."""
    full, (low, high) = float(part["full_estimate"].iloc[0]), interval
    known = part[part["state"].isin(ESTIMATED) & part["estimate"].notna()]
    values = known["estimate"]
    clear = leaves_out_zero(low, high)
    furthest = known.loc[(values - full).abs().idxmax(), "left_out"] if len(known) else None
    return {
        **{name: part[name].iloc[0] for name in ("model", "kind", "term", "title", "label")},
        "full": full,
        "low": low,
        "high": high,
        "lowest": values.min(),
        "highest": values.max(),
        "values": tuple(sorted(values)),
        "refits": len(known),
        "centers": len(part),
        "turned": int((values * full < 0).sum()),
        "outside": int(((values < low) | (values > high)).sum()),
        "clear": clear,
        "clear_changes": int(sum(leaves_out_zero(r["low"], r["high"]) != clear for r in known.to_dict("records"))),
        "furthest": codes.get(str(furthest), ""),
    }


def leaves_out_zero(low: float, high: float) -> bool:
    """Return whether an interval lies on one side of zero; False where it is missing."""
    return bool(low > 0 or high < 0)


def _shown(data: pd.DataFrame, context: Context) -> pd.DataFrame:
    rows = []
    for row in data.to_dict("records"):
        cells = {
            "Model": row["title"],
            "Question": str(row["label"]),
            "All centers (95% interval)": numbers.estimate_with_interval(row["full"], row["low"], row["high"], signed=True),
            "Lowest without one": numbers.estimate(row["lowest"], signed=True),
            "Highest without one": numbers.estimate(row["highest"], signed=True),
            "Sign turns": numbers.count(row["turned"]),
            "Outside the interval": numbers.count(row["outside"]),
            "Clear or not changes": numbers.count(row["clear_changes"]),
            "Refits": f"{numbers.count(row['refits'])} of {numbers.count(row['centers'])}",
        }
        if context.show_centers:
            cells["Moves it most"] = row["furthest"] or numbers.MISSING
        rows.append(cells)
    return pd.DataFrame(rows)


def _notes(data: pd.DataFrame, context: Context) -> dict[str, str]:
    lost = int((data["centers"] - data["refits"]).sum())
    notes = {
        "Reading": "each model is fitted again without one center at a time; 'sign turns', 'outside the interval' (with all "
        "centers) and 'clear or not changes' (whether the 95% interval leaves out zero) count the centers whose absence does that",
        "Centers": "letters drawn anew for the study" if context.show_centers else "not named; the values are sorted anew in every row",
    }
    if lost:
        notes["Refits"] = f"{numbers.plural(lost, 'refit')} could not be estimated and {'counts' if lost == 1 else 'count'} nowhere"
    n_drawn = int(data["drawn"].sum())
    if n_drawn > MOST_ROWS:
        notes["Figure"] = f"the first {MOST_ROWS} of {numbers.count(n_drawn)} questions are drawn; the table holds all"
    return notes


def _sentences(data: pd.DataFrame) -> list[str]:
    n = len(data)
    turned, outside, changed = (data[data[c] > 0] for c in ("turned", "outside", "clear_changes"))
    every = f"{numbers.plural(n, 'estimate')}"
    said = []
    if turned.empty:
        said.append(
            f"No single center turns the sign of any of the {every}." if n > 1 else "No single center turns the sign of the estimate."
        )
    else:
        said.append(f"The sign turns without one center in {numbers.count_of(len(turned), n)} estimates: {_named(turned)}.")
    if outside.empty:
        said.append("Without any one center the estimates stay inside their 95% intervals.")
    else:
        said.append(f"Without one center {numbers.count_of(len(outside), n)} estimates leave their 95% interval: {_named(outside)}.")
    if changed.empty:
        said.append("Whether an interval leaves out zero hangs on no single center.")
    else:
        said.append(
            f"Whether the interval leaves out zero hangs on one center in {numbers.count_of(len(changed), n)} estimates: {_named(changed)}."
        )
    return said


def _named(rows: pd.DataFrame) -> str:
    named = [f"{row['title']}, {labels.lower_first(str(row['label']))}" for row in rows.head(MOST_NAMED).to_dict("records")]
    rest = len(rows) - MOST_NAMED
    return "; ".join(named) + (f"; and {numbers.count(rest)} more, which the table shows" if rest > 0 else "")


def _dots(drawn: pd.DataFrame) -> pd.DataFrame:
    """Return the numbers behind the figure, in standard deviations of the first wave where every outcome has one."""
    in_sd = bool((drawn["sd"] > 0).all())
    rows = []
    for row in drawn.to_dict("records"):
        unit = row["sd"] if in_sd else 1.0
        common = {"model": row["model"], "term": row["term"], "in_sd": in_sd}
        common |= {name: row[name] / unit for name in ("full", "low", "high")}
        rows += [{**common, "place": k, "without_one": value / unit} for k, value in enumerate(row["values"], start=1)]
    return pd.DataFrame(rows, columns=["model", "term", "in_sd", "full", "low", "high", "place", "without_one"])


def _figure(drawn: pd.DataFrame, dots: pd.DataFrame, context: Context):
    import textwrap

    names = [f"{row['title']}: {labels.lower_first(str(row['label']))}" for row in drawn.to_dict("records")]
    names = ["\n".join(textwrap.wrap(name, 46)) for name in names]
    lines = max((name.count("\n") + 1 for name in names), default=1)
    figure, axis = style.new_figure(7.5, 1.7 + max(0.34, 0.12 * lines + 0.05) * len(drawn))
    axis.axvline(0, color=style.MUTED, linewidth=1, zorder=1)
    for place, row in enumerate(reversed(drawn.to_dict("records"))):
        part = dots[(dots["model"] == row["model"]) & (dots["term"] == row["term"])]
        if part.empty:
            continue
        first = part.iloc[0]
        axis.plot([first["low"], first["high"]], [place, place], color=style.RULE, linewidth=6, solid_capstyle="butt", zorder=2)
        axis.plot(part["without_one"], [place] * len(part), "|", color=style.BLUE, markersize=9, markeredgewidth=1.1, zorder=3)
        axis.plot(first["full"], place, "D", color=style.ORANGE, markersize=4.5, zorder=4)
    axis.set_yticks(range(len(names)), list(reversed(names)), fontsize=7.5)
    axis.set_ylim(-0.6, max(len(names), 1) - 0.4)
    in_sd = bool(dots["in_sd"].all()) and len(dots) > 0
    axis.set_xlabel("In standard deviations of the first wave" if in_sd else "In the units of each model")
    axis.tick_params(axis="y", length=0)
    axis.grid(axis="x", zorder=0)
    axis.spines["left"].set_visible(False)
    _legend(figure)
    style.finish(figure, context)
    return figure


def _legend(figure) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=style.ORANGE, marker="D", linestyle="none", markersize=4.5, label="all centers"),
        Line2D([], [], color=style.RULE, linewidth=6, label="its 95% interval"),
        Line2D([], [], color=style.BLUE, marker="|", linestyle="none", markersize=9, label="without one center"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3)


def _alt(drawn: pd.DataFrame) -> str:
    turned, outside = int((drawn["turned"] > 0).sum()), int((drawn["outside"] > 0).sum())
    return (
        f"For {numbers.plural(len(drawn), 'question')} the estimate with all centers, its 95% interval, and the estimates without one "
        f"center at a time; {numbers.count(turned)} turn their sign and {numbers.count(outside)} leave the interval without some center. "
        "The table holds every number."
    )
