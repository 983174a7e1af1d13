"""The joint display: for each construct the survey, the observation, the fidelity and the themes side by side.

Called by the rule `merge_strands`. The fit of the strands is proposed by one declared rule and printed with it; whether the
proposal is right is for the researchers to say.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from bscstudy.integrate.strands import contrast_waves, fidelity_mean, observation_change, survey_change, theme_counts
from bscstudy.models.verdict import CLEAR

#: net direction from which themes count as one-sided: at least two facilitators for each barrier, or the reverse
ONE_SIDED = 1 / 3
FITS = ("confirm", "expand", "discord", "complement", "silent")


@dataclass(frozen=True)
class ProposedFit:
    """A proposed fit of integration (one of `FITS`) and the rule that gave it, in words."""

    fit: str
    rule: str


def propose_fit(
    low: float, high: float, better: str, net_direction: float, n_present: int, p_adjusted: float = float("nan")
) -> ProposedFit:
    """Propose how the survey change and the themes of one construct fit together.

    Parameters
    ----------
    low, high : float
        Interval of the survey change; nan where there is none.
    better : {'higher', 'lower', 'none'}
        Which end of the survey score is wanted.
    net_direction : float
        (facilitator - barrier) / (facilitator + barrier) over sessions, -1 to 1; nan where there is neither.
    n_present : int
        Sessions that raised a theme of the construct, of those asked.
    p_adjusted : float
        p value of the change adjusted within its family; nan where it was not adjusted.

    Returns
    -------
    ProposedFit
        `silent`: the survey has no interval, or no asked session raised a theme. Interval without zero
        (and adjusted p, where there is one, below .05): `confirm` if the themes are one-sided the same way, `discord` if the
        other way, `expand` if they are not one-sided. Otherwise `complement`: the survey alone settles no direction and the
        themes add to it.

    Source: the words confirm, expand and discord are those of Fetters, Curry and Creswell 2013, Health Services Research 48(6);
    the limits are this project's.
    """
    if low != low or high != high:
        return ProposedFit("silent", "no survey interval")
    if not n_present:
        return ProposedFit("silent", "no theme asked about and raised")
    themes = "facilitators" if net_direction >= ONE_SIDED - 1e-12 else "barriers" if net_direction <= -ONE_SIDED + 1e-12 else "both sides"
    spoken = f"themes: {themes}" if net_direction == net_direction else "themes: no direction"
    if low <= 0 <= high:
        return ProposedFit("complement", f"interval includes 0; {spoken}")
    if p_adjusted >= CLEAR:
        return ProposedFit("complement", f"interval excludes 0, but not clearly among several tests; {spoken}")
    if better not in ("higher", "lower"):
        return ProposedFit("complement", f"interval excludes 0, no better end declared; {spoken}")
    wanted = (low > 0) == (better == "higher")
    change = f"interval excludes 0, for the {'better' if wanted else 'worse'}"
    if spoken not in ("themes: facilitators", "themes: barriers"):
        return ProposedFit("expand", f"{change}; {spoken}")
    return ProposedFit("confirm" if wanted == (themes == "facilitators") else "discord", f"{change}; {spoken}")


def ordered_constructs(theory_of_change: dict) -> list[dict]:
    """Return the constructs by their declared `order`, then as listed."""
    constructs = theory_of_change.get("constructs") or []
    places = {c["id"]: (c["order"] if c.get("order") is not None else float("inf"), i) for i, c in enumerate(constructs)}
    return sorted(constructs, key=lambda construct: places[construct["id"]])


def joint_display(
    config: dict, estimates: pd.DataFrame, fits: pd.DataFrame, observation: pd.DataFrame, fidelity: pd.DataFrame, presence: pd.DataFrame
) -> pd.DataFrame:
    """Return the joint display, one row for each construct of the theory of change in its order.

    Parameters
    ----------
    config : dict
        Sections `theory_of_change`, `themes`, `models`, `scales`, `waves`.
    estimates, fits, observation, fidelity, presence : DataFrame
        The derived tables of these names; observation and fidelity may have no rows.

    Returns
    -------
    DataFrame
        The columns of integrate/joint_display.csv; a strand without data is blank, never zero.
    """
    waves = [wave["id"] for wave in sorted(config["waves"], key=lambda wave: wave["order"])]
    better_of = {scale["scale"]: scale.get("better") or "none" for scale in config["scales"]}
    themes = theme_counts(presence, config["themes"]).set_index("construct")
    silent = dict.fromkeys(themes.columns, float("nan")) | dict.fromkeys([c for c in themes.columns if c.startswith("n_")], 0)
    rows = []
    for place, construct in enumerate(ordered_constructs(config["theory_of_change"]), start=1):
        survey = survey_change(config["models"], construct, estimates, fits)
        said = themes.loc[construct["id"]].to_dict() if construct["id"] in themes.index else dict(silent)
        said = {{"low": "share_low", "high": "share_high"}.get(name, name): value for name, value in said.items()}
        better = better_of.get(survey["outcome"], "none")
        fit = propose_fit(survey["low"], survey["high"], better, said["net_direction"], int(said["n_present"]), survey["p_adjusted"])
        rows.append(
            {
                "construct": construct["id"],
                "label": construct["label"],
                "level": construct["level"],
                "block": construct["block"],
                "place": place,
            }
            | survey
            | {"better": better}
            | observation_change(observation, construct, waves, contrast_waves(config["models"], construct))
            | fidelity_mean(fidelity, construct)
            | said
            | {"fit_proposed": fit.fit, "rule": fit.rule}
        )
    return pd.DataFrame(rows)
