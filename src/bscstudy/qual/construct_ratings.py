"""The distinguishing rule applied to a study's ratings, wave by wave: one row for each construct."""

from __future__ import annotations

import pandas as pd

from bscstudy.errors import BscError
from bscstudy.qual.columns import DISTINGUISHING
from bscstudy.qual.distinguishing import Distinguished, DistinguishingRule, distinguish, outcome_groups
from bscstudy.qual.ratings import compared_values


def compared_centers(spec: dict, outcome: pd.Series, centers: list[str]) -> tuple[set[str], set[str]]:
    """Return the centers with a good and with a poor outcome: those named under `high` and `low`, else the best and poorest by outcome.

    Parameters
    ----------
    spec : dict
        The section `ratings` of config/qual.yaml.
    outcome : Series of float
        By center, larger is better.
    centers : list of str
        The register.

    Raises
    ------
    BscError
        BSC-QUA-045 for centers that are not in the register or in both groups.
    """
    if "high" not in spec:
        return outcome_groups(outcome, spec.get("groups", "halves"))
    high, low = set(spec["high"]), set(spec["low"])
    wrong = sorted((high | low) - set(centers)) + sorted(high & low)
    if wrong:
        raise BscError(
            "BSC-QUA-045",
            f"{len(wrong)} center(s) compared by outcome are not in the register, or are in both groups.",
            "config/qual.yaml: ratings: high, low",
            "The groups would not be those that the study means.",
            "Name centers of the register, each under `high` or under `low`.",
        )
    return high, low


def distinguishing_table(settled: pd.DataFrame, spec: dict, outcome: pd.Series, centers: list[str]) -> pd.DataFrame:
    """Return one row for each construct and wave, in the columns of qual/distinguishing.csv.

    Parameters
    ----------
    settled : DataFrame
        As `bscstudy.qual.ratings.settle_ratings` returns it.
    spec : dict
        The section `ratings` of config/qual.yaml.
    outcome : Series of float
        By center, larger is better; empty where the groups are named without an outcome.
    centers : list of str
        The register.
    """
    high, low = compared_centers(spec, outcome, centers)
    rule = DistinguishingRule(float(spec.get("strong", 2)), float(spec.get("weak", 1)))
    values = settled.assign(compared=compared_values(settled, spec.get("mixed", "zero")))
    rows = []
    for construct in spec["constructs"]:
        for wave, part in values[values["construct"] == construct["id"]].groupby("wave", sort=True):
            found = distinguish(part.set_index("center_id")["compared"], high, low, outcome, rule)
            rows.append({"construct": construct["id"], "wave": wave, "domain": construct.get("domain"), **_said(found), **_counts(part)})
    return pd.DataFrame(rows, columns=[column.name for column in DISTINGUISHING])


def _said(found: Distinguished) -> dict:
    groups = found.groups
    return {
        "n_high": groups.n_high,
        "n_low": groups.n_low,
        "mean_high": groups.mean_high,
        "mean_low": groups.mean_low,
        "difference": groups.difference,
        "overlap": int(groups.overlap),
        "label": groups.label,
        "sensitive": int(bool(found.flips)),
        "n_flips": len(found.flips),
        "difference_low": found.difference_low,
        "difference_high": found.difference_high,
        "tau_b": found.correlation.tau,
        "tau_low": found.tau_low,
        "tau_high": found.tau_high,
        "p_value": found.correlation.p_value,
        "smallest_p": found.correlation.smallest_p,
        "n_centers": found.correlation.n,
    }


def _counts(part: pd.DataFrame) -> dict:
    return {
        "n_mixed": int((part["kind"] == "mixed").sum()),
        "n_missing": int((part["kind"] == "missing").sum()),
        "n_not_settled": int((part["kind"] == "not_settled").sum()),
        "n_blind": int((part["blind"] == 1).sum()),
        "n_few_informants": int(part["note"].str.contains("few_informants").sum()),
        "n_no_evidence": int(part["note"].str.contains("no_evidence").sum()),
    }
