"""The joint display: what survey, observation, fidelity and interviews say of each construct, side by side."""

from __future__ import annotations

import textwrap

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits import style
from bscstudy.exhibits.base import Context, Exhibit, empty_exhibit
from bscstudy.exhibits.labels import outcome_label, words
from bscstudy.exhibits.model_notes import EQUAL_GROUPS, harmonised_note, harmonised_word, model_notes
from bscstudy.exhibits.theme_words import UNITS, few_raised, few_raised_words, in_one_center, raised_of_asked, theme_notes

TABLES = ("integrate/joint_display", "models/fits", "qual/presence")
FIGURE = True
BLOCKS = {"engagement": "Engagement", "mechanism": "Mechanisms", "practice": "Practice", "context": "Context"}
FIT_WORDS = {
    "confirm": "the strands point the same way",
    "discord": "the strands point in opposite ways",
    "expand": "the survey moved clearly; the themes are not one-sided",
    "complement": "the survey alone settles no direction; the interviews add to it",
    "silent": "the survey, the interviews or both have nothing to say",
    "withheld": "so few sessions, or those of one center alone, raised a theme that no direction is shown",
}


def build(tables: dict[str, pd.DataFrame], context: Context) -> Exhibit:
    """Return one row for each construct in the order of the theory of change."""
    frame = tables.get("integrate/joint_display")
    if frame is None or frame.empty:
        return empty_exhibit("The study has no coded interviews, no model of change, or no constructs to set side by side.")
    frame = _withheld(frame.sort_values("place", kind="stable").reset_index(drop=True), context)
    fits = tables["models/fits"]
    records = frame.to_dict("records")
    return Exhibit(
        table=pd.DataFrame([_row(row, context) for row in records]),
        caption="Joint display: survey change, observed change, fidelity and themes for each construct",
        notes=_notes(fits[fits["model"].isin(frame["model"].dropna())], tables["qual/presence"], context),
        sentences=_sentences(records, context, {fit["model"]: harmonised_word(fit) for fit in fits.to_dict("records")}),
        group_by="Part",
        figure=_figure(frame, context),
        alt=_alt(frame),
        data=frame.assign(**{name: frame[name].astype(float).where(~frame["few"]) for name in ("n_asked", "n_present")})[
            ["construct", "label", "outcome", "change", "low", "high", "n_asked", "n_present", "share", "net_direction", "fit_proposed"]
        ],
    )


def _withheld(frame: pd.DataFrame, context: Context) -> pd.DataFrame:
    """Take the share and the direction of themes, and the fit that rests on it, where few sessions were asked or raised a theme."""
    few = frame.apply(few_raised, axis=1, args=(context.min_cell,))
    fit = few & (frame["fit_proposed"] != "silent")
    themes = {name: frame[name].astype(float).where(~few) for name in ("share", "net_direction")}
    return frame.assign(
        **themes,
        few=few,
        fit_proposed=frame["fit_proposed"].mask(fit, "withheld"),
        rule=frame["rule"].mask(fit, few_raised_words(context.min_cell)),
    )


def _row(row: dict, context: Context) -> dict:
    return {
        "Part": BLOCKS.get(row["block"], words(row["block"])),
        "Construct": row["label"],
        "Survey change (95% interval)": survey_cell(row),
        "Observed change (95% interval)": observed_cell(row, context),
        "Fidelity (mean of centers)": fidelity_cell(row, context),
        "Raised by": raised_of_asked(row, context.min_cell),
        "Direction": numbers.estimate(row["net_direction"], signed=True),
        "Proposed fit": f"{words(row['fit_proposed'])}: {row['rule']}",
    }


def survey_cell(row: dict) -> str:
    """Return the survey change of a construct with its interval and contrast, or why there is none."""
    if row["change_state"] == "no_model":
        return numbers.MISSING
    if numbers.is_missing(row["change"]):
        return f"not estimated ({row['change_state']})"
    lower = "; lower is better" if row["better"] == "lower" else ""
    return f"{numbers.estimate_with_interval(row['change'], row['low'], row['high'], signed=True)}, {row['contrast_label']}{lower}"


def observed_cell(row: dict, context: Context) -> str:
    """Return the observed change of a construct with its score, interval and waves."""
    if numbers.is_missing(row["observation_change"]):
        return numbers.MISSING
    value = numbers.estimate_with_interval(row["observation_change"], row["observation_low"], row["observation_high"], signed=True)
    return f"{outcome_label(row['observation_score'], context)}: {value}, {row['observation_waves']}"


def fidelity_cell(row: dict, context: Context) -> str:
    """Return the fidelity index of a construct and its mean over centers."""
    if numbers.is_missing(row["fidelity"]):
        return numbers.MISSING
    name = context.labels("fidelity").get(row["fidelity_index"], words(row["fidelity_index"]))
    return f"{name}: {numbers.measure(row['fidelity'])}"


def _notes(fits: pd.DataFrame, presence: pd.DataFrame, context: Context) -> dict[str, str]:
    survey, themes = model_notes(fits) | {"Exclusions": _left_out(fits)}, theme_notes(presence)
    names = ("Estimator", "Degrees of freedom", "n", "Clusters", "Exclusions")
    notes = {name: f"survey: {survey[name]}. Themes: {themes[name]}." for name in names}
    notes["Survey change"] = EQUAL_GROUPS
    notes["Observed change"] = (
        "mean of the centers' changes between the waves named in the cell: those of the survey change where both were observed, "
        "else the first and the last observed; t interval over centers"
    )
    notes["Direction"] = themes["Direction"]
    notes["Small cells"] = (
        f"counts of sessions from 1 to {context.min_cell - 1} are not shown, nor those of one center alone, nor the direction of so few"
    )
    notes["Proposed fit"] = (
        "from the survey interval (and its p adjusted for several tests) and the direction alone, by the rule written beside it; "
        "themes count as one-sided from a direction of 1/3 (two to one). A proposal for the researchers to judge, not a finding. "
        + "; ".join(f"{name}: {meaning}" for name, meaning in FIT_WORDS.items())
    )
    notes["Reading"] = "intervals are not adjusted for the number of constructs, only the rule of fit is; there was no comparison group"
    return notes | harmonised_note(fits)


def _left_out(fits: pd.DataFrame) -> str:
    left_out = fits["n_excluded"].dropna()
    if left_out.empty:
        return "not recorded"
    low, high = numbers.count(left_out.min()), numbers.count(left_out.max())
    return f"{low if low == high else f'{low} to {high}'} rows, by model, without the outcome or a predictor"


def _sentences(records: list[dict], context: Context, harmonised: dict[str, str]) -> tuple[str, ...]:
    said = []
    for row in records:
        if row["fit_proposed"] == "silent":
            continue
        change = numbers.estimate_with_interval(row["change"], row["low"], row["high"], signed=True)
        direction = numbers.estimate(row["net_direction"], signed=True)
        end = "; lower is better" if row["better"] == "lower" else ""
        spoken = "no direction" if direction == numbers.MISSING else f"direction {direction}"
        said.append(
            f"{row['label']}: survey change{harmonised.get(row['model'], '')} {change} points ({row['contrast_label']}{end}); raised in "
            f"{_of_sessions(row, context)} of the {UNITS} asked, {spoken}; proposed fit: {row['fit_proposed']}."
        )
    silent = [str(row["label"]) for row in records if row["fit_proposed"] == "silent"]
    if silent:
        said.append(f"The survey, the interviews or both say nothing on {numbers.listed(silent)}.")
    return tuple(said)


def _of_sessions(row: dict, context: Context) -> str:
    if in_one_center(row) and row["n_present"] >= context.min_cell:
        return raised_of_asked(row, context.min_cell)
    return f"fewer than {context.min_cell}" if row["few"] else numbers.count_of(row["n_present"], row["n_asked"])


def _figure(frame: pd.DataFrame, context: Context):
    figure, (left, right) = style.new_figure(7.5, 1.5 + 0.34 * len(frame), 1, 2, sharey=True, width_ratios=[1, 1])
    places = list(range(len(frame) - 1, -1, -1))
    for axis in (left, right):
        axis.axvline(0, color=style.MUTED, linewidth=1, zorder=1)
        axis.grid(axis="x", zorder=0)
        axis.tick_params(axis="y", length=0)
        axis.spines["left"].set_visible(False)
    for place, row in zip(places, frame.to_dict("records"), strict=True):
        _draw_survey(left, place, row)
        _draw_themes(right, place, row, context)
    left.set_yticks(places, [textwrap.fill(label, 26) for label in frame["label"]])
    left.set_ylim(-0.6, len(frame) - 0.4)
    left.set_xlabel("Survey change in points\n(95% interval)")
    right.set_xlim(-1.2, 1.2)
    right.set_xticks([-1, 0, 1], ["all\nbarriers", "both", "all\nfacilitators"])
    right.set_xlabel("Direction of themes")
    right.text(1.03, len(frame) - 0.4, "Raised", transform=right.get_yaxis_transform(), va="center", fontsize=8.5)
    style.finish(figure, context)
    return figure


def _draw_survey(axis, place: int, row: dict) -> None:
    if numbers.is_missing(row["change"]):
        _say(axis, place, "no survey change" if row["change_state"] == "no_model" else "not estimated")
        return
    error = [[row["change"] - row["low"]], [row["high"] - row["change"]]]
    axis.errorbar([row["change"]], [place], xerr=error, fmt="o", color=style.BLUE, markersize=5.5, elinewidth=1.6, zorder=3)


def _draw_themes(axis, place: int, row: dict, context: Context) -> None:
    color = style.INK if row["n_asked"] else style.MUTED
    axis.text(
        1.03, place, raised_of_asked(row, context.min_cell), transform=axis.get_yaxis_transform(), va="center", fontsize=8, color=color
    )
    if numbers.is_missing(row["net_direction"]):
        if row["n_asked"]:
            _say(axis, place, "too few to show" if row["few"] else "no direction")
        return
    axis.plot([row["net_direction"]], [place], marker="D", color=style.ORANGE, markersize=5.5, linestyle="none", zorder=3)


def _say(axis, place: int, text: str) -> None:
    """Write words in place of a point, to the right of the line at zero and on white so that no grid line crosses them."""
    box = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
    axis.annotate(text, (0, place), xytext=(6, 0), textcoords="offset points", va="center", fontsize=7.5, color=style.MUTED, bbox=box)


def _alt(frame: pd.DataFrame) -> str:
    counts = frame["fit_proposed"].value_counts()
    parts = [f"{int(counts[name])} {name}" for name in FIT_WORDS if name in counts]
    return (
        f"Two panels side by side for {len(frame)} constructs: the survey change with its 95% interval, and the net direction of the "
        f"themes from all barriers to all facilitators. Proposed fits: {numbers.listed(parts)}. The table holds every number."
    )
