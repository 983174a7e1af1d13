"""Themes in numbers beyond presence: frequency, density, coverage, intensity and net valence, beside the share of those asked.

Called by the rule `code_themes`. Everything is of documents in which the theme's topic was asked and which were coded, so that no
measure mixes silence with a question that was not put. Frequency and density mostly measure talkativeness; the share of units does not.
"""

from __future__ import annotations

import pandas as pd

from bscstudy.qual.agreement_units import PLACED
from bscstudy.qual.clustered_shares import clustered_share
from bscstudy.qual.codes import counted_codings, settled_documents
from bscstudy.qual.columns import THEME_MEASURES
from bscstudy.qual.presence import collapse_waves, was_asked
from bscstudy.qual.shares import net_direction, theme_summary

KEY = ["theme", "wave", "role", "unit"]
CELL = ["document_id", "theme"]


def theme_measures(
    presence: pd.DataFrame,
    documents: pd.DataFrame,
    listed: pd.DataFrame,
    asked: set[tuple[str, str]],
    codings: pd.DataFrame,
    themes: list[dict],
) -> pd.DataFrame:
    """Return one row for each theme, wave (and `all`), role (and `all`) and unit, in the columns of qual/theme_measures.csv.

    Parameters
    ----------
    presence : DataFrame
        Rows of qual/presence.csv; the units in it are those of the result.
    documents : DataFrame
        As `bscstudy.qual.presence.complete_documents` returns it.
    listed : DataFrame
        The source of documents: `document_id` and, where the study has them, `words` and `characters`. A document without a number
        does not enter density or coverage.
    asked : set of (document_id, topic)
    codings : DataFrame
        Rows of qual/codings.csv. Codings of one theme on one place are one excerpt; one whose place is not known is an excerpt of its own.
    themes : list of dict
        Rows with `theme` and `topic`.
    """
    shares = theme_summary(presence).merge(_clustered(presence), on=KEY, how="left")
    of_documents = document_measures(documents, listed, asked, codings, themes)
    parts = [_summed(_of_unit(of_documents, unit), unit) for unit in sorted(presence["unit"].unique())]
    table = shares.merge(pd.concat(parts, ignore_index=True), on=KEY, how="left")
    counts = ["n_documents", "n_excerpts", "n_facilitator_excerpts", "n_barrier_excerpts", "n_weighted"]
    table[counts] = table[counts].fillna(0).astype(int)
    return table[[column.name for column in THEME_MEASURES]]


def document_measures(
    documents: pd.DataFrame, listed: pd.DataFrame, asked: set[tuple[str, str]], codings: pd.DataFrame, themes: list[dict]
) -> pd.DataFrame:
    """Return excerpts, words, characters covered and weights of each theme in each document that was asked about it and coded."""
    counted = counted_codings(codings, documents)
    read = {*counted["document_id"], *documents.loc[documents["coded"] == 1, "document_id"], *settled_documents(codings, documents)}
    lengths = listed.set_index("document_id").reindex(columns=["words", "characters"])
    cells = [
        (document, theme["theme"])
        for document in documents["document_id"]
        if document in read
        for theme in themes
        if was_asked(document, theme, asked)
    ]
    found = _excerpts(counted.dropna(subset=["theme"]))
    measured = pd.DataFrame(cells, columns=CELL).merge(found, on=CELL, how="left")
    absent = measured["n_excerpts"].isna()
    measured[found.columns[2:]] = measured[found.columns[2:]].mask(absent, 0)
    return measured.merge(documents, on="document_id").join(lengths, on="document_id")


def _excerpts(codings: pd.DataFrame) -> pd.DataFrame:
    """Return the measures of each theme in each document with a coding of it; `covered` is NaN where a passage's place is not known."""
    placed = codings["start"].notna() & (codings["end"] > codings["start"]) & codings["offset_status"].isin(PLACED)
    place = (codings["start"].astype(str) + "-" + codings["end"].astype(str)).where(placed, codings["coding_id"])
    rows = codings.assign(place=place, placed=placed)

    def places(part: pd.DataFrame) -> pd.Series:
        return part.drop_duplicates([*CELL, "place"]).groupby(CELL).size()

    cells = rows.groupby(CELL)
    columns = {
        "n_excerpts": places(rows),
        "n_facilitator_excerpts": places(rows[rows["direction"] == "facilitator"]),
        "n_barrier_excerpts": places(rows[rows["direction"] == "barrier"]),
        "weight": cells["weight"].sum(),
        "n_weighted": cells["weight"].count(),
    }
    table = pd.DataFrame(columns).fillna(0.0)
    table["covered"] = covered_length(rows[placed], CELL).reindex(table.index).where(cells["placed"].all())
    return table.reset_index()


def covered_length(stretches: pd.DataFrame, by: list[str]) -> pd.Series:
    """Return how much of a line the stretches (`start`, `end`) of each group cover together, what two of them share counted once."""
    rows = stretches.sort_values([*by, "start", "end"], kind="stable")
    reached = rows.groupby(by)["end"].cummax().groupby([rows[name] for name in by]).shift()
    start = rows["start"].where(reached.isna() | (rows["start"] > reached), reached)
    return (rows["end"] - start).clip(lower=0).groupby([rows[name] for name in by]).sum()


def _of_unit(cells: pd.DataFrame, unit: str) -> pd.DataFrame:
    """Return the documents that a kind of unit speaks of: all of sessions and centers, of persons those with one."""
    if unit == "person":
        return cells[cells["person_id"].notna()]
    return cells.assign(role=pd.NA) if unit == "center" else cells


def _summed(cells: pd.DataFrame, unit: str) -> pd.DataFrame:
    """Add up the documents of each theme, wave and role (each also `all`)."""
    waves = pd.concat([cells, cells.assign(wave="all")], ignore_index=True)
    everyone = pd.concat([waves, waves.assign(role="all")], ignore_index=True)
    rows = []
    for (theme, wave, role), part in everyone.groupby(["theme", "wave", "role"], sort=True):
        worded, measured = part[part["words"] > 0], part[(part["characters"] > 0) & part["covered"].notna()]
        n_facilitator, n_barrier = int(part["n_facilitator_excerpts"].sum()), int(part["n_barrier_excerpts"].sum())
        rows.append(
            {
                "theme": theme, "wave": wave, "role": role, "unit": unit, "n_documents": len(part),
                "n_excerpts": int(part["n_excerpts"].sum()),
                "n_facilitator_excerpts": n_facilitator,
                "n_barrier_excerpts": n_barrier,
                "net_valence": net_direction(n_facilitator, n_barrier),
                "density": _ratio(1000 * worded["n_excerpts"].sum(), worded["words"].sum()),
                "coverage": _ratio(measured["covered"].sum(), measured["characters"].sum()),
                "intensity": _ratio(part["weight"].sum(), part["n_weighted"].sum()),
                "n_weighted": int(part["n_weighted"].sum()),
            }
        )  # fmt: skip
    columns = [
        *KEY, "n_documents", "n_excerpts", "n_facilitator_excerpts", "n_barrier_excerpts", "net_valence", "density", "coverage",
        "intensity", "n_weighted",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _ratio(above: float, below: float) -> float:
    return float(above) / float(below) if below > 0 else float("nan")


def _clustered(presence: pd.DataFrame) -> pd.DataFrame:
    """Return, for each group of units, the interval that allows for centers."""
    both = pd.concat([presence, collapse_waves(presence)], ignore_index=True)
    everyone = pd.concat([both, both.assign(role="all")], ignore_index=True)
    asked = everyone[(everyone["asked"] == 1) & everyone["present"].notna()]
    by_center = asked.assign(present=asked["present"].astype(int)).groupby([*KEY, "center_id"], sort=True)["present"].agg(["sum", "count"])
    rows = []
    for key, part in by_center.groupby(level=KEY, sort=True):
        found = clustered_share(part["sum"].to_numpy(), part["count"].to_numpy())
        rows.append((*key, found.design_effect, found.low, found.high))
    return pd.DataFrame(rows, columns=[*KEY, "design_effect", "low_centers", "high_centers"])
