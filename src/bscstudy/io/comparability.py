"""Whether scores of a scale mean the same in several waves: same items, same answers, or a map that says how one becomes the other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bscstudy.io.codebook import item_versions
from bscstudy.io.harmonisation import HarmonisedItem, Step, harmonised_items, scale_step, steps_in_words, version_of
from bscstudy.io.instrument_versions import source_waves, wording_of

_NO_MAP = "and config/codebook/harmonisation.csv does not say how one becomes the other"


@dataclass(frozen=True)
class Comparability:
    """Whether scores of one scale can be compared over waves.

    Attributes
    ----------
    comparable : bool
        False if an item or the way of scoring changed and no row of the map says what that means.
    reasons : tuple of str
        Why not, one sentence a cause.
    harmonised : tuple of str
        The rows of the map that the scores rest on, in words; they must stand beside every number.
    """

    comparable: bool
    reasons: tuple[str, ...] = ()
    harmonised: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Scored:
    """A scale as it is scored in one wave: its row of scales.csv, its items after the map, and the map's row for the whole scale."""

    wave: str
    row: dict
    items: dict[str, HarmonisedItem]
    step: Step | None

    @property
    def rule(self) -> str:
        """The rule of the scale, with what it does about unanswered items."""
        return f"{self.row.get('rule') or 'mean'}{', prorated' if self.row.get('prorate') == 'yes' else ''}"

    def keys(self) -> dict[str, str]:
        """Item -> how it is keyed: blank, ``-`` or the answers counted."""
        tokens = str(self.row["items"]).split()
        if tokens == ["*"]:
            return dict.fromkeys(self.items, "")
        keyed = {token.lstrip("-").split("=")[0]: token for token in tokens}
        return {item: token.replace(item, "", 1) for item, token in keyed.items() if item in self.items}


def compare_versions(before: dict, after: dict) -> tuple[str, str]:
    """Return (change, detail) between two codebook rows of one item: same, renamed, reworded or rescaled."""
    details = []
    if (before.get("response_scale") or "") != (after.get("response_scale") or ""):
        details.append(f"response scale {before.get('response_scale') or 'none'} -> {after.get('response_scale') or 'none'}")
    if _limits(before) != _limits(after):
        details.append(f"range {_range(before)} -> {_range(after)}")
    if before["type"] != after["type"]:
        details.append(f"type {before['type']} -> {after['type']}")
    change = "rescaled" if details else "same"
    versions = (version_of(before), version_of(after))
    if wording_of(before) != wording_of(after) or (versions[0] != versions[1] and not details):
        details.append(f"wording of version {versions[0]} -> {versions[1]}")
        change = "reworded" if change == "same" else change
    if (before.get("column") or before["item"]) != (after.get("column") or after["item"]):
        details.append(f"column {before.get('column') or before['item']} -> {after.get('column') or after['item']}")
        change = "renamed" if change == "same" else change
    return change, ", ".join(details)


def comparable(
    scale: dict | list[dict], waves: list[str], items: list[dict], sources: dict | None = None, harmonisation: list[dict] | None = None
) -> Comparability:
    """Tell whether scores of a scale can be compared across waves.

    After the map of items, every wave must be scored by one rule from the same items, keyed, worded and answered in the same way.
    Waves that differ are comparable only through a row of the map for the whole scale; with the rule ``identity`` a point of the score
    must also be of one size in both.

    Parameters
    ----------
    scale : dict or list of dict
        The scale's row of scales.csv, or all its rows where instruments or items differ between waves.
    waves : list of str
        The waves to be compared, in time order.
    items : list of dict
        The codebook's item rows.
    sources : dict, optional
        The section `sources`; needed only where a codebook row is tied to a source and not to a wave. A row tied to sources whose
        wave is read from the file holds in every wave it names.
    harmonisation : list of dict, optional
        Rows of harmonisation.csv.

    Returns
    -------
    Comparability
        With what the map does, also where all waves are of one version: their scores are then in points of another.
    """
    rows, harmonisation = [scale] if isinstance(scale, dict) else list(scale), list(harmonisation or [])
    used = [_scored(rows, wave, items, sources or {}, harmonisation) for wave in waves]
    absent = [wave for wave, scored in zip(waves, used, strict=True) if scored is None]
    if absent:
        return Comparability(False, tuple(f"the scale has no items in {wave}" for wave in absent))
    groups: dict[int | None, list[_Scored]] = {}
    for scored in used:
        groups.setdefault(None if scored.step is None else id(scored.step.row), []).append(scored)
    reasons = [reason for first, *others in groups.values() for other in others for reason in _differences(first, other)]
    reference = groups.get(None, [None])[0]
    for first, *_ in groups.values():
        if first.step is not None and reference is not None and not first.step.changes_numbers:
            reasons += _sizes(first, reference)
    return Comparability(not reasons, tuple(reasons), _in_words(used))


def observed_rows(config: dict) -> list[dict]:
    """Return each score of an observation instrument as a row of scales.csv: its items, and how they are keyed."""
    sources = config.get("sources") or {}
    return [
        {
            "scale": part["id"],
            "instrument": sources[observed["source"]]["instrument"],
            "rule": observed["kind"],
            "items": " ".join(part["items"]),
        }
        for observed in config.get("observation") or []
        for part in (*(observed.get("parts") or ()), *(observed.get("scores") or ()))
        if observed.get("source") in sources
    ]


def judged(scale: str, config: dict, waves: list[str] | None = None) -> Comparability:
    """Return whether a scale or a score of observation can be compared over the given waves, over all in which it is scored if None.

    ``config`` has the sections ``scales``, ``items`` and, where there are, ``waves``, ``sources``, ``harmonisation`` and ``observation``.
    Observed answers are scored as they were given, so that of the map only rows hold for them that take an item as it is.
    """
    rows, items, mapped = [row for row in config["scales"] if row["scale"] == scale], config.get("items") or [], config.get("harmonisation")
    if not rows:
        rows = [row for row in observed_rows(config) if row["scale"] == scale]
        mapped = [row for row in mapped or [] if row["rule"] == "identity" and row["new_item"] in ("", None, row["item"])]
    if waves is None:
        waves = scored_waves(rows, {**config, "harmonisation": mapped}) if items else []
    return comparable(rows, waves, items, config.get("sources"), mapped)


def incomparable(scales: Iterable[str], config: dict) -> dict[str, str]:
    """Return scale -> why its scores cannot be compared over the waves in which it is scored; scales that can be are left out."""
    found = {scale: judged(scale, config) for scale in dict.fromkeys(scales)}
    return {scale: "; ".join(verdict.reasons) for scale, verdict in found.items() if not verdict.comparable}


def scored_waves(rows: list[dict], config: dict) -> list[str]:
    """Return the waves, in time order, in which a scale has items to be scored from, and a source where the sources are given."""
    instruments, sources = {row["instrument"] for row in rows}, config.get("sources") or {}
    own = [source for source in sources.values() if source.get("instrument") in instruments]
    waves = [str(wave["id"]) for wave in sorted(config.get("waves") or [], key=lambda wave: wave["order"])]
    fed = {wave for source in own for wave in source_waves(source)} if own else set(waves)
    mapped = config.get("harmonisation") or []
    return [wave for wave in waves if wave in fed and _scored(rows, wave, config["items"], sources, mapped) is not None]


def _scored(rows: list[dict], wave: str, items: list[dict], sources: dict, harmonisation: list[dict]) -> _Scored | None:
    """Return the row that scores this wave, one that names the wave first, with its items; None where it has none."""
    for row in sorted(rows, key=lambda row: not (row.get("waves") or "").split()):
        named = (row.get("waves") or "").split()
        if named and wave not in named:
            continue
        feeding = [name for name, source in sources.items() if source.get("wave") == wave or isinstance(source.get("wave"), dict)]
        own = [i for i in items if i["instrument"] == row["instrument"]]
        found = harmonised_items(item_versions(own, wave, feeding), own, harmonisation)
        scored = _Scored(wave, row, found, scale_step(row, wave, harmonisation))
        keyed = scored.keys()
        if keyed:
            return _Scored(wave, row, {item: found[item] for item in keyed}, scored.step)
    return None


def _differences(before: _Scored, after: _Scored) -> list[str]:
    """Return why two waves cannot be compared as they stand."""
    between = f"between {before.wave} and {after.wave}"
    rules = before.rule, after.rule
    if rules[0] != rules[1]:
        return [f"the rule differs {between}: {rules[0]} -> {rules[1]}, {_NO_MAP}"]
    first, second = before.keys(), after.keys()
    if set(first) != set(second):
        return [f"scored from other items {between}: {_few(sorted(set(first) ^ set(second)))}, {_NO_MAP}"]
    if first != second:
        return [f"keyed in another way {between}: {_few([i for i in sorted(first) if first[i] != second[i]])}, {_NO_MAP}"]
    changes: dict[str, list[str]] = {}
    for item in sorted(first):
        change, detail = compare_versions(before.items[item].definition, after.items[item].definition)
        if change in ("rescaled", "reworded"):
            changes.setdefault(detail, []).append(item)
    return [f"{_few(items)} {between}: {detail}, {_NO_MAP}" for detail, items in changes.items()]


def _sizes(before: _Scored, after: _Scored) -> list[str]:
    """Return why scores of two waves cannot be taken as they are: a point of the score is of another size."""
    between = f"between {before.wave} and {after.wave}"
    rules = before.rule, after.rule
    if rules[0] != rules[1]:
        return [f"the rule differs {between}: {rules[0]} -> {rules[1]}, so the rule identity cannot hold"]
    if _points(before) != _points(after):
        return [f"the response scales or ranges of the items differ {between}, so the rule identity cannot hold"]
    if rules[0] != "mean" and len(before.items) != len(after.items):
        return [
            f"the number of items counted differs {between}: {len(before.items)} -> {len(after.items)}, so the rule identity cannot hold"
        ]
    return []


def _points(scored: _Scored) -> set[tuple]:
    """Return what one item can add to the score: its response scale and range, or 0 to 1 where single answers count."""
    counted = {item: scored.row.get("rule") == "count_missing" or "=" in key for item, key in scored.keys().items()}
    definitions = {item: scored.items[item].definition for item in counted}
    return {
        ("0 to 1",) if counted[item] else (row.get("response_scale") or "", _range(row), row["type"]) for item, row in definitions.items()
    }


def _in_words(used: list[_Scored]) -> tuple[str, ...]:
    """Return each step of the map that these scores rest on, once, with its waves."""
    waves: dict[str, list[str]] = {}
    for scored in used:
        steps = [step for item in scored.items.values() for step in item.steps] + ([scored.step] if scored.step else [])
        for text in steps_in_words(steps):
            waves.setdefault(text, []).append(scored.wave)
    return tuple(f"{text}, used in {' '.join(named)}" for text, named in waves.items())


def _few(items: list[str], most: int = 8) -> str:
    return " ".join(items[:most]) + (f" and {len(items) - most} more" if len(items) > most else "")


def _limits(row: dict) -> tuple:
    return tuple(None if row.get(end) in (None, "") else float(row[end]) for end in ("minimum", "maximum"))


def _range(row: dict) -> str:
    low, high = ("open" if value is None else f"{value:g}" for value in _limits(row))
    return f"{low} to {high}"
