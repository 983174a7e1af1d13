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
    Column("weight", "Weight that the coder gave; blank where there is none", NUMBER),
]

PRESENCE = [
    Column("unit_id", "Session, person or center"),
    Column("theme", "Theme"),
    Column("wave", "Wave"),
    Column("unit", "session (an interview or a focus group), person or center"),
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
    Column("unit", "session, person or center"),
    *COUNTS,
    Column("n_centers", "Centers of the asked units", INTEGER, "centers"),
    Column("n_centers_raised", "Of these, centers in which a unit raised it", INTEGER, "centers"),
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

_THEME_KEY = [
    Column("theme", "Theme"),
    Column("wave", "Wave, or all"),
    Column("role", "Role, or all"),
    Column("unit", "session, person or center"),
]

THEME_MEASURES = [
    *_THEME_KEY,
    *COUNTS[:5],
    Column("n_centers", "Centers of the asked units", INTEGER, "centers"),
    Column("n_centers_raised", "Of these, centers in which a unit raised it", INTEGER, "centers"),
    Column("design_effect", "Units that weigh as one independent unit, from how alike units of a center are", NUMBER),
    Column("low_centers", "Lower limit of the 95% interval that allows for centers (beta-binomial)", NUMBER, SHARE),
    Column("high_centers", "Upper limit of the 95% interval that allows for centers (beta-binomial)", NUMBER, SHARE),
    Column("n_documents", "Documents asked and coded; all that follows is of these", INTEGER, "documents"),
    Column("n_excerpts", "Frequency: places with the theme", INTEGER, "excerpts"),
    Column("n_facilitator_excerpts", "Of these, places as facilitator", INTEGER, "excerpts"),
    Column("n_barrier_excerpts", "Of these, places as barrier", INTEGER, "excerpts"),
    Column("net_valence", "(facilitator - barrier) / (facilitator + barrier), in excerpts", NUMBER, "-1 to 1"),
    Column("density", "Excerpts per 1,000 words, of documents whose words are known", NUMBER, "per 1,000 words"),
    Column("coverage", "Share of the characters, of documents whose length and places are known", NUMBER, SHARE),
    Column("intensity", "Mean weight of its codings", NUMBER),
    Column("n_weighted", "Codings with a weight", INTEGER, "codings"),
]

CODER_SENSITIVITY = [
    Column("coder", "counted (as in every other table), else role:coder_id of who replaces the codings counted"),
    *_THEME_KEY,
    Column("n_documents", "Documents whose codings were replaced", INTEGER, "documents"),
    *COUNTS[:5],
    Column("difference", "Share less the share as counted", NUMBER, "-1 to 1"),
]

CO_OCCURRENCE = [
    Column("theme_1", "Theme"),
    Column("theme_2", "Another theme"),
    Column("n_asked", "Sessions asked about both and coded", INTEGER, "sessions"),
    Column("n_1", "Of these, sessions that raised the first", INTEGER, "sessions"),
    Column("n_2", "Of these, sessions that raised the second", INTEGER, "sessions"),
    Column("n_both", "Of these, sessions that raised both", INTEGER, "sessions"),
    Column("n_centers", "Centers of the sessions that raised both", INTEGER, "centers"),
    Column("share", "n_both / (n_1 + n_2 - n_both)", NUMBER, SHARE),
    Column("low", "Lower limit of its 95% Jeffreys interval", NUMBER, SHARE),
    Column("high", "Upper limit of its 95% Jeffreys interval", NUMBER, SHARE),
]

SATURATION = [
    Column("kind", "theme or code"),
    Column("place", "Place of the session in the order of wave, date and id", INTEGER),
    Column("session_id", "Session"),
    Column("wave", "Wave"),
    Column("date", "Date, where the source of documents has the item", "date"),
    Column("n_new", "Found for the first time", INTEGER),
    Column("n_found", "Found so far", INTEGER),
    Column("expected", "Mean of n_found over all orders of the sessions", NUMBER),
    Column("low", "Lower limit of 95% of random orders at this place", NUMBER),
    Column("high", "Upper limit of 95% of random orders at this place", NUMBER),
]

RATINGS = [
    Column("construct", "Rated construct"),
    Column("center_id", "Center"),
    Column("wave", "Wave; all where the source has none"),
    Column("value", "Rating, -2 (hinders) to 2 (helps); blank for what `kind` says", NUMBER),
    Column("kind", "number, mixed (X), missing (M) or not_settled (raters differ, no consensus)"),
    Column("mixed", "1 if the evidence points both ways", INTEGER),
    Column("stage", "consensus, or independent where there is none"),
    Column("n_raters", "Independent raters", INTEGER),
    Column("lowest", "Lowest independent rating", NUMBER),
    Column("highest", "Highest independent rating", NUMBER),
    Column("n_informants", "Informants behind it", NUMBER, "people"),
    Column("n_evidence", "Documents and codings named as evidence", INTEGER),
    Column("blind", "1 if every rater was blind to the outcome, 0 if one was not, blank if not said", NUMBER),
    Column("note", "few_informants (2 or -2 from fewer than two informants), no_evidence"),
]

DISTINGUISHING = [
    Column("construct", "Rated construct"),
    Column("wave", "Wave; all where the source has none"),
    Column("domain", "Its domain"),
    Column("n_high", "Centers with a good outcome and a rating", INTEGER, "centers"),
    Column("n_low", "Centers with a poor outcome and a rating", INTEGER, "centers"),
    Column("mean_high", "Mean rating where the outcome is good", NUMBER, "-2 to 2"),
    Column("mean_low", "Mean rating where the outcome is poor", NUMBER, "-2 to 2"),
    Column("difference", "The first less the second", NUMBER),
    Column("overlap", "1 if the ratings of the two groups overlap", INTEGER),
    Column("label", "strong, weak, not_distinguishing, missing (a group has no rating)"),
    Column("sensitive", "1 if leaving out one center changes the label", INTEGER),
    Column("n_flips", "Centers without which the label changes", INTEGER, "centers"),
    Column("difference_low", "Lowest difference without one center", NUMBER),
    Column("difference_high", "Highest difference without one center", NUMBER),
    Column("tau_b", "Kendall's tau-b of rating and outcome over centers", NUMBER, "-1 to 1"),
    Column("tau_low", "Lowest tau-b without one center", NUMBER, "-1 to 1"),
    Column("tau_high", "Highest tau-b without one center", NUMBER, "-1 to 1"),
    Column("p_value", "Its exact two-sided p", NUMBER),
    Column("smallest_p", "The smallest p that these ties allow", NUMBER),
    Column("n_centers", "Centers with rating and outcome", INTEGER, "centers"),
    Column("n_mixed", "Centers rated as mixed (X)", INTEGER, "centers"),
    Column("n_missing", "Centers without evidence (M)", INTEGER, "centers"),
    Column("n_not_settled", "Centers on which raters differ without a consensus", INTEGER, "centers"),
    Column("n_blind", "Centers rated blind to the outcome", INTEGER, "centers"),
    Column("n_few_informants", "Ratings of 2 or -2 from fewer than two informants", INTEGER, "centers"),
    Column("n_no_evidence", "Ratings that name no evidence", INTEGER, "centers"),
]

RATER_RELIABILITY = [
    Column("construct", "Rated construct, or all"),
    Column("coefficient", "weighted_kappa (two raters: Cohen's, more: Conger's) or ordinal_alpha (Krippendorff's)"),
    Column("weights", "Weights of the kappa"),
    Column("n_raters", "Raters", INTEGER),
    Column("n_units", "Centers and waves with two or more numbers", INTEGER),
    Column("n_not_numbers", "Rated by two or more, of whom one said X or M", INTEGER),
    Column("percent", "Share of pairs of equal ratings", NUMBER, SHARE),
    Column("estimate", "The coefficient; blank where not defined", NUMBER, "-1 to 1"),
    Column("low", "Lower limit of its bootstrap interval over centers", NUMBER, "-1 to 1"),
    Column("high", "Upper limit of its bootstrap interval over centers", NUMBER, "-1 to 1"),
]

#: the outcome behind the groups, by center
RATING_OUTCOME = [
    Column("center_id", "Center"),
    Column("outcome", "Survey scale; blank where the groups are named"),
    Column("outcome_waves", "Waves between which its change is taken"),
    Column("outcome_change", "Change of the center's mean, not adjusted", NUMBER, "points of the scale"),
    Column("group", "high, low, or blank"),
]

QUOTES = [
    Column("quote", "Row of config/qual/quotes.csv", INTEGER),
    Column("coding_id", "Source and row of the coding"),
    Column("document_id", "Document"),
    Column("theme", "Theme"),
    Column("direction", "facilitator, barrier, mixed or neutral"),
    Column("wave", "Wave"),
    Column("center_id", "Center"),
    Column("collaborative", "Collaborative"),
    Column("role", "Role"),
    Column("attribution", "What may be said of the speaker: role, center or neither"),
    Column("digest", "Of the words; an approval repeats it"),
    Column("n_replaced", "Names, places, ids, contact data, dates and ages taken out", INTEGER),
    Column("shown", "1 where the quote may be shown", INTEGER),
    Column("why", "Why it is not: no_theme, not_approved, place_not_certain, no_text, no_group_consent"),
    Column("text", "The scrubbed quote; blank where it may not be shown"),
]

QUOTES_REVIEW = [
    Column("quote", "Row of config/qual/quotes.csv", INTEGER),
    Column("position", "Place of the word in the scrubbed quote", INTEGER, "characters"),
    Column("word", "A word with a capital that no list knows"),
    Column("first_in_sentence", "1 at the start of a sentence", INTEGER),
    Column("context", "The words around it"),
]
