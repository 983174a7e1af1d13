"""What the columns of the qualitative tables hold; written into their sidecars."""

from __future__ import annotations

from bscstudy.tables import Column

INTEGER, NUMBER = "integer", "number"
SHARE = "share, 0 to 1"

#: shared by every table that counts units; also used by bscstudy.integrate.columns
COUNTS = [
    Column("n_asked", "Units asked and coded", INTEGER, "units"),
    Column("n_present", "Of these, units that raised the theme", INTEGER, "units"),
    Column("share", "Share that raised it among those asked", NUMBER, SHARE),
    Column("low", "Lower limit of the 95% Jeffreys interval", NUMBER, SHARE),
    Column("high", "Upper limit of the 95% Jeffreys interval", NUMBER, SHARE),
    Column("n_facilitator", "Asked units that named it as a facilitator", INTEGER, "units"),
    Column("n_barrier", "Asked units that named it as a barrier", INTEGER, "units"),
    Column("net_direction", "(facilitator - barrier) / (facilitator + barrier)", NUMBER, "-1 to 1"),
    Column("n_unprompted", "Units that raised it without being asked (not in the share)", INTEGER, "units"),
    Column("n_not_coded", "Units asked but not coded yet (not in the share)", INTEGER, "units"),
]

CODINGS = [
    Column("coding_id", "Source and row of the coding"),
    Column("document_id", "Document"),
    Column("coder_id", "Coder"),
    Column("coder_role", "main or second"),
    Column("code_path", "Code with its parents"),
    Column("theme", "Theme; blank where the code map says ignore"),
    Column("direction", "facilitator, barrier, mixed or neutral"),
    Column("start", "First character of the passage", INTEGER, "characters"),
    Column("end", "Character after the passage", INTEGER, "characters"),
    Column("offset_status", "Whether the position could be checked against the text"),
]

PRESENCE = [
    Column("unit_id", "Session or person"),
    Column("theme", "Theme"),
    Column("wave", "Wave"),
    Column("unit", "session (an interview or a focus group) or person"),
    Column("center_id", "Center"),
    Column("collaborative", "Collaborative"),
    Column("role", "Role"),
    Column("asked", "1 if the theme's topic was asked", INTEGER),
    Column("coded", "1 if the main coder coded any of the unit's documents", INTEGER),
    Column("present", "1 raised, 0 asked and not raised, blank not asked or not coded", INTEGER),
    Column("n_facilitator", "Codings as facilitator", INTEGER, "codings"),
    Column("n_barrier", "Codings as barrier", INTEGER, "codings"),
    Column("n_mixed", "Codings as mixed", INTEGER, "codings"),
    Column("n_codings", "All codings", INTEGER, "codings"),
]

THEME_CENTER = [Column("theme", "Theme"), Column("center_id", "Center"), Column("wave", "Wave, or all"), *COUNTS]

THEME_SUMMARY = [
    Column("theme", "Theme"),
    Column("wave", "Wave, or all"),
    Column("role", "Role, or all"),
    Column("unit", "session or person"),
    *COUNTS,
    Column("n_centers", "Centers of the asked units", INTEGER, "centers"),
]

AGREEMENT = [
    Column("theme", "Theme, or all"),
    Column("unit", "What was compared"),
    Column("n_units", "Documents both coders coded", INTEGER),
    Column("n_both", "Found by both", INTEGER),
    Column("n_only_first", "Found by the main coder only", INTEGER),
    Column("n_only_second", "Found by the second coder only", INTEGER),
    Column("n_neither", "Found by neither", INTEGER),
    Column("percent", "Share of documents in agreement", NUMBER, SHARE),
    Column("positive", "Positive agreement", NUMBER, SHARE),
    Column("negative", "Negative agreement", NUMBER, SHARE),
    Column("kappa", "Kappa (see statistic)", NUMBER, "-1 to 1"),
    Column("prevalence", "Mean share of documents in which a coder found it", NUMBER, SHARE),
    Column("note", "kappa_not_defined, kappa_unstable (prevalence under 10% or over 90%), no_double_coded_document"),
    Column("statistic", "Which kappa"),
]
