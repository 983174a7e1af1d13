"""What is true in the demonstration study: the defects put in and the change that scored scales should show."""

from __future__ import annotations

import math
from pathlib import Path

from bscstudy.config import read_yaml
from bscstudy.simulate.population import expected_level
from bscstudy.simulate.responses import expected_code

DEFAULT_PARAMETERS = Path(__file__).with_name("parameters.yaml")


def read_parameters(path: Path | None = None) -> dict:
    """Read the parameter file; the package's own if no path is given."""
    return read_yaml(Path(path) if path else DEFAULT_PARAMETERS)


def planted_defects(parameters: dict) -> list[dict]:
    """Return the defects put in on purpose: ``check``, ``source``, ``n`` (what a check must count), ``what``."""
    return [dict(defect) for defect in parameters["planted"]]


def planted(parameters: dict, check: str, source: str) -> int:
    """Return how many defects of a kind are planted in a source; 0 where none are."""
    return sum(d["n"] for d in parameters["planted"] if d["check"] == check and d["source"] == source)


def true_changes(parameters: dict) -> list[dict]:
    """Return the expected change of each staff scale in its own points.

    Latent values are normal, so the mean of an item is one plus the probabilities of passing each cutpoint (see
    `responses.expected_code`); a scale is the mean of its items, roles enter with their share of posts.

    Parameters
    ----------
    parameters : dict
        The parameter file.

    Returns
    -------
    list of dict
        ``scale``, ``core`` (``core``, ``other`` or ``average``: the plain mean of the two), ``wave_from``, ``wave_to``,
        ``change`` (scale points). Technology has no T4: its answers changed.
    """
    found = []
    for construct, spec in parameters["constructs"].items():
        pairs = [("T1", "T3")] if construct == "tech" else [("T1", "T3"), ("T3", "T4"), ("T1", "T4")]
        for start, end in pairs:
            change = {
                name: expected_score(parameters, construct, core, end) - expected_score(parameters, construct, core, start)
                for name, core in (("core", 1), ("other", 0))
            }
            change["average"] = (change["core"] + change["other"]) / 2
            found += [{"scale": spec["scale"], "core": c, "wave_from": start, "wave_to": end, "change": v} for c, v in change.items()]
    return found


def expected_score(parameters: dict, construct: str, core: int, wave: str) -> float:
    """Return the expected score of a scale in its own points for the core team (1) or other staff (0) in one wave."""
    spec, latent = parameters["constructs"][construct], parameters["latent"]
    cutpoints = parameters["cutpoints"][spec.get("response", "agree5")]
    spread = math.sqrt(latent_variance(parameters, construct, wave) + latent["sd_item"] ** 2)
    shares = role_shares(parameters, construct)
    total = 0.0
    for role, share in shares.items():
        level = expected_level(parameters, construct, role, core, wave)
        items = [expected_code(level + shift, spread, cutpoints) for shift in parameters["item_shifts"][: spec["items"]]]
        total += share * sum(items) / len(items)
    return total


def latent_variance(parameters: dict, construct: str, wave: str) -> float:
    """Return the variance of a construct's latent value over centers, people and occasions."""
    latent, rules = parameters["latent"], parameters["facilitators"]
    own = latent["sd_center"] ** 2 + latent["sd_person"] ** 2 + latent["sd_occasion"] ** 2
    if construct != rules["onto"]:
        return own
    others = sum(b**2 for b in rules["from"].values()) * own
    return own + others + (rules["engagement_after"] ** 2 if wave != "T1" else 0.0)


def role_shares(parameters: dict, construct: str) -> dict[str, float]:
    """Return the share of each role among the posts that are asked about a construct."""
    posts = parameters["staff"]["posts"]
    asked = parameters["constructs"][construct].get("asked", list(posts))
    sizes = {role: sum(posts[role]) / 2 for role in asked}
    return {role: size / sum(sizes.values()) for role, size in sizes.items()}
