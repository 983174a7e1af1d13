"""Plain words for the terms of a model, built from the study's own labels."""

from __future__ import annotations

from dataclasses import dataclass, field

Part = tuple[str, str | None]


@dataclass(frozen=True)
class Vocabulary:
    """Labels of a study: ``levels`` factor -> {level: label} in declared order, ``columns`` column -> label.

    ``pieces``: piece of time of the model -> its first and last wave.
    """

    levels: dict[str, dict[str, str]] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)
    pieces: dict[str, tuple[str, str]] = field(default_factory=dict)

    def level(self, factor: str, level: str) -> str:
        """Return the label of a level; where it has none the level itself, as words."""
        return self.levels.get(factor, {}).get(level, str(level).replace("_", " "))


def vocabulary(config: dict, pieces: dict | None = None) -> Vocabulary:
    """Return the labels that the sections waves, roles, collaboratives, scales and observation declare, and a model's pieces of time."""
    levels = {
        "wave": {str(w["id"]): w["label"] for w in sorted(config.get("waves") or [], key=lambda w: w["order"])},
        "role": {str(r["id"]): r["label"] for r in config.get("roles") or []},
        "collaborative": {str(c["id"]): c["label"] for c in config.get("collaboratives") or []},
        "core": {"other": "Other staff", "core": "Core team"},
    }
    columns = {str(s["scale"]): s["label"] for s in config.get("scales") or []}
    for instrument in config.get("observation") or []:
        columns.update({str(s["id"]): s["label"] for s in [*instrument.get("scores", []), *instrument.get("parts", [])] if s.get("label")})
    return Vocabulary(levels, columns, {name: (str(first), str(last)) for name, (first, last) in (pieces or {}).items()})


def term_label(
    parts: tuple[Part, ...], all_parts: tuple[tuple[Part, ...], ...], references: dict[str, str], predictors: dict, words: Vocabulary
) -> str:
    """Return what one coefficient says.

    Parameters
    ----------
    parts : (variable, level) pairs of the coefficient; empty for the intercept
    all_parts : those of every coefficient, to know which variables interact with this one
    references : factor -> reference level
    predictors : the model's declared predictors
    """
    if not parts:
        held = [words.level(f, r) for f, r in references.items()]
        return "Mean of the reference group" + (f" ({', '.join(held)})" if held else "")
    text = " × ".join(_part_label(part, references, predictors, words) for part in parts)
    names = {name for name, _ in parts}
    partners = {n for other in all_parts for n, _ in other if names < {m for m, _ in other}} - names
    held = [words.level(f, r) for f, r in references.items() if f in partners]
    held += [f"at {wave}" for wave in _start(partners, words)]
    held += [f"at the mean of {_column_label(n, predictors, words)}" for n in sorted(partners - set(references) - set(words.pieces))]
    return f"{text} ({', '.join(held)})" if held else text


def _start(partners: set[str], words: Vocabulary) -> list[str]:
    """Return the wave at which the pieces of time among the partners are all 0: the earliest of their first waves."""
    order = list(words.levels.get("wave", {}))
    firsts = {words.pieces[name][0] for name in partners if name in words.pieces}
    return [words.level("wave", min(firsts, key=lambda wave: (order.index(wave) if wave in order else len(order), wave)))] if firsts else []


def _part_label(part: Part, references: dict[str, str], predictors: dict, words: Vocabulary) -> str:
    name, level = part
    if name in words.pieces:
        first, last = words.pieces[name]
        return f"Change from {words.level('wave', first)} to {words.level('wave', last)}"
    if level is None:
        unit = " (per standard deviation)" if predictors.get(name, {}).get("scale") == "sd" else ""
        place = {"within": ", within centers", "between": ", mean of the center"}.get(predictors.get(name, {}).get("center"), "")
        return _column_label(name, predictors, words) + place + unit
    if name not in references:
        return f"{_column_label(name, predictors, words)} {words.level(name, level)}"
    reference = references[name]
    if name == "wave":
        return f"Change from {words.level(name, reference)} to {words.level(name, level)}"
    return f"{words.level(name, level)} compared with {words.level(name, reference)}"


def _column_label(name: str, predictors: dict, words: Vocabulary) -> str:
    column = predictors.get(name, {}).get("column", name)
    return words.columns.get(column, name.replace("_", " ").capitalize())
