"""What can be wrong with the map between versions before any answer is converted."""

from __future__ import annotations

import re
from collections import Counter

from bscstudy.errors import BscError
from bscstudy.io.codebook import item_versions
from bscstudy.io.comparability import compare_versions
from bscstudy.io.harmonisation import FILE, Step, ends_of, harmonised_items, recode_table, version_of, version_row
from bscstudy.io.instrument_versions import source_waves

CONVERTED_TYPES = ("ordinal", "integer", "number", "yes_no")
_PAIRS = re.compile(r"(-?\d+(\.\d+)?=-?\d+(\.\d+)?)( -?\d+(\.\d+)?=-?\d+(\.\d+)?)*")


def check_harmonisation(study: dict) -> None:
    """Refuse a map that cannot be followed.

    Parameters
    ----------
    study : dict
        Sections ``harmonisation``, ``items``, ``scales``, ``waves``, ``sources``, ``response_scales``, ``missing_codes``.

    Raises
    ------
    BscError
        BSC-CFG-085 if a row names what does not exist, or rows contradict each other; BSC-CFG-086 if a rule does not fit the versions
        it joins. All findings of a kind come together.
    """
    rows = list(enumerate(study["harmonisation"], start=2))
    found = [f"{FILE}, row {n}: {text}" for n, row in rows for text in _row_findings(row, study)] or _together(study)
    if found:
        raise BscError(
            "BSC-CFG-085",
            f"The map between versions cannot be followed in {len(found)} place(s).",
            tuple(found),
            "It would not be known which answers become which.",
            "Name one version of an item with `version` and `new_version`, or one scale with `waves`, as the codebook has them.",
        )
    found = [f"{FILE}, row {n}: {text}" for n, row in rows for text in _rule_findings(row, study)] or _range_findings(study)
    if found:
        raise BscError(
            "BSC-CFG-086",
            f"The rule of the map between versions does not fit in {len(found)} place(s).",
            tuple(found),
            "Converted answers would not be answers to the new version.",
            "Use `identity` where nothing but words changed, `linear` between two ranges, and `recode` with every code of the old version.",
        )


def _row_findings(row: dict, study: dict) -> list[str]:
    if bool(row["item"]) == bool(row["scale"]):
        return ["it must name an `item` or a `scale`, and not both."]
    if row["instrument"] not in {item["instrument"] for item in study["items"]}:
        return [f"the instrument '{row['instrument']}' does not exist."]
    return _scale_findings(row, study) if row["scale"] else _item_findings(row, study)


def _item_findings(row: dict, study: dict) -> list[str]:
    found = ["`waves` is for a scale; an item is named by its version."] if row["waves"] else []
    if row["new_version"] is None:
        return [*found, "`new_version` is blank."]
    new_item = row["new_item"] or row["item"]
    for item, version in ((row["item"], version_of(row)), (new_item, row["new_version"])):
        own = [r for r in study["items"] if r["instrument"] == row["instrument"] and r["item"] == item and version_of(r) == version]
        if not own:
            found.append(f"items.csv has no version {version} of '{item}'.")
        elif any(compare_versions(own[0], other)[0] in ("reworded", "rescaled") for other in own[1:]):
            found.append(f"rows of items.csv differ and are all version {version} of '{item}'; number the later ones 2, 3, ...")
    if (row["item"], version_of(row)) == (new_item, row["new_version"]):
        found.append("the old version is the new one.")
    return found


def _scale_findings(row: dict, study: dict) -> list[str]:
    own = [s for s in study["scales"] if s["scale"] == row["scale"] and s["instrument"] == row["instrument"]]
    waves = {wave["id"] for wave in study["waves"]}
    found = [] if own else [f"scales.csv has no scale '{row['scale']}' of '{row['instrument']}'."]
    found += [f"the wave '{wave}' does not exist." for wave in row["waves"].split() if wave not in waves]
    if not row["waves"]:
        found.append("`waves` is blank: it names the waves whose scores become those of the others.")
    if row["new_item"] or row["new_version"] is not None or row["version"] is not None:
        found.append("`version`, `new_item` and `new_version` are for items.")
    return found


def _together(study: dict) -> list[str]:
    """Return what is wrong between rows: one version mapped twice, a circle, two items that would become one in one wave."""
    rows = study["harmonisation"]
    old = Counter((r["instrument"], r["item"], version_of(r)) for r in rows if r["item"])
    found = [f"{FILE}: version {v} of '{i}' is mapped more than once." for (_, i, v), n in sorted(old.items()) if n > 1]
    scales = Counter((r["scale"], wave) for r in rows if r["scale"] for wave in r["waves"].split())
    found += [f"{FILE}: scale '{s}' is mapped more than once in wave {w}." for (s, w), n in sorted(scales.items()) if n > 1]
    items = [r for r in rows if r["item"]]
    follows = {(r["instrument"], r["item"], version_of(r)): (r["instrument"], r["new_item"] or r["item"], r["new_version"]) for r in items}
    found += [f"{FILE}: the versions of '{start[1]}' are mapped in a circle." for start in sorted(follows) if _comes_back(start, follows)]
    return found or _collisions(study)


def _comes_back(start: tuple, follows: dict[tuple, tuple]) -> bool:
    place = follows.get(start)
    for _ in follows:
        if place == start or place is None:
            break
        place = follows.get(place)
    return place == start


def _collisions(study: dict) -> list[str]:
    found = []
    for name, source in sorted(study["sources"].items()):
        own = [row for row in study["items"] if row["instrument"] == source["instrument"]]
        rows = [row for row in study["harmonisation"] if row["instrument"] == source["instrument"] and row["item"]]
        for wave in source_waves(source) if rows else []:
            in_use = item_versions(own, wave, [name])
            lost = len(in_use) - len(harmonised_items(in_use, own, rows))
            if lost:
                found.append(f"{FILE}: in wave {wave}, source {name}, {lost + 1} or more items would become one.")
    return found


def _rule_findings(row: dict, study: dict) -> list[str]:
    found = _setting_findings(row)
    if found:
        return found
    if row["scale"]:
        return _scale_rule_findings(row, study)
    new_item = row["new_item"] or row["item"]
    old = version_row(study["items"], row["instrument"], row["item"], version_of(row))
    new = version_row(study["items"], row["instrument"], new_item, row["new_version"])
    if row["rule"] == "identity":
        change, detail = compare_versions(old, {**new, "item": old["item"]})
        return [f"`identity` cannot hold: {detail}."] if change == "rescaled" else []
    if old["type"] not in CONVERTED_TYPES or new["type"] not in CONVERTED_TYPES:
        return [f"answers of type {old['type']} or {new['type']} are not numbers that can be converted."]
    if row["rule"] == "linear":
        return _linear_findings(row, old, new, study)
    return _recode_findings(row, old, new, study)


def _setting_findings(row: dict) -> list[str]:
    given = {"a": row["a"] is not None, "b": row["b"] is not None, "recode": bool(row["recode"])}
    if row["rule"] == "recode":
        if not given["recode"] or not _PAIRS.fullmatch(row["recode"]):
            return ["`recode` must be pairs such as `1=1 2=2 3=2`."]
        old = [pair.split("=")[0] for pair in row["recode"].split()]
        repeated = sorted({code for code in old if [float(c) for c in old].count(float(code)) > 1})
        if repeated:
            return [f"`recode` gives code {' '.join(repeated)} more than once."]
    elif given["recode"]:
        return ["`recode` is for the rule recode."]
    if row["rule"] != "linear":
        return ["`a` and `b` are for the rule linear."] if given["a"] or given["b"] else []
    if given["a"] != given["b"] or (row["scale"] and not given["a"]):
        return ["`a` and `b` must both be given."]
    return ["`b` must not be 0."] if row["b"] == 0 else []


def _scale_rule_findings(row: dict, study: dict) -> list[str]:
    """A conversion of scores needs a row of scales.csv for just these waves: its `low` and `high` are in the old points."""
    waves = set(row["waves"].split())
    own = [s for s in study["scales"] if s["scale"] == row["scale"] and (not s["waves"] or waves & set(s["waves"].split()))]
    if row["rule"] != "identity" and not all(s["waves"] and set(s["waves"].split()) <= waves for s in own):
        return ["a rule that changes scores needs a row of scales.csv for these waves alone, with `low` and `high` in the old points."]
    others = [s for s in study["scales"] if s["scale"] == row["scale"] and s not in own]
    ends = [(s["low"], s["high"]) for s in others if s["low"] is not None and s["high"] is not None]
    low, high = (min(e[0] for e in ends), max(e[1] for e in ends)) if ends else (None, None)
    return [text for s in own for text in _outside(Step(row), (s["low"], s["high"]), (low, high))] if row["rule"] == "linear" else []


def _range_findings(study: dict) -> list[str]:
    """Return scales whose declared range is not that of the versions their converted items are taken as."""
    converted = {
        (r["instrument"], r["new_item"] or r["item"], r["new_version"])
        for r in study["harmonisation"]
        if r["item"] and r["rule"] != "identity"
    }
    found = []
    for number, scale in enumerate(study["scales"], start=2):
        tokens = [token.lstrip("-") for token in scale["items"].split()]
        targets = [(i, v) for instrument, i, v in converted if instrument == scale["instrument"] and i in tokens]
        if scale["rule"] not in ("mean", "sum") or not targets or any("=" in token for token in tokens):
            continue
        versions = [version_row(study["items"], scale["instrument"], token, dict(targets).get(token, 1)) for token in tokens]
        for name, end in (("low", "minimum"), ("high", "maximum")):
            ends = [row[end] if row else None for row in versions]
            if scale[name] is None or None in ends:
                continue
            expected = sum(ends) / (len(ends) if scale["rule"] == "mean" else 1)
            if abs(expected - scale[name]) > 1e-9 * max(1.0, abs(expected)):  # rounding of a mean of ends
                where = f"config/codebook/scales.csv, row {number}, scale {scale['scale']}"
                found.append(f"{where}: `{name}` is {scale[name]:g}, and the versions its items are taken as give {expected:g}.")
    return found


def _linear_findings(row: dict, old: dict, new: dict, study: dict) -> list[str]:
    ends = [(r["minimum"], r["maximum"]) for r in (old, new)]
    if row["a"] is None and any(end is None for pair in ends for end in pair):
        return ["`linear` without `a` and `b` goes by `minimum` and `maximum`; fill them in for both versions in items.csv."]
    if row["a"] is None and any(low >= high for low, high in ends):
        return ["`minimum` is not below `maximum` in a version."]
    target = row["new_item"] or row["item"]
    tokens = [t for s in study["scales"] if s["instrument"] == row["instrument"] for t in s["items"].split()]
    if any(token.startswith(f"{target}=") for token in tokens):
        return [f"a scale counts single answers of '{target}'; answers on a line have no codes to count, so use `recode`."]
    return _outside(Step(row, ends_of(row, old, new)), ends[0], ends[1])


def _outside(step: Step, old: tuple, new: tuple) -> list[str]:
    """Return a finding where the old ends do not fall within the new ones; nothing where one of them is not declared."""
    if None in (*old, *new):
        return []
    low, high = sorted(float(value) for value in step.convert(list(old)))
    slack = 1e-9 * max(1.0, abs(new[1] - new[0]))  # rounding of decimals such as 0.6666667 is not outside
    if low < new[0] - slack or high > new[1] + slack:
        return [f"{old[0]:g} to {old[1]:g} becomes {low:g} to {high:g}, outside {new[0]:g} to {new[1]:g}."]
    return []


def _recode_findings(row: dict, old: dict, new: dict, study: dict) -> list[str]:
    table = recode_table(row["recode"])
    known, allowed = _codes(old, study), _codes(new, study)
    absent = sorted(known - set(table))
    beyond = sorted({value for value in table.values() if allowed and value not in allowed})
    found = [f"`recode` lacks code {' '.join(f'{code:g}' for code in absent)} of the old version."] if absent else []
    return found + ([f"`recode` gives {' '.join(f'{code:g}' for code in beyond)}, no code of the new version."] if beyond else [])


def _codes(item: dict, study: dict) -> set[float]:
    """Return the codes that stand for answers: of the response scale without those of missing, else the whole numbers of the range."""
    own = [r for r in study["missing_codes"] if r["instrument"] == item["instrument"] and (r["item"] or item["item"]) == item["item"]]
    missing = {str(r["code"]) for r in own}
    texts = [str(r["code"]) for r in study["response_scales"] if r["response_scale"] == item["response_scale"] and item["response_scale"]]
    codes = {float(text) for text in texts if text not in missing and re.fullmatch(r"-?\d+(\.\d+)?", text)}
    if codes or item["minimum"] is None or item["maximum"] is None or item["type"] == "number":
        return codes
    return {float(code) for code in range(int(item["minimum"]), int(item["maximum"]) + 1)}
