"""What config/integration.yaml refers to must exist: themes, outcomes, waves, constructs."""

from __future__ import annotations

from bscstudy.errors import unknown_names

FILE = "config/integration.yaml"


def integration_references(study: dict) -> list[str]:
    """Return what links and pillars name that does not exist, is given twice, or does not fit together."""
    links, pillars = study["integration"].get("links", []), study["integration"].get("pillars", [])
    found = [finding for link in links for finding in _link(study, link)]
    constructs = [construct["id"] for construct in study["theory_of_change"]["constructs"]]
    named = [pillar["construct"] for pillar in pillars]
    found += unknown_names(f"{FILE}, pillars", "construct", named, constructs)
    twice = {f"{FILE}, links": [link["id"] for link in links], f"{FILE}, pillars": named}
    found += [f"{where}: '{n}' is given more than once." for where, ns in twice.items() for n in sorted({x for x in ns if ns.count(x) > 1})]
    if links and not study["qual"]:
        found.append(f"{FILE}, links: the study has no config/qual.yaml, and so no themes.")
    return found


def _link(study: dict, link: dict) -> list[str]:
    where = f"{FILE}, links, {link['id']}"
    scales = {row["scale"] for row in study["scales"]}
    indices = {index["id"] for index in study["fidelity"]}
    found = unknown_names(where, "theme", [link["theme"]], [row["theme"] for row in study["themes"]])
    found += unknown_names(where, "outcome (scale or fidelity index)", [link["outcome"]], scales | indices)
    found += unknown_names(where, "wave", link.get("waves", []), [wave["id"] for wave in study["waves"]])
    if link["outcome"] in indices - scales:
        return found + [f"{where}: '{key}' is of scales; a fidelity index is one value of the center." for key in _OF_SCALES if key in link]
    wanted = {"change": 2, "level": 1}[link.get("measure", "change")]
    if link.get("waves") and len(set(link["waves"])) != wanted:
        found.append(f"{where}, waves: a change has two different waves, a level has one.")
    return found


_OF_SCALES = ("measure", "waves")
