"""What the exhibits of themes share: letters for centers, cells in words, direction in words, notes."""

from __future__ import annotations

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits.base import Context
from bscstudy.exhibits.masking import any_small, few, with_complement
from bscstudy.privacy import display_codes, is_small, mask_counts

NOT_ASKED = "not asked"
COUNTS = ["n_asked", "n_present"]
#: what is said in place of counts that may not be shown
BANDS = ("less than half", "half or more")
UNITS = "interviews and focus groups"


def center_codes(centers: pd.DataFrame, context: Context) -> dict[str, str]:
    """Return center id -> letter, the same in every exhibit of a study."""
    return display_codes(centers["center_id"].tolist(), int(context.config["study"]["seed"]))


def raised_of_asked(row: dict, min_cell: int) -> str:
    """Return ``12 of 23``, or ``not asked``; asked and never raised is ``0 of 23``; small counts are ``<5 of 23`` or ``<5 asked``.

    Of a theme that one center raised only (where `n_centers_raised` is given), whether less than half or at least half of those asked did.
    """
    if not row["n_asked"]:
        return NOT_ASKED
    asked, raised = few(row["n_asked"], min_cell), few(row["n_present"], min_cell)
    if isinstance(asked, str):
        return f"{asked} asked"
    if in_one_center(row) and not isinstance(raised, str):
        return BANDS[int(2 * row["n_present"] >= row["n_asked"])]
    return f"{numbers.count(raised)} of {numbers.count(asked)}"


def withheld_parts(data: pd.DataFrame, min_cell: int) -> pd.DataFrame:
    """Mark rows of themes by wave and role that may not be shown: few units, raised in one center only, and what would tell them.

    Parameters
    ----------
    data : DataFrame
        One row for each theme, wave (and `all`) and role (and `all`) of one unit, with `n_asked`, `n_present` and `n_centers_raised`.

    Returns
    -------
    DataFrame
        The same rows with `hidden`; `one_center`: hidden for being raised in one center, not for few units; `few_asked`: it may be
        said that few were asked.
    """
    counts = (data["n_asked"], data["n_present"])
    small = any_small(counts, min_cell)
    one_center = (data["n_present"] > 0) & (data["n_centers_raised"] == 1)
    hidden, few_asked = small | one_center, any_small(counts[:1], min_cell)
    for column, other in (("wave", "role"), ("role", "wave")):
        parts = data[(data[column] != "all") & (data[other] == "all")]
        words = mask_counts(parts, COUNTS, min_cell, ["theme"])[COUNTS]
        few_asked.loc[parts.index] = words["n_asked"].eq(f"<{min_cell}")
        masked = words.map(lambda cell: isinstance(cell, str)).any(axis=1)
        own = tuple(count.loc[parts.index] for count in counts)
        hidden.loc[parts.index] = with_complement(hidden.loc[parts.index] | masked, own, parts[["theme"]], min_cell)
    return data.assign(hidden=hidden, one_center=one_center & ~small, few_asked=few_asked)


def part_cell(row: dict, min_cell: int) -> str:
    """Return ``12 of 23`` for a row of `withheld_parts`, or what stands for counts that may not be shown."""
    if row["n_asked"] and row["hidden"] and not row["one_center"]:
        return f"<{min_cell} asked" if row["few_asked"] else "hidden"
    return raised_of_asked(row, min_cell)


def few_raised(row: dict, min_cell: int) -> bool:
    """Return whether so few sessions, or those of so few centers, raised a theme that neither its share nor its direction may be shown."""
    return is_small(row["n_asked"], min_cell) or is_small(row["n_present"], min_cell) or in_one_center(row)


def in_one_center(row: dict) -> bool:
    """Return whether a theme was raised in one center only, which alone would tell who spoke of it."""
    return bool(row["n_present"]) and row.get("n_centers_raised") == 1


def few_raised_words(min_cell: int) -> str:
    """Return why nothing of the direction of a theme is shown (`few_raised`)."""
    return f"fewer than {min_cell} sessions were asked or raised a theme, or one center alone raised it"


def direction_mark(net: object) -> str:
    """Return ``(+)`` for more facilitators, ``(−)`` for more barriers, ``(±)`` for as many, nothing where there is neither."""
    if numbers.is_missing(net):
        return ""
    return "(+)" if net > 0 else f"({numbers.MINUS})" if net < 0 else "(±)"


def direction_words(net: object) -> str:
    """Return the net direction in words."""
    if numbers.is_missing(net):
        return "with no direction"
    return "more often as a facilitator" if net > 0 else "more often as a barrier" if net < 0 else "as facilitator and barrier alike"


def theme_notes(presence: pd.DataFrame) -> dict[str, str]:
    """Return estimator, df, n, clusters and exclusions of counts of themes in sessions."""
    sessions = presence[presence["unit"] == "session"]
    each = sessions.groupby("unit_id").agg(coded=("coded", "max"), center=("center_id", "first"))
    not_coded = int((each["coded"] == 0).sum())
    unprompted = int(((sessions["asked"] == 0) & (sessions["present"] == 1)).sum())
    return {
        "Estimator": "share of sessions that raised a theme among those asked; 95% Jeffreys intervals, which take sessions as independent",
        "Degrees of freedom": "none; no test is made",
        "n": f"{numbers.plural(len(each), 'session')} ({UNITS}, each counted once)",
        "Clusters": numbers.plural(each["center"].nunique(), "center"),
        "Exclusions": f"{numbers.plural(not_coded, 'session')} not coded by the main coder; sessions in which the topic was not asked "
        f"({numbers.plural(unprompted, 'mention')} there, unprompted, not in the shares)",
        "Direction": "(facilitator − barrier) / (facilitator + barrier), over sessions that named the theme as one or the other; "
        "codings marked mixed or neutral count in neither",
    }
