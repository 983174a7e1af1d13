"""Observation scores: shares of applicable indicators, and ratings averaged in a declared order."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bscstudy.errors import BscError

#: level of the averaging order -> key column of the ingested table
LEVEL_KEYS = {"raters": "rater_id", "segments": "segment", "visits": "observation_id"}
VISIT_KEYS = ("wave", "collaborative", "center_id", "classroom_id", "person_id", "visit")


def visit_keys(rows: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each visit with its keys and the number of raters.

    Parameters
    ----------
    rows : DataFrame
        Rows of an observation source (visit x rater x segment) with ``observation_id``.

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
            tuple(f"row {row}" for row in rows.loc[rows["observation_id"].isna(), "row"]),
            "Ratings that belong to no visit cannot be averaged.",
            "Correct the source, or exclude the rows under `exclusions` in config/config.yaml with a reason.",
        )
    grouped = rows.groupby("observation_id", sort=True)
    keys = pd.DataFrame(index=grouped.size().index)
    for column in VISIT_KEYS:
        keys[column] = grouped[column].first() if column in rows.columns else pd.NA
    _refuse_conflicts(rows, grouped)
    keys["n_raters"] = grouped["rater_id"].nunique().clip(lower=1) if "rater_id" in rows.columns else 1
    return keys


def _refuse_conflicts(rows: pd.DataFrame, grouped) -> None:
    places = []
    for column in (c for c in VISIT_KEYS if c in rows.columns):
        counts = grouped[column].nunique()
        places += [f"column {column}, visit {visit}" for visit in counts.index[counts > 1]]
    if places:
        raise BscError(
            "BSC-KEY-202",
            "Rows of one visit disagree in where, when or whom they observed.",
            tuple(places),
            "The visit's score would be given to only one of them.",
            "Correct the visit's id or keys in the source, or exclude the wrong rows with a reason.",
        )


def indicator_scores(rows: pd.DataFrame, parts: list[dict]) -> pd.DataFrame:
    """Score indicators: yes / (yes + no) of each part, over all raters of a visit.

    Parameters
    ----------
    rows : DataFrame
        One row for each visit and rater; indicators are 1 (yes), 0 (no) or NA (no opportunity, skipped).
    parts : list of dict
        ``id``, ``items`` and, optionally, ``applies_if``: the item that must be 1 for the part to be scored.

    Returns
    -------
    DataFrame
        ``observation_id score part numerator denominator value why``. Numerator and denominator are counts divided by the
        number of raters who scored the part, so that ``value`` = numerator / denominator gives every answer the same weight.
        NA indicators are in neither. Without a denominator ``value`` is NaN and ``why`` is ``not_applicable`` (the part applied to
        no rater's visit) or ``no_applicable_indicator``.
    """
    results = []
    for part in parts:
        answers = rows[list(part["items"])].apply(pd.to_numeric)
        _refuse_other_codes(answers, part)
        applies = pd.Series(True, index=rows.index) if not part.get("applies_if") else pd.to_numeric(rows[part["applies_if"]]).eq(1)
        counts = pd.DataFrame(
            {
                "observation_id": rows["observation_id"],
                "yes": answers.eq(1).sum(axis=1).where(applies, 0),
                "of": answers.notna().sum(axis=1).where(applies, 0),
                "applies": applies,
            }
        )
        counts["scored"] = counts["of"] > 0
        total = counts.groupby("observation_id", sort=True)[["yes", "of", "applies", "scored"]].sum()
        raters = total["scored"].where(total["scored"] > 0)
        result = pd.DataFrame({"numerator": total["yes"] / raters, "denominator": total["of"] / raters})
        result["value"] = total["yes"] / total["of"].where(total["of"] > 0)
        result["why"] = np.where(total["of"] > 0, "", np.where(total["applies"] > 0, "no_applicable_indicator", "not_applicable"))
        results.append(result.reset_index().assign(score=part["id"], part=part["id"]))
    return pd.concat(results, ignore_index=True)


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


def average_ratings(rows: pd.DataFrame, scores: dict[str, list[str]], order: list[str]) -> tuple[pd.DataFrame, pd.DataFrame | None]:
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

    Returns
    -------
    visits : DataFrame
        ``observation_id`` and one column for each score.
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
    return visits, _person_means(rows, visits, list(scores)) if "visits" in order else None


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
