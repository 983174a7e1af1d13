"""Methods, levels, scales and verdicts of models as a reader should see them."""

from __future__ import annotations

from bscstudy.exhibits.labels import words

#: rungs of the ladder in the order shown: from what takes least for granted to what takes most
RUNG_WORDS = {
    "exact": "Exact test on center means",
    "wild_cluster_bootstrap": "Wild cluster bootstrap",
    "cr2": "Cluster-robust (CR2)",
    "kenward_roger": "Kenward-Roger",
    "satterthwaite": "Satterthwaite",
    "parametric_bootstrap": "Parametric bootstrap",
    "profile": "Profile likelihood",
    "between_within": "Between-within",
    "likelihood_ratio": "Likelihood ratio",
    "wald": "Wald (normal distribution)",
}
_LEVEL_WORDS = {
    "center_id": "centers",
    "person_id": "persons",
    "classroom_id": "classrooms",
    "observation_id": "observed visits",
    "session_id": "sessions",
    "rater_id": "raters",
    "collaborative": "collaboratives",
    "wave": "waves",
    "residual": "rest (within all levels)",
}
SCALE_WORDS = {
    "score": "points of the scale",
    "response": "the outcome's own units (a share runs from 0 to 1, a count is a mean count)",
    "link": "the scale of the link function (log odds for the logit), not of the answers",
}
#: what the estimates of a model are in, by its link
MEASURE_WORDS = {"logit": "log odds", "log": "log units", "probit": "probit units", "cloglog": "complementary log-log units"}
STATE_WORDS = {
    "ok": "ok",
    "boundary": "boundary (a variance of zero or a correlation of one)",
    "unreliable": "unreliable (no number is shown)",
    "failed": "failed (no number)",
}


def rung_words(rung: str) -> str:
    """Return the name of a rung of the ladder."""
    return RUNG_WORDS.get(str(rung), words(rung))


def measure_words(link: object) -> str:
    """Return what estimates are in: points of the scale, or units of the link."""
    return MEASURE_WORDS.get(str(link), "points")


def level_words(level: str) -> str:
    """Return the name of a level of grouping: ``persons``, ``centers by waves``."""
    parts = [_LEVEL_WORDS.get(part, words(part).lower()) for part in str(level).split(":")]
    return " by ".join(parts)
