"""Ratings of constructs in centers (-2 to 2, X mixed, M missing) by raters: checked, and settled to one value for each center.

Called by the rule `rate_constructs`. Mixed and missing are kept apart from 0. Raters who differ and came to no consensus leave no
value: a mean of them would be a rating that nobody gave.
"""

from __future__ import annotations

import re

import pandas as pd

from bscstudy.errors import BscError, nearest
from bscstudy.qual.columns import RATINGS

VALUES = ("-2", "-1", "0", "1", "2")
MIXED, NO_RATING = "X", "M"
STAGES = ("independent", "consensus")
#: informants with explicit examples that a rating of 2 or -2 asks for
FEWEST_FOR_STRONG = 2
KEY = ["construct", "center_id", "wave"]
_OPTIONAL = ["wave", "rater_id", "mixed", "n_informants", "evidence", "stage", "blind"]


def read_ratings(table: pd.DataFrame, constructs: list[dict], source: str) -> pd.DataFrame:
    """Return the rows of a source of ratings, with every value as one of -2 to 2, X and M.

    Parameters
    ----------
    table : DataFrame
        `row, center_id, construct, rating`, and where the source has them `wave`, `rater_id`, `mixed` (1: evidence points both ways),
        `n_informants`, `evidence` (ids of documents or codings, separated by spaces, commas or semicolons), `stage` (blank:
        independent), `blind` (1: rated without knowing the outcome). A wave nobody states is `all`.
    constructs : list of dict
        Rows with `id`.
    source : str
        For the messages.

    Raises
    ------
    BscError
        BSC-QUA-040 for values that are no rating, BSC-QUA-041 for rows without center, construct or rater or of an unknown stage,
        BSC-QUA-042 for constructs that are not declared, BSC-QUA-043 for one rating given twice.
    """
    rows = table.reindex(columns=list(dict.fromkeys(["row", "center_id", "construct", "rating", *_OPTIONAL])))
    rows = rows.assign(
        rating=rows["rating"].map(_plain_value).astype(object),
        stage=rows["stage"].astype(object).where(rows["stage"].notna(), "independent"),
        wave=rows["wave"].astype(object).where(rows["wave"].notna(), "all"),
    )
    _check_values(rows, source)
    _check_names(rows, [construct["id"] for construct in constructs], source)
    return rows


def _plain_value(value: object) -> object:
    """Return ``+1``, ``1.0`` and a true minus sign as plain values, letters in capitals; None where there is nothing."""
    if value is None or value != value:
        return None
    text = str(value).strip().replace("\N{MINUS SIGN}", "-").lstrip("+").upper()
    return re.sub(r"\.0+$", "", text).replace("-0", "0") or None


def _places(rows: pd.DataFrame, source: str) -> tuple[str, ...]:
    return tuple(f"source {source}, row {row}" for row in rows["row"])


def _check_values(rows: pd.DataFrame, source: str) -> None:
    wrong = rows[~rows["rating"].isin([*VALUES, MIXED, NO_RATING])]
    if len(wrong):
        raise BscError(
            "BSC-QUA-040",
            f"{len(wrong)} rating(s) are none of -2, -1, 0, 1, 2, X and M.",
            _places(wrong, source),
            "A rating that is not understood would be missing from the comparison of centers.",
            "Write whole numbers from -2 to 2, X where facilitating and hindering evidence balance, M where there is none.",
        )
    blank = rows["center_id"].isna() | rows["construct"].isna() | ~rows["stage"].isin(STAGES)
    wrong = rows[blank | (rows["rater_id"].isna() & (rows["stage"] == "independent"))]
    if len(wrong):
        raise BscError(
            "BSC-QUA-041",
            f"{len(wrong)} rating(s) lack their center, construct or rater, or name a stage that does not exist.",
            _places(wrong, source),
            "It would not be known what was rated, or whose ratings agree.",
            "Fill in `center_id`, `construct` and, for independent ratings, `rater_id`; `stage` is independent or consensus.",
        )


def _check_names(rows: pd.DataFrame, declared: list[str], source: str) -> None:
    unknown = sorted(set(rows["construct"]) - set(declared))
    if unknown:
        raise BscError(
            "BSC-QUA-042",
            f"{len(unknown)} rated construct(s) are not declared.",
            tuple(f"source {source}: '{name}'. {nearest(name, declared)}".rstrip() for name in unknown),
            "Their ratings would appear in no table.",
            "Add them to `ratings: constructs` in config/qual.yaml, or correct their names.",
        )
    one = rows["rater_id"].astype(object).where(rows["stage"] == "independent", "")
    repeated = rows[rows.assign(rater_id=one).duplicated([*KEY, "stage", "rater_id"], keep=False)]
    if len(repeated):
        raise BscError(
            "BSC-QUA-043",
            f"{len(repeated)} rows give a rating that another row gives, too.",
            _places(repeated, source),
            "A center has one consensus, and a rater one rating, for each construct and wave.",
            "Keep one of them, or exclude the other under `exclusions` in config/config.yaml with a reason.",
        )


def check_evidence(rows: pd.DataFrame, known: set[str], source: str) -> None:
    """Check that what ratings rest on exists.

    Parameters
    ----------
    rows : DataFrame
        As `read_ratings` returns it.
    known : set of str
        Ids of documents and of codings (`source:row`).

    Raises
    ------
    BscError
        BSC-QUA-044 with the rows that name an excerpt or document that is not in the study.
    """
    wrong = rows[rows["evidence"].map(lambda text: bool(evidence_ids(text) - known))]
    if len(wrong):
        raise BscError(
            "BSC-QUA-044",
            f"{len(wrong)} rating(s) name evidence that is not in the study.",
            _places(wrong, source),
            "What cannot be looked up is no evidence.",
            "Name documents (`document_id`) or codings (`coding_id` of data/derived/qual/codings.csv), or leave `evidence` blank.",
        )


def evidence_ids(text: object) -> set[str]:
    """Return the ids of a cell of `evidence`."""
    return set() if text is None or text != text else {word for word in re.split(r"[\s,;]+", str(text)) if word}


def settle_ratings(rows: pd.DataFrame) -> pd.DataFrame:
    """Return one rating for each construct, center and wave, in the columns of qual/ratings.csv.

    Parameters
    ----------
    rows : DataFrame
        As `read_ratings` returns it.

    Returns
    -------
    DataFrame
        `value` is the consensus, else what all independent raters gave; blank with `kind` mixed (X), missing (M) or not_settled (raters
        differ, no consensus). `blind` is 1 where every rating was blind, 0 where one was not, blank where one does not say.
    """
    settled = [dict(zip(KEY, key, strict=True)) | _settled(part) for key, part in rows.groupby(KEY, sort=True)]
    return pd.DataFrame(settled, columns=[column.name for column in RATINGS])


def _settled(part: pd.DataFrame) -> dict:
    consensus, alone = (part[part["stage"] == stage] for stage in ("consensus", "independent"))
    basis = consensus if len(consensus) else alone
    told = sorted(set(basis["rating"]))
    kind = _kind(told[0]) if len(told) == 1 else "not_settled"
    value = int(told[0]) if kind == "number" else None
    numbers = [int(rating) for rating in alone["rating"] if rating in VALUES]
    evidence = set().union(*(evidence_ids(text) for text in part["evidence"]))
    informants = pd.to_numeric(basis["n_informants"]).max()
    blind = pd.to_numeric(part["blind"])
    few = value in (-2, 2) and informants == informants and informants < FEWEST_FOR_STRONG
    return {
        "value": float("nan") if value is None else value,
        "kind": kind,
        "mixed": int(kind == "mixed" or (pd.to_numeric(basis["mixed"]) == 1).any()),
        "stage": "consensus" if len(consensus) else "independent",
        "n_raters": len(alone),
        "lowest": min(numbers, default=float("nan")),
        "highest": max(numbers, default=float("nan")),
        "n_informants": informants,
        "n_evidence": len(evidence),
        "blind": float(blind.min()) if blind.notna().all() or (blind == 0).any() else float("nan"),
        "note": " ".join(word for word, holds in (("few_informants", few), ("no_evidence", value is not None and not evidence)) if holds),
    }


def _kind(rating: str) -> str:
    return "mixed" if rating == MIXED else "missing" if rating == NO_RATING else "number"


def compared_values(settled: pd.DataFrame, mixed: str = "zero") -> pd.Series:
    """Return the value with which a settled rating enters the comparison of centers.

    Parameters
    ----------
    settled : DataFrame
        As `settle_ratings` returns it.
    mixed : {'zero', 'missing'}
        Whether X counts as 0, as published matrices count it, or not at all.
    """
    values = settled["value"].astype(float)
    return values.mask(settled["kind"] == "mixed", 0.0) if mixed == "zero" else values
