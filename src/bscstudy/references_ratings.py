"""What the rated constructs of config/qual.yaml refer to must exist and fit together."""

from __future__ import annotations

from bscstudy.errors import unknown_names

WHERE = "config/qual.yaml: ratings"
#: items that the source of ratings cannot do without
ITEMS = ("construct", "rating")


def rating_references(study: dict) -> list[str]:
    """Return the sources, items, scales and waves that do not exist, and settings that contradict each other.

    Parameters
    ----------
    study : dict
        Sections ``qual``, ``sources``, ``items``, ``scales`` and ``waves``.
    """
    spec = study["qual"].get("ratings")
    if not spec:
        return []
    found = unknown_names(WHERE, "source", [spec["source"]], study["sources"])
    found += _needed(study, spec["source"]) if spec["source"] in study["sources"] else []
    if "outcome" in spec:
        found += unknown_names(WHERE, "outcome (scale)", [spec["outcome"]], [row["scale"] for row in study["scales"]])
    found += unknown_names(WHERE, "wave", spec.get("waves", []), [wave["id"] for wave in study["waves"]])
    named = [construct["id"] for construct in spec["constructs"]]
    found += [f"{WHERE}: the construct '{name}' is given more than once." for name in sorted({n for n in named if named.count(n) > 1})]
    if spec.get("weak", 1) > spec.get("strong", 2):
        found.append(f"{WHERE}: 'weak' lies above 'strong'.")
    if "high" in spec and "groups" in spec:
        found.append(f"{WHERE}: 'groups' goes without 'high' and 'low', which name the groups.")
    return found


def _needed(study: dict, name: str) -> list[str]:
    source = study["sources"][name]
    items = {row["item"] for row in study["items"] if row["instrument"] == source["instrument"]}
    found = (
        [f"config/sources.yaml, {name}: the source of ratings needs the key 'center_id'."]
        if "center_id" not in source.get("keys", {})
        else []
    )
    return found + [
        f"config/codebook/items.csv: the source of ratings needs the item '{item}' of '{source['instrument']}'."
        for item in ITEMS
        if item not in items
    ]
