"""How far raters' scores of the same visit agree: the intraclass correlations of Shrout and Fleiss, score by score."""

from __future__ import annotations

import textwrap

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits import labels, style
from bscstudy.exhibits.base import Context, Exhibit, empty_exhibit, in_order, places_in

TABLES = ("measures/rater_icc",)
FIGURE = True
#: form of Shrout and Fleiss -> what the raters are
FORMS = {
    "ICC(1,1)": "each visit has raters of its own, one rater's score",
    "ICC(2,1)": "raters are a sample and their levels count (absolute agreement), one rater's score",
    "ICC(3,1)": "these raters only, whose levels do not count (consistency), one rater's score",
    "ICC(1,k)": "as ICC(1,1), of the mean over a visit's raters",
    "ICC(2,k)": "as ICC(2,1), of the mean over a visit's raters",
    "ICC(3,k)": "as ICC(3,1), of the mean over a visit's raters",
}
#: of one rater's score, the form that is told in words: the first that there is
_TOLD = ("ICC(2,1)", "ICC(1,1)")


def build(tables: dict[str, pd.DataFrame], context: Context) -> Exhibit:
    """Return one row for each score; options `scores` and `instruments` restrict them."""
    data = tables.get("measures/rater_icc")
    if data is None:
        return empty_exhibit("The study has no classroom observation.")
    data = context.chosen(data, scores="score", instruments="instrument")
    if data.empty:
        return empty_exhibit("No score has two visits that two raters scored.")
    order = list(labels.score_rows(context))
    rank = pd.DataFrame({"score": places_in(data["score"], order), "form": places_in(data["form"], list(FORMS))})
    rank = rank.assign(instrument=data["instrument"]).sort_values(["instrument", "score", "form"], kind="stable")
    data = data.loc[rank.index].reset_index(drop=True)
    return Exhibit(
        table=_shown(data, context),
        caption="Intraclass correlations of raters' scores of the same visit, with 95% intervals",
        notes=_notes(data, context),
        sentences=tuple(_sentences(data, context)),
        group_by="Instrument",
        figure=_figure(data, context) if data["estimate"].notna().any() else None,
        alt=f"Intraclass correlations with 95% intervals of {numbers.plural(data['score'].nunique(), 'score')}; "
        "the table holds every number.",
        data=data[["instrument", "score", "form", "estimate", "low", "high"]],
    )


def _instrument(name: object, context: Context) -> str:
    return context.labels("observation").get(str(name), labels.words(name))


def _shown(data: pd.DataFrame, context: Context) -> pd.DataFrame:
    forms, rows = in_order(data["form"], list(FORMS)), []
    for (instrument, score), part in data.groupby(["instrument", "score"], sort=False):
        own = {row["form"]: row for row in part.to_dict("records")}
        row = {"Instrument": _instrument(instrument, context), "Score": labels.outcome_label(score, context)}
        row |= {"Visits": numbers.count(part["n_visits"].iloc[0]), "Raters": numbers.count(part["n_raters"].iloc[0])}
        for form in forms:
            found = own.get(form, {})
            row[form] = numbers.estimate_with_interval(found.get("estimate"), found.get("low"), found.get("high"))
        rows.append(row)
    return pd.DataFrame(rows)


def _notes(data: pd.DataFrame, context: Context) -> dict[str, str]:
    why: dict[str, list[str]] = {}
    for row in data.drop_duplicates(["instrument", "score"]).to_dict("records"):
        if numbers.text(row["note"]):
            why.setdefault(str(row["note"]), []).append(labels.outcome_label(row["score"], context))
    present, shown = {str(name) for name in data["instrument"]}, set(data["score"])
    rest = [score for score, row in labels.score_rows(context).items() if row["instrument"] in present and score not in shown]
    without = [score for score in rest if score in (context.option_list("scores") or rest)]
    names = numbers.listed([labels.outcome_label(score, context) for score in without])
    told = [f"{numbers.listed(scores) if len(why) > 1 else 'all scores'}: {note}" for note, scores in why.items()]
    return {
        "Estimator": "; ".join(f"{form}: {FORMS[form]}" for form in in_order(data["form"], list(FORMS)) if form in FORMS),
        "95% interval": "of Shrout and Fleiss, and for ICC(2) of McGraw and Wong; of a mean only where every visit has as many raters",
        "n": "visits that two raters or more scored, and the raters who scored one of them, each by that rater's own answers alone",
        "Clusters": "visits; visits to one classroom count as different ones",
        "Exclusions": f"visits scored once, and the consensus{f'; no two visits were scored twice for {names}' if without else ''}",
        **({"Forms": "; ".join(told)} if why else {}),
    }


def _sentences(data: pd.DataFrame, context: Context) -> list[str]:
    said = []
    for instrument, part in data.dropna(subset=["estimate"]).groupby("instrument", sort=True):
        form = next((form for form in _TOLD if form in set(part["form"])), None)
        told = part[part["form"] == form].sort_values("estimate", kind="stable").to_dict("records")
        if told:
            ends = [told[0], told[-1]] if len(told) > 1 else told
            words = [f"{numbers.estimate(end['estimate'])} ({_in_words(end['score'], context)})" for end in ends]
            name = _instrument(instrument, context)
            said.append(f"{name}: the intraclass correlation of one rater's score, {form}, is {' to '.join(words)}.")
    return said


def _in_words(score: str, context: Context) -> str:
    return labels.lower_first(labels.outcome_label(score, context))


def _figure(data: pd.DataFrame, context: Context):
    instruments, forms = list(dict.fromkeys(data["instrument"])), in_order(data["form"], list(FORMS))
    sizes = [data.loc[data["instrument"] == name, "score"].nunique() for name in instruments]
    step = 0.2 + 0.07 * len(forms)
    ratios = [size + 1.2 for size in sizes]
    figure, axes = style.new_figure(
        7.5, 1.4 + step * sum(ratios), len(instruments), 1, squeeze=False, height_ratios=ratios, sharex=True
    )  # fmt: skip
    for axis, name in zip(axes.flat, instruments, strict=True):
        _panel(axis, data[data["instrument"] == name], forms, context)
        axis.set_title(_instrument(name, context))
    lowest = float(data[["estimate", "low"]].min().min())
    axes.flat[-1].set_xlim(min(0.0, max(-1.0, lowest - 0.05)), 1.03)
    axes.flat[-1].set_xlabel("Intraclass correlation with 95% interval (1 = complete agreement)")
    figure.legend(*axes.flat[0].get_legend_handles_labels(), loc="outside lower center", ncols=min(3, len(forms)))
    style.finish(figure, context)
    return figure


def _panel(axis, part: pd.DataFrame, forms: list[str], context: Context) -> None:
    scores = list(dict.fromkeys(part["score"]))
    place = {score: len(scores) - 1 - number for number, score in enumerate(scores)}
    for number, form in enumerate(forms):
        rows = part[(part["form"] == form) & part["estimate"].notna()]
        shift = 0.66 / (len(forms) + 1) * ((len(forms) - 1) / 2 - number)
        color = style.PALETTE[number % len(style.PALETTE)]
        errors = [(rows["estimate"] - rows["low"]).fillna(0), (rows["high"] - rows["estimate"]).fillna(0)]
        height, marker = [place[score] + shift for score in rows["score"]], style.MARKERS[number % len(style.MARKERS)]
        axis.errorbar(
            rows["estimate"], height, xerr=errors, fmt=marker, color=color, markerfacecolor="white" if form.endswith("k)") else color,
            markersize=5, elinewidth=1.3, label=form,
        )  # fmt: skip
    axis.set_yticks(list(place.values()), ["\n".join(textwrap.wrap(labels.outcome_label(score, context), 40)) for score in place])
    axis.set_ylim(-0.6, len(scores) - 0.4)
    axis.grid(axis="x")
    axis.tick_params(axis="y", length=0)
