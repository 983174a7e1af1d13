"""Keys and waves of raw records: taken from columns, mapped, joined, and spelled one way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bscstudy.errors import BscError
from bscstudy.io.crosswalk import Crosswalk, crosswalk_of, rename
from bscstudy.io.raw import RawTable, code_text, places, texts_of
from bscstudy.io.spelling import changes_of, spell


@dataclass(frozen=True)
class Trail:
    """How the ids of one key came about, record by record: as written and in the declared spelling; rows of the crosswalk in use."""

    written: np.ndarray
    spelled: np.ndarray
    crosswalk: Crosswalk
    used: tuple[int, ...]


@dataclass(frozen=True)
class Keys:
    """Keys of each record (None where blank), the wave (None where the source has none) and how ids changed.

    ``changes`` lists every id rewritten or renamed; ``trails`` has a `Trail` for each key of section `ids`.
    """

    values: dict[str, np.ndarray]
    wave: np.ndarray | None
    changes: list[dict]
    trails: dict[str, Trail]


def key_columns(source: dict) -> list[str]:
    """Return the raw columns that the keys and the wave are taken from."""
    specs = list((source.get("keys") or {}).values())
    specs += [source["wave"]] if isinstance(source.get("wave"), dict) else []
    return [column for spec in specs for column in _columns(spec)]


def columns_text(spec: str | dict) -> str:
    """Return the raw columns of one key as text for the sidecar."""
    return " ".join(_columns(spec))


def read_keys(raw: RawTable, source: dict, sections: dict) -> Keys:
    """Take keys and wave from the raw columns.

    Parameters
    ----------
    raw : RawTable
        With every column of `key_columns`.
    source : dict
        The source's entry.
    sections : dict
        Sections `waves`, `ids` and `crosswalks` of the configuration.

    Raises
    ------
    BscError
        BSC-SRC-021 naming every record whose wave or mapped key is not declared (a blank is allowed in a key, not in the wave).
    """
    faults: list[str] = []
    values, changes, trails, file = {}, [], {}, source["file"]
    wave = _wave(raw, source.get("wave"), {str(w["id"]) for w in sections["waves"]}, file, faults)
    for key, spec in (source.get("keys") or {}).items():
        taken = _taken(raw, spec, f"{file}, {{}}, key '{key}'", faults)
        rule = sections["ids"].get(key) or {}
        spelled, changed = _spelled(taken, raw.rows, key, rule)
        crosswalk = crosswalk_of(sections.get("crosswalks", {}).get(key) or [], rule, source["id"])
        values[key], used = rename(spelled, wave, crosswalk)
        changes += changed + [{"row": int(r), "key": key, "kind": "renamed"} for r in raw.rows[values[key] != spelled]]
        if rule:
            written = _stripped(taken)
            used += [number for number, text in crosswalk.spellings if (written == text).any()]
            trails[key] = Trail(written, spelled, crosswalk, tuple(sorted(used)))
    if faults:
        raise BscError(
            "BSC-SRC-021",
            f"{len(faults)} cell(s) hold a value that is not declared for this key or wave.",
            places(faults),
            "It cannot be known to which wave, role or place these records belong.",
            "Add the value to `map` in config/sources.yaml, or drop the records with `keep_where`.",
        )
    return Keys(values, wave, changes, trails)


def _columns(spec: str | dict) -> list[str]:
    if isinstance(spec, str):
        return [spec]
    return list(spec.get("columns") or ([spec["column"]] if "column" in spec else []))


def _taken(raw: RawTable, spec: str | dict, place: str, faults: list[str]) -> np.ndarray:
    if isinstance(spec, dict) and "constant" in spec:
        return np.full(len(raw.rows), code_text(spec["constant"]), dtype=object)
    parts = [texts_of(raw.frame[column]) for column in _columns(spec)]
    if len(parts) > 1:
        parts = [_stripped(part) for part in parts]
    joined = parts[0].copy()
    for part in parts[1:]:
        joined = np.where((joined == "") | (part == ""), "", joined + "-" + part)
    if isinstance(spec, dict) and spec.get("map"):
        return _mapped(joined, spec["map"], raw.rows, f"{place}, column '{columns_text(spec)}'", faults)
    return joined


def _stripped(texts: np.ndarray) -> np.ndarray:
    return np.array([text.strip() for text in texts], dtype=object)


def _mapped(texts: np.ndarray, mapping: dict, rows: np.ndarray, place: str, faults: list[str]) -> np.ndarray:
    exact = {str(raw).strip(): str(meant) for raw, meant in mapping.items()}
    loose = {code_text(raw): str(meant) for raw, meant in mapping.items()}
    distinct = set(texts)
    table = {text: "" if not text.strip() else exact.get(text.strip()) or loose.get(code_text(text)) for text in distinct}
    unmapped = {text for text, meant in table.items() if meant is None}
    faults += [place.format(f"row {row}") for row, text in zip(rows, texts, strict=True) if text in unmapped] if unmapped else []
    return np.array([table[text] or "" for text in texts], dtype=object)


def _wave(raw: RawTable, spec: str | dict | None, known: set[str], file: str, faults: list[str]) -> np.ndarray | None:
    if spec is None:
        return None
    if isinstance(spec, str):
        return np.full(len(raw.rows), spec, dtype=object)
    taken = _stripped(_taken(raw, spec, "", []))
    column = columns_text(spec)
    faults += [f"{file}, row {row}, wave, column '{column}'" for row, w in zip(raw.rows, taken, strict=True) if w not in known]
    return taken


def _spelled(texts: np.ndarray, rows: np.ndarray, key: str, rule: dict) -> tuple[np.ndarray, list[dict]]:
    table = {text: spell(text, rule) for text in set(texts)}
    values = np.array([table[text] or None for text in texts], dtype=object)
    kinds = {text: changes_of(text, rule) for text, meant in table.items() if text != meant}
    if not kinds:
        return values, []
    return values, [{"row": int(r), "key": key, "kind": kind} for r, t in zip(rows, texts, strict=True) for kind in kinds.get(t, ())]
