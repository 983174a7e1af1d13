"""Themes in numbers by wave and role: shares with intervals, what other coders would give, frequency, density and net valence."""

from __future__ import annotations

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits.base import Context, Exhibit, empty_exhibit, in_order, wave_order
from bscstudy.exhibits.labels import words
from bscstudy.exhibits.theme_words import part_cell, theme_notes, withheld_parts
from bscstudy.privacy import is_small

TABLES = ("qual/theme_measures", "qual/coder_sensitivity", "qual/presence")
FIGURE = False
#: as everywhere else, the codings from which themes are counted
COUNTED = "counted"


def build(tables: dict[str, pd.DataFrame], context: Context) -> Exhibit:
    """Return one row for each theme and all sessions, each wave and each role; option `unit` counts persons or centers instead."""
    measures = tables.get("qual/theme_measures")
    unit = context.options.get("unit", "session")
    data = measures[measures["unit"] == unit] if measures is not None else pd.DataFrame()
    if data.empty:
        return empty_exhibit(f"No theme was counted in {unit}s.")
    data = withheld_parts(data, context.min_cell).merge(_over_coders(tables["qual/coder_sensitivity"], unit, context), how="left")
    shown = _table(data, context)
    return Exhibit(
        table=shown,
        caption=f"Themes in numbers, counted in {unit}s that were asked, by wave and role",
        notes=_notes(tables, data, unit, context),
        sentences=_sentences(data, unit, context),
        group_by="Theme",
    )


def _over_coders(sensitivity: pd.DataFrame, unit: str, context: Context) -> pd.DataFrame:
    """Return the lowest and highest share over coders; blank where one of them would show a small count."""
    rows = sensitivity[sensitivity["unit"] == unit]
    rows = rows.assign(few=rows["n_present"].map(lambda n: is_small(n, context.min_cell)))
    grouped = rows.groupby(["theme", "wave", "role"], as_index=False)
    ranges = grouped.agg(lowest=("share", "min"), highest=("share", "max"), few=("few", "any"), n_coders=("coder", "nunique"))
    known = ~ranges["few"] & (ranges["n_coders"] > 1)
    return ranges.assign(lowest=ranges["lowest"].where(known), highest=ranges["highest"].where(known)).drop(columns=["few", "n_coders"])


def _table(data: pd.DataFrame, context: Context) -> pd.DataFrame:
    labels, waves, roles = context.labels("themes", "theme"), context.labels("waves"), context.labels("roles")
    by_key = {(row["theme"], row["wave"], row["role"]): row for row in data.to_dict("records")}
    parts = [("all", "all", "All")]
    parts += [(wave, "all", waves.get(wave, wave)) for wave in in_order(data["wave"], wave_order(context)) if wave != "all"]
    found = [role for role in in_order(data["role"], list(roles)) if role != "all"]
    parts += [("all", role, roles.get(role, words(role))) for role in found if len(found) > 1]
    rows = [
        {"Theme": labels.get(theme, words(theme)), "Of": name, **_cells(by_key[(theme, wave, role)], context)}
        for theme in in_order(data["theme"], list(labels))
        for wave, role, name in parts
        if (theme, wave, role) in by_key
    ]
    table = pd.DataFrame(rows)
    optional = [name for name in ("Other coders", "Per 1,000 words", "Of the text", "Weight") if (table[name] == numbers.MISSING).all()]
    return table.drop(columns=optional)


def _cells(row: dict, context: Context) -> dict[str, str]:
    if row["hidden"] or not row["n_asked"]:
        return {"Raised": part_cell(row, context.min_cell), **dict.fromkeys(_COLUMNS, numbers.MISSING)}
    texts = (
        _share(row["share"], row["low"], row["high"]),
        _range(row["low_centers"], row["high_centers"]),
        _range(row["lowest"], row["highest"]),
        numbers.count(row["n_excerpts"]),
        numbers.estimate(row["density"], 1),
        numbers.percent(row["coverage"], 1),
        numbers.estimate(row["intensity"], 1),
        numbers.estimate(row["net_valence"], signed=True),
    )
    return {"Raised": part_cell(row, context.min_cell), **dict(zip(_COLUMNS, texts, strict=True))}


_COLUMNS = (
    "Share (95% interval)", "Allowing for centers", "Other coders", "Excerpts", "Per 1,000 words", "Of the text", "Weight", "Net valence",
)  # fmt: skip


def _share(share: object, low: object, high: object) -> str:
    return numbers.MISSING if numbers.is_missing(share) else f"{numbers.percent(share)} ({_range(low, high)})"


def _range(low: object, high: object) -> str:
    return numbers.MISSING if numbers.is_missing(low) else f"{numbers.percent(low)} to {numbers.percent(high)}"


def _notes(tables: dict[str, pd.DataFrame], data: pd.DataFrame, unit: str, context: Context) -> dict[str, str]:
    notes = theme_notes(tables["qual/presence"])
    notes.pop("Direction")
    notes["Estimator"] = (
        f"share of {unit}s that raised a theme among those asked; 95% Jeffreys intervals, which take {unit}s as independent"
    )
    effects = data.loc[~data["hidden"], "design_effect"].dropna()
    if len(effects):
        notes["Allowing for centers"] = (
            f"{unit}s of one center resemble each other: counts are divided by the beta-binomial's design effect "
            f"({numbers.estimate(effects.min())} to {numbers.estimate(effects.max())}) before the interval is taken"
        )
    others = sorted(set(tables["qual/coder_sensitivity"]["coder"]) - {COUNTED})
    if others and data["lowest"].notna().any():
        notes["Other coders"] = (
            f"lowest and highest share when each of {numbers.plural(len(others), 'other coder')} in turn replaces the codings counted, "
            "in the documents that the coder coded"
        )
    notes["Excerpts"] = (
        "places with the theme in documents that were asked about it; they, and their number per 1,000 words, mostly measure how much "
        "is said"
    )
    notes["Net valence"] = "(facilitator − barrier) / (facilitator + barrier), in excerpts"
    notes["Small cells"] = (
        f"rows with a count from 1 to {context.min_cell - 1}, of a theme that only one center raised, and what would give them away "
        "are not "
        "shown; of a theme that one center raised, whether less than half or at least half of those asked raised it"
    )
    return notes


def _sentences(data: pd.DataFrame, unit: str, context: Context) -> tuple[str, ...]:
    whole = data[(data["wave"] == "all") & (data["role"] == "all") & ~data["hidden"]]
    wide = (whole["highest"] - whole["lowest"]).dropna()
    if wide.empty:
        return ()
    row = whole.loc[wide.idxmax()]
    label = context.labels("themes", "theme").get(row["theme"], words(row["theme"]))
    return (
        f"Another coder's codings would move the share of {unit}s that raised a theme by at most "
        f"{numbers.estimate(100 * wide.max(), 0)} percentage points ({label}: {_range(row['lowest'], row['highest'])}).",
    )
