"""What the columns of the integrated tables hold; written into their sidecars."""

from __future__ import annotations

from dataclasses import replace

from bscstudy.qual.columns import COUNTS, INTEGER, NUMBER
from bscstudy.tables import Column

_RENAMED = {"low": "share_low", "high": "share_high"}

JOINT = [
    Column("construct", "Construct"),
    Column("label", "Its name"),
    Column("level", "Level of the theory of change"),
    Column("block", "Part of the theory of change"),
    Column("place", "Place in the theory of change", INTEGER),
    Column("model", "Model of change"),
    Column("contrast", "Contrast shown"),
    Column("contrast_label", "Contrast in words"),
    Column("contrast_waves", "Waves it compares; blank if it compares none"),
    Column("outcome", "Survey scale"),
    Column("change", "Survey change", NUMBER, "points of the scale"),
    Column("std_error", "Its standard error", NUMBER, "points of the scale"),
    Column("low", "Lower limit of its 95% interval", NUMBER, "points of the scale"),
    Column("high", "Upper limit of its 95% interval", NUMBER, "points of the scale"),
    Column("df", "Degrees of freedom", NUMBER),
    Column("p_value", "p value", NUMBER),
    Column("p_adjusted", "p value, adjusted within its family of hypotheses by the method that the model names", NUMBER),
    Column("n", "Rows of the model", INTEGER),
    Column("n_centers", "Centers of the model", INTEGER),
    Column("change_state", "ok, boundary, unreliable, failed, no_model"),
    Column("better", "Which end of the scale is wanted"),
    Column("observation_score", "Observation score"),
    Column("observation_waves", "Waves compared: those of the contrast where both were observed, else the first and the last"),
    Column("observation_change", "Mean change of centers", NUMBER, "points of the score"),
    Column("observation_low", "Lower limit of its 95% t interval", NUMBER, "points of the score"),
    Column("observation_high", "Upper limit of its 95% t interval", NUMBER, "points of the score"),
    Column("observation_n_centers", "Centers observed in both waves", INTEGER),
    Column("fidelity_index", "Fidelity index"),
    Column("fidelity", "Its mean over centers", NUMBER),
    Column("fidelity_n_centers", "Centers with a value", INTEGER),
    *[replace(column, name=_RENAMED.get(column.name, column.name)) for column in COUNTS],
    Column("n_centers_raised", "Centers in which a session that was asked raised one of its themes", INTEGER, "centers"),
    Column("fit_proposed", "confirm, expand, discord, complement or silent; a proposal"),
    Column("rule", "The rule that proposed it"),
]

CENTER_THEMES = [
    Column("outcome", "Survey scale"),
    Column("center_id", "Center"),
    Column("theme", "Theme"),
    Column("collaborative", "Collaborative"),
    Column("outcome_waves", "Waves compared: those of the contrast shown, else baseline and the last with scores"),
    Column("outcome_change", "Change of the center's mean between these waves, not adjusted", NUMBER, "points of the scale"),
    Column("outcome_rank", "Place of the change; 1 is the most wanted", NUMBER),
    *[column for column in COUNTS if column.name not in ("low", "high", "n_unprompted", "n_not_coded")],
]

INFERENCES = [
    Column("inference", "Meta-inference"),
    Column("construct", "Construct"),
    Column("label", "Its name"),
    Column("place", "Place in the theory of change", INTEGER),
    Column("state", "proposed, signed, stale (a value differs from the one signed), refers_to_nothing"),
    Column("fit", "Fit in the researchers' judgement; blank where they have not said"),
    Column("statement", "The statement; blank where there is none yet"),
    Column("strategy", "What is done about a discord"),
    Column("author", "Who signed it"),
    Column("date", "When it was signed", "date"),
    Column("rests_on", "Digest of the values when signed"),
    Column("rests_on_now", "Digest of the values now"),
    Column("n_values", "Values it rests on", INTEGER),
    Column("n_changed", "Values that differ from those signed", INTEGER),
    Column("fit_proposed", "What the declared rule proposes; withheld for few sessions"),
    Column("rule", "The rule that proposed it"),
]

INFERENCE_VALUES = [
    Column("inference", "Meta-inference"),
    Column("reference", "Result or theme it refers to"),
    Column("value", "Which value of it"),
    Column("label", "Result or theme in words"),
    Column("place", "Place of the reference in the entry; blank: it is no longer referred to", INTEGER),
    Column("order", "Place of the value", INTEGER),
    Column("then", "Value as published when it was signed; blank for none"),
    Column("now", "Value as published now; blank for none"),
    Column("changed", "1: differs from the value signed", INTEGER),
]
