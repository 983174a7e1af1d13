"""How a study speaks of the reliability of its coding: coefficients of agreement, or another way with its reason."""

from __future__ import annotations

from dataclasses import dataclass

from bscstudy.measures.chance_agreement import COEFFICIENTS

AGREEMENT = "agreement"
ALPHA, UNITIZING = "krippendorff_alpha", "alpha_u"
#: coefficient -> what tables and figures call it
NAMES = {
    "cohen_kappa": "Cohen's kappa",
    "fleiss_kappa": "Fleiss' kappa",
    "conger_kappa": "Conger's kappa",
    "brennan_prediger": "Brennan-Prediger",
    "gwet_ac1": "Gwet's AC1",
    ALPHA: "Krippendorff's alpha",
    UNITIZING: "Krippendorff's alpha for unitizing",
    "pooled_kappa": "pooled kappa",
}
#: those computed from ratings of units; alpha_u is of stretches of text
OF_UNITS = (*COEFFICIENTS, ALPHA)


@dataclass(frozen=True)
class ReliabilitySettings:
    """The declared approach to reliability.

    Attributes
    ----------
    approach : str
        `agreement` (coefficients), or `consensus`, `reflexive`, `none`: no coefficient, but the `reason`.
    reason : str
    coefficients : tuple of str
        Names of `NAMES`, without pooled_kappa, which goes with Cohen's kappa.
    unit : str
        document, excerpt, paragraph or character.
    coders : str
        `role` (the main coder and the second) or `person`.
    confidence : float in (0, 1)
    draws : int
        Bootstrap samples of documents.
    """

    approach: str = AGREEMENT
    reason: str = ""
    coefficients: tuple[str, ...] = ("cohen_kappa", "gwet_ac1")
    unit: str = "document"
    coders: str = "role"
    confidence: float = 0.95
    draws: int = 2000


def reliability_settings(qual: dict) -> ReliabilitySettings:
    """Return the settings of config/qual.yaml (keys `reliability` and `agreement_unit`), with what is usual for what it leaves out."""
    given = dict(qual.get("reliability") or {})
    if "coefficients" in given:
        given["coefficients"] = tuple(dict.fromkeys(given["coefficients"]))
    return ReliabilitySettings(**given, unit=qual.get("agreement_unit", "document"))
