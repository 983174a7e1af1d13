"""Codings joined with the code map: which theme a coded passage speaks to, and in which direction.

Called by the rule `code_themes`. Codes are known by their full path, never by their bare name: projects hold the same name
under several parents. A code path that the map does not list stops the run, because its passages would vanish from every count.
"""

from __future__ import annotations

from collections import Counter

import pandas as pd

from bscstudy.errors import BscError, nearest
from bscstudy.io.coding_merge import match_tables
from bscstudy.qual.columns import CODINGS

IGNORE = "ignore"
DIRECTIONS = ("facilitator", "barrier", "mixed", "neutral")
#: coders whose codings were made independently of each other; `consensus` codings were made together, later
ROLES_COMPARED = ("main", "second")
CONSENSUS = "consensus"
CODING_COLUMNS = [column.name for column in CODINGS]


def collect_codings(sources: dict[str, pd.DataFrame], coder_roles: dict[str, str]) -> pd.DataFrame:
    """Stack the ingested coding sources into one table, one row for each coding.

    Parameters
    ----------
    sources : dict
        Source id -> its ingested table with `row`, `document_id`, `code_path`, and, where the source has them, `coder_id`,
        `start`, `end`, `offset_status`, `weight`; where they have `text_sha256`, documents of the same text are one, by the name
        that the main coder's source gives them (`bscstudy.io.coding_merge.match_tables`).
    coder_roles : dict
        Source id -> `main`, `second` or `consensus`.

    Returns
    -------
    DataFrame
        `coding_id` (`source:row`), `document_id`, `coder_id`, `coder_role`, `code_path`, `start`, `end`, `offset_status`, `weight`.

    Raises
    ------
    BscError
        BSC-QUA-105 where a coding names no document or no code; BSC-QUA-106 where no source is the main coder's.
    """
    if "main" not in coder_roles.values():
        raise BscError(
            "BSC-QUA-106",
            "No source of codings is the main coder's.",
            "config/qual.yaml: codings",
            "Themes are counted from the main coder's codings; without them there is nothing to count.",
            "Give one source `coder_role: main`.",
        )
    wanted = [column for column in CODING_COLUMNS if column not in ("theme", "direction")]
    parts = []
    naming_first = sorted(sources, key=lambda source: (coder_roles[source] != "main", source))
    matched = match_tables({source: sources[source] for source in naming_first})
    for source in sorted(sources):
        part = matched[source]
        part["coding_id"] = [f"{source}:{row}" for row in part["row"]]
        part["coder_role"] = coder_roles[source]
        parts.append(part.reindex(columns=wanted))
    codings = pd.concat(parts, ignore_index=True)
    blank = codings["document_id"].isna() | codings["code_path"].isna()
    if blank.any():
        raise BscError(
            "BSC-QUA-105",
            f"{int(blank.sum())} coding(s) name no document or no code.",
            tuple(f"source {source}, row {row}" for source, row in (c.rsplit(":", 1) for c in codings.loc[blank, "coding_id"])),
            "A coding that belongs to no document or theme cannot be counted.",
            "Correct the export, or exclude these rows under `exclusions` in config/config.yaml with a reason.",
        )
    return codings


def settled_documents(codings: pd.DataFrame, documents: pd.DataFrame) -> set[str]:
    """Return the documents with a consensus: those with a coding of it, and those whose `settled` is 1, also if no code was left."""
    declared = documents.loc[documents["settled"] == 1, "document_id"] if "settled" in documents.columns else ()
    return {*declared, *codings.loc[codings["coder_role"] == CONSENSUS, "document_id"]}


def counted_codings(codings: pd.DataFrame, documents: pd.DataFrame) -> pd.DataFrame:
    """Return the codings that themes are counted from: the consensus in `settled_documents`, elsewhere the main coder's."""
    settled = codings["document_id"].isin(settled_documents(codings, documents))
    return codings[codings["coder_role"].eq(CONSENSUS) | (codings["coder_role"].eq("main") & ~settled)]


def check_code_map(code_map: list[dict], themes: list[dict]) -> None:
    """Check that each code path is mapped once, to a theme that exists, in a direction that exists.

    Raises
    ------
    BscError
        BSC-QUA-102 with every faulty row of the code map.
    """
    known = [theme["theme"] for theme in themes]
    times = Counter(row["code_path"] for row in code_map)
    faults = [f"code path '{path}' has {n} rows" for path, n in sorted(times.items()) if n > 1]
    for row in code_map:
        if row["theme"] not in [*known, IGNORE]:
            faults.append(
                f"code path '{row['code_path']}': theme '{row['theme']}' is not in themes.csv. {nearest(row['theme'], known)}".rstrip()
            )
        elif row["theme"] != IGNORE and row.get("direction") and row["direction"] not in DIRECTIONS:
            faults.append(f"code path '{row['code_path']}': direction '{row['direction']}' is not one of {', '.join(DIRECTIONS)}")
    if faults:
        raise BscError(
            "BSC-QUA-102",
            f"{len(faults)} row(s) of the code map cannot be used.",
            tuple(f"config/qual/code_map.csv: {fault}" for fault in faults),
            "Codings would be counted twice, under no theme, or in no direction.",
            "Give each code path one row with a theme of config/qual/themes.csv (or `ignore`) and a direction.",
        )


def join_codes(codings: pd.DataFrame, code_map: list[dict], themes: list[dict]) -> pd.DataFrame:
    """Give each coding its theme and direction; codings whose code is marked `ignore` keep a blank theme.

    Parameters
    ----------
    codings : DataFrame
        As `collect_codings` returns it.
    code_map : list of dict
        Rows `code_path`, `theme` (a theme or `ignore`), `direction` (blank counts as neutral).
    themes : list of dict
        Rows with `theme`.

    Returns
    -------
    DataFrame
        The columns of qual/codings.csv, in the order of `codings`.

    Raises
    ------
    BscError
        BSC-QUA-101 with all code paths that the map does not list, and the nearest spelling; BSC-QUA-102 for a faulty map.
    """
    check_code_map(code_map, themes)
    mapped = {row["code_path"]: row for row in code_map}
    used = Counter(codings["code_path"])
    unmapped = sorted(path for path in used if path not in mapped)
    if unmapped:
        raise BscError(
            "BSC-QUA-101",
            f"{len(unmapped)} code(s) used in the codings are not in the code map.",
            tuple(f"'{path}' ({used[path]} codings). {nearest(path, list(mapped))}".rstrip() for path in unmapped),
            "Their passages would be missing from every count of themes.",
            "Add a row for each to config/qual/code_map.csv with its theme and direction, or with the theme `ignore`.",
        )
    joined = codings.copy()
    theme_of = {path: None if row["theme"] == IGNORE else row["theme"] for path, row in mapped.items()}
    direction_of = {path: (row.get("direction") or "neutral") if theme_of[path] else None for path, row in mapped.items()}
    joined["theme"] = [theme_of[path] for path in codings["code_path"]]
    joined["direction"] = [direction_of[path] for path in codings["code_path"]]
    return joined[CODING_COLUMNS]


def check_documents(documents: pd.DataFrame, codings: pd.DataFrame, asked: pd.DataFrame) -> None:
    """Check that codings and asked topics belong to listed documents, and that each document is listed once.

    Raises
    ------
    BscError
        BSC-QUA-103 with every document that is repeated or not listed.
    """
    known = sorted(documents["document_id"].dropna())
    faults = [f"document '{name}' is listed {n} times" for name, n in sorted(Counter(known).items()) if n > 1]
    for what, frame in (("codings", codings), ("asked topics", asked)):
        for name in sorted(set(frame["document_id"].dropna()) - set(known)):
            faults.append(f"document '{name}' has {what} but is not in the list of documents. {nearest(name, known)}".rstrip())
    if faults:
        raise BscError(
            "BSC-QUA-103",
            f"{len(faults)} document(s) do not fit the list of documents.",
            tuple(faults),
            "Without its document a coding has no center, wave or person, and is lost or counted twice.",
            "Correct the document's id in its source, or add the document to the list.",
        )
