"""Side by side: for each domain what the survey and the interviews found, and what the researchers infer."""

from __future__ import annotations

import textwrap

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits import style
from bscstudy.exhibits.base import Context, Exhibit, empty_exhibit
from bscstudy.exhibits.joint_display import BLOCKS, survey_cell
from bscstudy.exhibits.labels import lower_first, words
from bscstudy.exhibits.model_notes import EQUAL_GROUPS, harmonised_note, model_notes
from bscstudy.exhibits.theme_words import NOT_ASKED, direction_words, few_raised, raised_of_asked, theme_notes

TABLES = ("integrate/joint_display", "integrate/meta_inferences", "models/fits", "qual/presence", "qual/theme_summary")
FIGURE = True
TODO = "TODO(author)"


def build(tables: dict[str, pd.DataFrame], context: Context) -> Exhibit:
    """Return one row for each construct in the order of the theory of change; option `constructs` shows some of them."""
    frame = tables.get("integrate/joint_display")
    if frame is None or frame.empty:
        return empty_exhibit("The study has no coded interviews, no model of change, or no constructs to set side by side.")
    frame = context.chosen(frame, constructs="construct").sort_values("place", kind="stable").reset_index(drop=True)
    frame = frame.assign(few=frame.apply(few_raised, axis=1, args=(context.min_cell,)))
    inferences = inferences_by_construct(tables.get("integrate/meta_inferences"))
    records = frame.to_dict("records")
    fits = tables["models/fits"]
    return Exhibit(
        table=pd.DataFrame([_row(row, inferences, tables["qual/theme_summary"], context) for row in records]),
        caption="Survey and interviews side by side, with what the researchers infer",
        notes=_notes(fits[fits["model"].isin(frame["model"].dropna())], tables["qual/presence"], context),
        sentences=_sentences(records, inferences),
        group_by="Part",
        figure=_figure(frame, context),
        alt=_alt(frame),
        data=frame.assign(**{name: frame[name].astype(float).where(~frame["few"]) for name in ("share", "share_low", "share_high")})[
            ["construct", "change", "low", "high", "share", "share_low", "share_high"]
        ],
    )


def _row(row: dict, inferences: dict[str, str], summary: pd.DataFrame, context: Context) -> dict:
    return {
        "Part": BLOCKS.get(row["block"], words(row["block"])),
        "Domain": row["label"],
        "Survey": survey_finding(row),
        "Interviews and focus groups": "; ".join(theme_findings(row["construct"], summary, context)) or numbers.MISSING,
        "Inference": inferences.get(row["construct"], TODO),
    }


def survey_finding(row: dict) -> str:
    """Return the survey's finding of a construct in a sentence, or that there is none."""
    if numbers.is_missing(row["change"]):
        return "no survey scale with a model of change" if row["change_state"] == "no_model" else survey_cell(row)
    excluded = not row["low"] <= 0 <= row["high"]
    verdict = ("rose" if row["change"] > 0 else "fell") if excluded else "no clear change"
    return f"{verdict}: {survey_cell(row)}"


def theme_findings(construct: str, summary: pd.DataFrame, context: Context) -> list[str]:
    """Return what sessions said of each theme of a construct: who raised it of those asked, and how; without the direction of few."""
    labels = {theme["theme"]: theme["label"] for theme in context.rows("themes", "theme") if theme.get("construct") == construct}
    whole = summary[(summary["unit"] == "session") & (summary["wave"] == "all") & (summary["role"] == "all")]
    of_theme = {row["theme"]: row for row in whole.to_dict("records")}
    found = []
    for theme, label in labels.items():
        row = of_theme.get(theme)
        raised = raised_of_asked(row, context.min_cell) if row else NOT_ASKED
        silent = row is None or not row["n_present"] or few_raised(row, context.min_cell)
        found.append(f"{label}: {raised}" + ("" if silent else f", {direction_words(row['net_direction'])}"))
    return found


def inferences_by_construct(inferences: pd.DataFrame | None) -> dict[str, str]:
    """Return construct -> its signed statements, with the sign that one is stale; constructs without any are left out."""
    if inferences is None:
        return {}
    said: dict[str, list[str]] = {}
    for row in inferences[inferences["statement"].notna() & inferences["author"].notna()].to_dict("records"):
        stale = "" if row["state"] == "signed" else f" ({words(row['state']).lower()}: the numbers have changed since)"
        said.setdefault(row["construct"], []).append(f"{row['statement']}{stale}")
    return {construct: " ".join(texts) for construct, texts in said.items()}


def _notes(fits: pd.DataFrame, presence: pd.DataFrame, context: Context) -> dict[str, str]:
    survey, themes = model_notes(fits, row_each=False), theme_notes(presence)
    names = ("Estimator", "Degrees of freedom", "n", "Clusters", "Exclusions")
    notes = {name: f"survey: {survey[name]}. Themes: {themes[name]}." for name in names}
    notes["Survey"] = f"rose or fell: the 95% interval of the change excludes 0, not adjusted for several constructs; {EQUAL_GROUPS}"
    notes["Direction"] = themes["Direction"]
    notes["Small cells"] = (
        f"counts of sessions from 1 to {context.min_cell - 1} are not shown, nor those of one center alone, nor the share and direction "
        "of so few"
    )
    notes["Inference"] = f"the statements that researchers signed (config/meta_inferences.yaml); {TODO} where there is none yet"
    return notes | harmonised_note(fits)


def _sentences(records: list[dict], inferences: dict[str, str]) -> tuple[str, ...]:
    both = [row for row in records if not numbers.is_missing(row["change"]) and row["n_asked"]]
    open_ = [row for row in both if row["construct"] not in inferences]
    said = f"Survey and interviews both speak of {numbers.count(len(both))} of {numbers.plural(len(records), 'domain')}"
    listed = f" ({numbers.listed([lower_first(row['label']) for row in both])})" if both else ""
    return (f"{said}{listed}; {numbers.count(len(open_))} of these have no signed inference yet.",)


def _figure(frame: pd.DataFrame, context: Context):
    figure, (left, right) = style.new_figure(7.5, 1.5 + 0.34 * len(frame), 1, 2, sharey=True, width_ratios=[1, 1])
    places = list(range(len(frame)))[::-1]
    left.axvline(0, color=style.MUTED, linewidth=1, zorder=1)
    for axis in (left, right):
        axis.grid(axis="x", zorder=0)
        axis.tick_params(axis="y", length=0)
        axis.spines["left"].set_visible(False)
    for place, row in zip(places, frame.to_dict("records"), strict=True):
        _point(left, place, [row[name] for name in ("change", "low", "high")], style.BLUE, "no survey change")
        silent = "too few to show" if row["few"] else "not asked" if not row["n_asked"] else "no session"
        share = [float("nan") if row["few"] else row[name] for name in ("share", "share_low", "share_high")]
        _point(right, place, share, style.ORANGE, silent)
    left.set_yticks(places, [textwrap.fill(label, 26) for label in frame["label"]])
    left.set_ylim(-0.6, len(frame) - 0.4)
    left.set_xlabel("Survey change in points\n(95% interval)")
    right.set_xlim(-0.02, 1.02)
    right.set_xticks([0, 0.5, 1], ["0%", "50%", "100%"])
    right.set_xlabel("Sessions asked that raised a theme\n(95% interval)")
    style.finish(figure, context)
    return figure


def _point(axis, place: int, value: list[float], colour: str, silent: str) -> None:
    estimate, low, high = value
    if numbers.is_missing(estimate):
        start = axis.get_xlim()[0] if axis.get_xlabel() else 0
        axis.annotate(silent, (start, place), xytext=(6, 0), textcoords="offset points", va="center", fontsize=7.5, color=style.MUTED)
        return
    axis.errorbar(
        [estimate], [place], xerr=[[estimate - low], [high - estimate]], fmt="o", color=colour, markersize=5.5, elinewidth=1.6, zorder=3
    )


def _alt(frame: pd.DataFrame) -> str:
    return (
        f"Two panels side by side for {numbers.plural(len(frame), 'construct')}: the survey change with its 95% interval, and the share "
        "of the sessions asked that raised one of its themes, with its 95% interval. The table holds every number."
    )
