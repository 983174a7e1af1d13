"""Observation scores: shares of applicable indicators with their counts, and ratings averaged in a declared order."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bscstudy.errors import BscError, rows_said

#: level of the averaging order -> key column of the ingested table
LEVEL_KEYS = {"raters": "rater_id", "segments": "segment", "visits": "observation_id"}
VISIT_KEYS = ("wave", "collaborative", "center_id", "classroom_id", "person_id", "visit")


def visit_keys(rows: pd.DataFrame, where: str = "") -> pd.DataFrame:
    """Return one row for each visit with its keys and the number of raters.

    Parameters
    ----------
    rows : DataFrame
        Rows of an observation source (visit x rater x segment) with ``observation_id``.
    where : str
        What the rows are called in a message.

    Returns
    -------
    DataFrame
        Indexed by ``observation_id``; columns `VISIT_KEYS` and ``n_raters`` (1 where the source names no rater).

    Raises
    ------
    BscError
        BSC-KEY-201 if a row names no visit; BSC-KEY-202 if rows of one visit differ in a key.
    """
    if rows["observation_id"].isna().any():
        raise BscError(
            "BSC-KEY-201",
            f"{int(rows['observation_id'].isna().sum())} rows of an observation source name no visit.",
            f"{where or 'an observation source'}{rows_said(rows.loc[rows['observation_id'].isna(), 'row'])}",
            "Ratings that belong to no visit cannot be averaged.",
            "Correct the source, or exclude the rows under `exclusions` in config/config.yaml with a reason.",
        )
    grouped = rows.groupby("observation_id", sort=True)
    keys = pd.DataFrame(index=grouped.size().index)
    for column in VISIT_KEYS:
        keys[column] = grouped[column].first() if column in rows.columns else pd.NA
    _refuse_conflicts(rows, grouped, where)
    keys["n_raters"] = grouped["rater_id"].nunique().clip(lower=1) if "rater_id" in rows.columns else 1
    return keys


def _refuse_conflicts(rows: pd.DataFrame, grouped, where: str) -> None:
    places = []
    for column in (c for c in VISIT_KEYS if c in rows.columns):
        counts = grouped[column].nunique()
        torn = rows[rows["observation_id"].isin(counts.index[counts > 1])]
        places += [f"{where}, column {column}{rows_said(visit.get('row', ()))}" for _, visit in torn.groupby("observation_id")]
    if places:
        raise BscError(
            "BSC-KEY-202",
            "Rows of one visit disagree in where, when or whom they observed.",
            tuple(places),
            "The visit's score would be given to only one of them.",
            "Correct the visit's id or keys in the source, or exclude the wrong rows with a reason.",
        )


def indicator_scores(rows: pd.DataFrame, parts: list[dict], interview: dict[str, str] | None = None) -> pd.DataFrame:
    """Score indicators: yes / (yes + no) of each part, over all raters of a visit.

    Parameters
    ----------
    rows : DataFrame
        One row for each visit and rater; indicators are 1 (yes), 0 (no) or NA, with the reason in ``<item>__why``.
    parts : list of dict
        ``id``, ``items`` (``-item``: a no counts) and, optionally, ``applies_if``: the item that must be 1 for the part to be scored.
    interview : dict, optional
        Indicator -> item with the answer of the interview after the visit. It stands in where the visit gave no opportunity, in the
        same row, and nowhere else: what was seen counts before what was told.

    Returns
    -------
    DataFrame
        ``observation_id score part numerator denominator n_interview n_no_opportunity n_unanswered value why``. Counts are those of
        the raters who scored the part, divided by their number, so that ``value`` = numerator / denominator gives every answer the
        same weight; the denominator, no opportunity and unanswered add up to the indicators of the part. NA indicators are in neither
        numerator nor denominator; ``n_interview`` is the part of the denominator that the interview answered. Without a denominator
        ``value`` is NaN and ``why`` is ``not_applicable`` (the part applied to no rater's visit) or ``no_applicable_indicator``.
    """
    results = []
    for part in parts:
        answers, told, no_opportunity = _answers(rows, part, interview or {})
        applies = pd.Series(True, index=rows.index) if not part.get("applies_if") else pd.to_numeric(rows[part["applies_if"]]).eq(1)
        applies = applies.fillna(False).astype(bool)
        counts = pd.DataFrame(
            {"observation_id": rows["observation_id"], "applies": applies, "yes": answers.eq(1).sum(axis=1).where(applies, 0)}
        )
        counts["of"] = answers.notna().sum(axis=1).where(applies, 0)
        counts["told"] = told.sum(axis=1)
        counts["no_opportunity"] = no_opportunity.sum(axis=1)
        counts["unanswered"] = answers.isna().sum(axis=1) - counts["no_opportunity"]
        results.append(_visit_counts(counts).reset_index().assign(score=part["id"], part=part["id"]))
    return pd.concat(results, ignore_index=True)


def _answers(rows: pd.DataFrame, part: dict, interview: dict[str, str]) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return the answers of a part as they count, which of them the interview gave, and where there was still no opportunity."""
    items = [item.removeprefix("-") for item in part["items"]]
    answers = rows[items].apply(pd.to_numeric)
    unseen = pd.DataFrame({item: rows[item].isna() & _reason(rows, item).eq("no_opportunity") for item in items})
    told = pd.DataFrame(False, index=rows.index, columns=items)
    for item in (item for item in items if item in interview):
        said = pd.to_numeric(rows[interview[item]])
        told[item] = unseen[item] & said.notna()
        answers[item] = answers[item].where(~told[item], said)
    _refuse_other_codes(answers, part)
    for item in (item.removeprefix("-") for item in part["items"] if item.startswith("-")):
        answers[item] = 1 - answers[item]
    return answers, told, unseen & ~told


def _reason(rows: pd.DataFrame, item: str) -> pd.Series:
    return rows.get(f"{item}__why", pd.Series("", index=rows.index)).fillna("").astype(str)


def _visit_counts(counts: pd.DataFrame) -> pd.DataFrame:
    """Return the counts of visits from those of raters: means over the raters who scored the part, or to whom it applied."""
    scored = counts["of"] > 0
    nobody = ~scored.groupby(counts["observation_id"]).transform("any")
    counts = counts.assign(raters=scored | (counts["applies"] & nobody), scored=scored)
    names = {"told": "n_interview", "no_opportunity": "n_no_opportunity", "unanswered": "n_unanswered"}
    counts[list(names)] = counts[list(names)].where(counts["raters"], 0)
    total = counts.groupby("observation_id", sort=True).sum(numeric_only=False)
    raters = total["raters"].where(total["raters"] > 0)
    share = total["scored"].where(total["scored"] > 0)
    result = pd.DataFrame({"numerator": total["yes"] / share, "denominator": total["of"] / share})
    for name, column in names.items():
        result[column] = total[name] / raters
    result["value"] = total["yes"] / total["of"].where(total["of"] > 0)
    result["why"] = np.where(total["of"] > 0, "", np.where(total["applies"] > 0, "no_applicable_indicator", "not_applicable"))
    return result


def _refuse_other_codes(answers: pd.DataFrame, part: dict) -> None:
    wrong = [item for item in answers.columns if not answers[item].dropna().isin([0, 1]).all()]
    if wrong:
        raise BscError(
            "BSC-DAT-203",
            "Indicators hold values other than yes (1) and no (0).",
            tuple(f"part {part['id']}, item {item}" for item in wrong),
            "A share of yes answers is only defined for yes and no.",
            "Declare the items as `yes_no` in config/codebook/items.csv, with codes for no opportunity in missing_codes.csv.",
        )


def average_ratings(
    rows: pd.DataFrame, scores: dict[str, list[str]], order: list[str], minimum_segments: int = 0
) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Average ratings in a declared order, which matters wherever a rating is missing or raters differ in number.

    Parameters
    ----------
    rows : DataFrame
        One row for each visit, rater and segment.
    scores : dict
        Score id -> items.
    order : list of str
        ``items raters segments visits`` in the order of averaging; each mean skips what is missing. ``visits``, last, averages over
        the visits of a person within a wave.
    minimum_segments : int
        A visit with fewer segments that hold a rating of the score has no score.

    Returns
    -------
    visits : DataFrame
        ``observation_id`` and one column for each score; NaN where nothing was rated or too few segments were.
    persons : DataFrame or None
        ``person_id wave n_visits`` and one column for each score, where ``visits`` is in the order; else None.

    Raises
    ------
    BscError
        BSC-CFG-203 if the order leaves out a level that a visit has several of, names a key the source lacks, leaves out
        ``items``, or ``visits`` is not last.
    """
    _refuse_order(rows, order)
    keys = [key for key in ("observation_id", "rater_id", "segment") if key in rows.columns]
    items = list(dict.fromkeys(item for members in scores.values() for item in members))
    table = pd.concat([rows[keys], rows[items].apply(pd.to_numeric)], axis=1)
    values = items
    for level in [level for level in order if level != "visits"]:
        if level == "items":
            means = {score: table[members].mean(axis=1) for score, members in scores.items()}
            table, values = pd.concat([table[keys], pd.DataFrame(means)], axis=1), list(scores)
            continue
        keys = [key for key in keys if key != LEVEL_KEYS[level]]
        table = table.groupby(keys, sort=True, dropna=False)[values].mean().reset_index()
    visits = table.groupby("observation_id", sort=True)[values].first().reset_index() if len(keys) > 1 else table
    if minimum_segments:
        enough = segments_rated(rows, scores).reindex(visits["observation_id"]) >= minimum_segments
        visits[list(scores)] = visits[list(scores)].where(enough.to_numpy())
    return visits, _person_means(rows, visits, list(scores)) if "visits" in order else None


def segments_rated(rows: pd.DataFrame, scores: dict[str, list[str]]) -> pd.DataFrame:
    """Return for each visit and score the number of segments with at least one rating by any rater; 1 or 0 without segments.

    Parameters
    ----------
    rows : DataFrame
        One row for each visit, rater and segment.
    scores : dict
        Score id -> items.

    Returns
    -------
    DataFrame
        Indexed by ``observation_id``, one column of counts for each score.
    """
    segment = rows["segment"] if "segment" in rows.columns else pd.Series("1", index=rows.index)
    rated = {score: segment.where(rows[items].notna().any(axis=1)) for score, items in scores.items()}
    return pd.DataFrame(rated).groupby(rows["observation_id"], sort=True).nunique()


def _person_means(rows: pd.DataFrame, visits: pd.DataFrame, scores: list[str]) -> pd.DataFrame:
    observed = visit_keys(rows)[["person_id", "wave"]].reset_index()
    table = visits.merge(observed, on="observation_id", validate="one_to_one").dropna(subset=["person_id"])
    grouped = table.groupby(["person_id", "wave"], sort=True, dropna=False)
    return pd.concat([grouped.size().rename("n_visits"), grouped[scores].mean()], axis=1).reset_index()


def _refuse_order(rows: pd.DataFrame, order: list[str]) -> None:
    faults = []
    if "items" not in order:
        faults.append("`items` is missing")
    if len(set(order)) < len(order) or ("visits" in order and order[-1] != "visits"):
        faults.append("a level is repeated or `visits` is not last")
    for level in ("raters", "segments"):
        key = LEVEL_KEYS[level]
        if level in order and key not in rows.columns:
            faults.append(f"the source has no key `{key}`")
        if level not in order and key in rows.columns and (rows.groupby("observation_id")[key].nunique(dropna=False) > 1).any():
            faults.append(f"visits have several values of `{key}` but `{level}` is not in the order")
    if "visits" in order and "person_id" not in rows.columns:
        faults.append("the source has no key `person_id`, which `visits` needs")
    if faults:
        raise BscError(
            "BSC-CFG-203",
            "The order in which ratings are averaged does not fit the source.",
            tuple(f"config/measures.yaml, average_order: {fault}" for fault in faults),
            "Averaging in another order gives other scores wherever a rating is missing.",
            "Name every level the source has in `average_order`, in the order your manual states.",
        )
