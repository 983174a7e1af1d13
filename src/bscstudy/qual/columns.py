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
    Column("coder_role", "main, second or consensus"),
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
    Column("coefficient", "The coefficient in `estimate`"),
    Column("unit", "What was compared: document, excerpt, paragraph or character"),
    Column("n_coders", "Coders", INTEGER),
    Column("n_coded", "Documents in which the topic was asked and that anybody coded (all: the most of any theme)", INTEGER),
    Column("n_documents", "Documents compared: coded by two or more, topic asked", INTEGER),
    Column("n_not_asked", "Documents coded by two or more in which the topic was not asked (not compared)", INTEGER),
    Column("n_not_comparable", "Asked documents with a passage of unknown place, or not read by all where all must", INTEGER),
    Column("n_consensus", "Compared documents whose themes are counted from a later consensus", INTEGER),
    Column("n_units", "Units compared", INTEGER, "units"),
    Column("n_both", "Found by both (all who read it)", INTEGER, "units"),
    Column("n_only_first", "Found by the first coder only; blank with more than two", INTEGER, "units"),
    Column("n_only_second", "Found by the second coder only; blank with more than two", INTEGER, "units"),
    Column("n_neither", "Found by neither (nobody)", INTEGER, "units"),
    Column("percent", "Share of pairs of coders in agreement", NUMBER, SHARE),
    Column("positive", "Positive agreement", NUMBER, SHARE),
    Column("negative", "Negative agreement", NUMBER, SHARE),
    Column("prevalence", "Share of the coders' decisions that found it", NUMBER, SHARE),
    Column("estimate", "The coefficient; blank where not defined", NUMBER, "-1 to 1"),
    Column("low", "Lower limit of the bootstrap interval over documents", NUMBER, "-1 to 1"),
    Column("high", "Upper limit of the bootstrap interval over documents", NUMBER, "-1 to 1"),
    Column("note", "not_defined, rare_or_common (under 10% or over 90%), no_double_coded_document, not_asked, no_document_compared"),
]
