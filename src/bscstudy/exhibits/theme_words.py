"""What the exhibits of themes share: letters for centers, cells in words, direction in words, notes."""

from __future__ import annotations

import pandas as pd

from bscstudy import numbers
from bscstudy.exhibits.base import Context
from bscstudy.exhibits.masking import few
from bscstudy.privacy import display_codes, is_small

NOT_ASKED = "not asked"
UNITS = "interviews and focus groups"


def center_codes(centers: pd.DataFrame, context: Context) -> dict[str, str]:
    """Return center id -> letter, the same in every exhibit of a study."""
    return display_codes(centers["center_id"].tolist(), int(context.config["study"]["seed"]))


def raised_of_asked(row: dict, min_cell: int) -> str:
    """Return ``12 of 23``, or ``not asked``; asked and never raised is ``0 of 23``; small counts are ``<5 of 23`` or ``<5 asked``."""
    if not row["n_asked"]:
        return NOT_ASKED
    asked, raised = few(row["n_asked"], min_cell), few(row["n_present"], min_cell)
    return f"{asked} asked" if isinstance(asked, str) else f"{numbers.count(raised)} of {numbers.count(asked)}"


def few_raised(row: dict, min_cell: int) -> bool:
    """Return whether so few sessions were asked or raised a theme that neither its share nor its direction may be shown."""
    return is_small(row["n_asked"], min_cell) or is_small(row["n_present"], min_cell)


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
