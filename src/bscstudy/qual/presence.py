"""Presence of themes by session and by person, with who was asked as the denominator.

Called by the rule `code_themes`. A theme that was not asked about and not raised is blank, never zero: an absent code is not
an absent experience. A session is one interview or one focus group; sessions cover all documents. Interviewed persons are
counted a second time, as persons, where the study asks for it; a focus group has no persons. Use one `unit` at a time.
"""

from __future__ import annotations

import pandas as pd

from bscstudy.errors import BscError, nearest
from bscstudy.identity import add_identity
from bscstudy.qual.codes import counted_codings, settled_documents
from bscstudy.qual.columns import PRESENCE

ATTRIBUTES = ["center_id", "collaborative", "role"]
COUNTS = ["n_facilitator", "n_barrier", "n_mixed", "n_codings"]


def asked_topics(asked: pd.DataFrame, themes: list[dict]) -> set[tuple[str, str]]:
    """Return the pairs (document, topic) that were asked.

    Parameters
    ----------
    asked : DataFrame
        Long (`document_id`, `topic`, optional `asked` 1/0: without it each row means asked) or wide (`document_id` and a column
        1/0 for each topic). A blank counts as not asked.
    themes : list of dict
        Rows with `theme` and `topic` (blank: the theme could come up anywhere).

    Raises
    ------
    BscError
        BSC-QUA-104 where a theme's topic occurs nowhere in the table: it would have no denominator.
    """
    topics = sorted({theme["topic"] for theme in themes if theme.get("topic")})
    if "topic" in asked.columns:
        known = sorted(asked["topic"].dropna().unique())
        rows = asked[asked["asked"] == 1] if "asked" in asked.columns else asked
        pairs = set(zip(rows["document_id"], rows["topic"], strict=True))
    else:
        known = sorted(set(asked.columns) - {"document_id"})
        pairs = {(d, topic) for topic in topics if topic in known for d in asked.loc[asked[topic] == 1, "document_id"]}
    unknown = [topic for topic in topics if topic not in known]
    if unknown:
        raise BscError(
            "BSC-QUA-104",
            f"{len(unknown)} topic(s) of the themes are never recorded as asked or not asked.",
            tuple(f"config/qual/themes.csv: topic '{topic}'. {nearest(topic, known)}".rstrip() for topic in unknown),
            "Themes of these topics would have no denominator.",
            "Correct the topic's name, record whether it was asked, or leave `topic` blank for a theme that could come up anywhere.",
        )
    return pairs


def was_asked(document: str, theme: dict, asked: set[tuple[str, str]]) -> bool:
    """Return whether the theme's topic was asked in the document; a theme without a topic could come up anywhere."""
    return not theme.get("topic") or (document, theme["topic"]) in asked


def complete_documents(documents: pd.DataFrame, people: pd.DataFrame | None, centers: pd.DataFrame | None) -> pd.DataFrame:
    """Fill a document's center, collaborative and role by `bscstudy.identity.add_identity`.

    Parameters
    ----------
    documents : DataFrame
        `document_id`, `wave`, and where known `person_id`, `session_id`, `center_id`, `collaborative`, `role`, and `coded` (1 where the
        main coder has read the document, also if no code was given; without it only documents with a coding count as coded), and
        `settled` (1 where coders came to a consensus on it, also if it left no code).
    people, centers : DataFrame or None
        `person_id`, `wave` and attributes; `center_id` and `collaborative`.
    """
    columns = ["document_id", "wave", "person_id", "session_id", "coded", "settled", *ATTRIBUTES]
    return add_identity(documents.reindex(columns=columns), people, centers)[columns]


def presence_table(
    documents: pd.DataFrame, asked: set[tuple[str, str]], codings: pd.DataFrame, themes: list[dict], unit: str = "session"
) -> pd.DataFrame:
    """Return the presence of each theme in each unit and wave, from the main coder's codings or the consensus (`counted_codings`).

    Parameters
    ----------
    documents : DataFrame
        As `complete_documents` returns it.
    asked : set of (document_id, topic)
    codings : DataFrame
        With `document_id`, `coder_role`, `theme` (blank: ignored code) and `direction`.
    themes : list of dict
        Rows with `theme` and `topic`.
    unit : {'session', 'person', 'center'}
        `person` adds rows for interviewed persons to the rows of sessions, `center` rows for centers (whose role is blank).

    Returns
    -------
    DataFrame
        `asked` 1/0; `coded` 1/0 (0: none of the unit's documents is declared coded or holds a coding by the main coder, so that
        absence is unknown);
        `present` 1 if the theme was coded, 0 if asked, coded and not found, else blank; counts of codings by direction.
    """
    cells = _document_cells(documents, asked, codings, themes)
    sessions = documents["session_id"].where(documents["session_id"].notna(), documents["document_id"])
    parts = [_roll_up(cells, documents, sessions, "session")]
    if unit == "person" and documents["person_id"].notna().any():
        parts.append(_roll_up(cells, documents, documents["person_id"], "person"))
    if unit == "center":
        parts.append(_roll_up(cells, documents.assign(role=pd.NA), documents["center_id"], "center"))
    table = pd.concat(parts, ignore_index=True)
    return (
        table[[column.name for column in PRESENCE]].sort_values(["unit", "unit_id", "theme", "wave"], kind="stable").reset_index(drop=True)
    )


def collapse_waves(presence: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each unit and theme over all waves: asked at any wave, present at any wave; `wave` is `all`."""
    return _combine(presence, ["unit", "unit_id", "theme"]).assign(wave="all")


def collapse_themes(presence: pd.DataFrame, construct_of: dict[str, str]) -> pd.DataFrame:
    """Return one row for each unit and construct: asked about any of its themes, any of its themes present.

    Column `theme` then holds the construct; themes without a construct are left out.
    """
    mapped = presence.assign(theme=presence["theme"].map(lambda theme: construct_of.get(theme) or None))
    return _combine(mapped[mapped["theme"].notna()], ["unit", "unit_id", "theme", "wave"])


def _document_cells(documents: pd.DataFrame, asked: set, codings: pd.DataFrame, themes: list[dict]) -> pd.DataFrame:
    main = counted_codings(codings, documents)
    coded = {*main["document_id"], *documents.loc[documents["coded"] == 1, "document_id"], *settled_documents(codings, documents)}
    counts = main.dropna(subset=["theme"]).groupby(["document_id", "theme", "direction"]).size().to_dict()
    rows = []
    for document in documents["document_id"]:
        for theme in themes:
            number = {d: counts.get((document, theme["theme"], d), 0) for d in ("facilitator", "barrier", "mixed", "neutral")}
            rows.append(
                {
                    "document_id": document,
                    "theme": theme["theme"],
                    "asked": int(was_asked(document, theme, asked)),
                    "coded": int(document in coded),
                    "n_facilitator": number["facilitator"],
                    "n_barrier": number["barrier"],
                    "n_mixed": number["mixed"],
                    "n_codings": sum(number.values()),
                }
            )
    return pd.DataFrame(rows)


def _roll_up(cells: pd.DataFrame, documents: pd.DataFrame, unit_ids: pd.Series, unit: str) -> pd.DataFrame:
    named = documents.assign(unit_id=unit_ids, unit=unit).dropna(subset=["unit_id"])
    merged = named[["document_id", "unit_id", "unit", "wave", *ATTRIBUTES]].merge(cells, on="document_id")
    merged["present"] = _present(merged)
    return _combine(merged.sort_values("document_id", kind="stable"), ["unit", "unit_id", "theme", "wave"])


def _present(rows: pd.DataFrame) -> pd.Series:
    present = pd.Series(pd.NA, index=rows.index, dtype="Int64")
    present[(rows["asked"] == 1) & (rows["coded"] == 1)] = 0
    present[rows["n_codings"] > 0] = 1
    return present


def _combine(rows: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    rows = rows.assign(present=rows["present"].astype("Int64"))
    how = {name: "first" for name in [*ATTRIBUTES, *(["wave"] if "wave" not in by else [])]}
    how |= {"asked": "max", "coded": "max", "present": "max"} | {name: "sum" for name in COUNTS}
    return rows.groupby(by, dropna=False, as_index=False, sort=True).agg(how)
