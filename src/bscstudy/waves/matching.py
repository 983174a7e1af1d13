"""Which source of the study a delivered file continues: its columns against the codebook and against that source's keys."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path

from bscstudy.errors import BscError
from bscstudy.io.codebook import item_versions
from bscstudy.io.describe import unknown_columns
from bscstudy.io.inventory import companions_of
from bscstudy.io.keys import key_columns
from bscstudy.io.raw import RawTable
from bscstudy.io.readers import READERS, read_source
from bscstudy.io.selection import query_columns, slices_of
from bscstudy.waves.delivery import DeliveredFile

#: the least share of a file's columns that must be known, and of a source's columns that must be found, to call it a match
LEAST_SHARE = 0.5
#: what a file of an ending the study does not have yet may be: (reader, options), tried in this order
GUESSES = {
    ".csv": [("qualtrics", {}), ("csv", {}), ("csv", {"delimiter": ";"}), ("csv", {"delimiter": ";", "encoding": "cp1252"})],
    ".tsv": [("csv", {})],
    ".txt": [("csv", {"delimiter": "\t"}), ("csv", {})],
    ".sav": [("spss", {})],
    ".zsav": [("spss", {})],
    ".por": [("spss", {})],
    ".dta": [("stata", {})],
    ".sas7bdat": [("sas", {})],
    ".xpt": [("sas", {})],
    ".xlsx": [("excel", {})],
    ".qdpx": [("refi", {"document_id_from": "name"})],
}


@dataclass(frozen=True)
class Match:
    """A delivered file as the continuation of a source.

    Attributes
    ----------
    source : dict
        The source's entry with its id; reader and options are those that read the file.
    raw : RawTable
        The file as read.
    companions : dict
        Option -> file that the reader needs beside it (a data dictionary).
    n_columns, n_known : int
        Columns of the file, and how many the codebook, the source's entry or the exporting program explain.
    n_expected, n_found : int
        Columns the source had, and how many of them the file has.
    unknown : tuple of str
        Columns that nothing explains.
    absent : dict
        Item -> column, of the items in force in the source that the file does not have.
    keys_absent : tuple of str
        Columns of keys, wave or filter that the file does not have.
    """

    source: dict
    raw: RawTable
    companions: dict[str, Path]
    n_columns: int
    n_known: int
    n_expected: int
    n_found: int
    unknown: tuple[str, ...]
    absent: dict[str, str]
    keys_absent: tuple[str, ...]

    @property
    def share_known(self) -> float:
        """Share of the file's columns that are explained, 0 to 1."""
        return self.n_known / max(self.n_columns, 1)

    @property
    def share_found(self) -> float:
        """Share of the source's columns that the file has, 0 to 1."""
        return self.n_found / max(self.n_expected, 1)

    @property
    def fits(self) -> bool:
        """Whether the file can be taken for a continuation of the source."""
        return min(self.share_known, self.share_found) >= LEAST_SHARE


def match_columns(raw: RawTable, source: dict, study: dict, companions: dict[str, Path] | None = None) -> Match | None:
    """Compare a file's columns with the codebook and with a source of the study.

    Parameters
    ----------
    raw : RawTable
        The file as read.
    source : dict
        The source's entry with its ``id``.
    study : dict
        The sections ``items`` and ``waves`` of the configuration.

    Returns
    -------
    Match or None
        None where the columns do not repeat as the source's `reshape` says.
    """
    try:
        slices = slices_of([str(name) for name in raw.frame.columns], source.get("reshape"))
    except BscError:
        return None
    present = set(slices[0].columns)
    items = columns_in_force(source, study)
    base = list(dict.fromkeys(key_columns(source) + (query_columns(source["keep_where"]) if source.get("keep_where") else [])))
    unknown = unknown_columns(raw, source, study, slices)
    counted = [name for name in raw.frame.columns if name not in raw.own_columns or name in base]
    wanted = [*items.values(), *base]
    return Match(
        source=source,
        raw=raw,
        companions=companions or {},
        n_columns=len(counted),
        n_known=len(counted) - len(unknown),
        n_expected=len(wanted),
        n_found=sum(column in present for column in wanted),
        unknown=tuple(unknown),
        absent={item: column for item, column in items.items() if column not in present},
        keys_absent=tuple(column for column in base if column not in raw.frame.columns),
    )


def columns_in_force(source: dict, study: dict) -> dict[str, str]:
    """Return item -> column of the codebook rows that hold for a source, in its last wave where it has several."""
    return {item: row.get("column") or item for item, row in rows_in_force(source, study).items()}


def rows_in_force(source: dict, study: dict) -> dict[str, dict]:
    """Return item -> codebook row that holds for a source in its last wave."""
    order = [str(wave["id"]) for wave in sorted(study["waves"], key=lambda wave: wave["order"])]
    declared = source.get("wave")
    named = [declared] if isinstance(declared, str) else list(map(str, (declared or {}).get("map", {}).values()))
    last = max((wave for wave in named if wave in order), key=order.index, default=order[-1])
    rows = [row for row in study["items"] if row["instrument"] == source["instrument"]]
    return item_versions(rows, last, [source["id"]])


def best_match(file: DeliveredFile, study: dict, folder: Path, delivery: list[DeliveredFile]) -> Match | None:
    """Return the source that a delivered file continues best, None where it fits none.

    The file is read as the sources of the same ending are read; where that fits none, in the other ways such a file can be
    read. Of sources that fit equally well the one of the latest wave counts.
    """
    read: dict[str, RawTable | None] = {}
    for readings in (_as_sources(file, study), _as_guessed(file, study)):
        matches = []
        for source in readings:
            companions = {option: _companion(path, option, folder, delivery) for option, path in companions_of(source).items()}
            way = repr((source["reader"], source.get("options"), companions))
            if way not in read:
                read[way] = _readable(file.path, companions, source)
            match = None if read[way] is None else match_columns(read[way], source, study, companions)
            matches += [match] if match is not None and match.fits else []
        if matches:
            return max(matches, key=lambda match: (match.share_known + match.share_found, *_lateness(match.source, study)))
    return None


def match_as(file: DeliveredFile, source: dict, study: dict, folder: Path, delivery: list[DeliveredFile]) -> Match | None:
    """Return a file as the continuation of one source, read as that source is; None where it cannot be read so or does not fit."""
    companions = {option: _companion(path, option, folder, delivery) for option, path in companions_of(source).items()}
    raw = _readable(file.path, companions, source)
    match = None if raw is None else match_columns(raw, source, study, companions)
    return match if match is not None and match.fits else None


def why_unreadable(file: DeliveredFile, study: dict, folder: Path, delivery: list[DeliveredFile]) -> str:
    """Return code and message of the fault for which none of the sources of a file's ending could read it; blank if one could."""
    said = ""
    for source in _as_sources(file, study):
        companions = {option: _companion(path, option, folder, delivery) for option, path in companions_of(source).items()}
        try:
            read_source([file.path, *companions.values()], source)
        except BscError as fault:
            said = said or f"{fault.code}, {fault.what}"
        else:
            return ""
    return said


def nearest_items(column: str, among: dict[str, str], study: dict, instrument: str, label: str = "", least: float = 0.5) -> list[str]:
    """Return the items that an unknown column may be, best first, at most two: the same label or wording, then a like name.

    Parameters
    ----------
    among : dict
        Item -> column, of the items to choose from.
    label : str
        The label or question text that the file gives the column.
    least : float
        How like two names must be, 0 to 1.
    """
    rows = [row for row in study["items"] if row["instrument"] == instrument and row["item"] in among]
    said = label.strip().lower()
    by_label = [row["item"] for row in rows if said and said in (row["label"].lower(), (row.get("wording") or "").lower())]
    names = {name.lower(): item for item, own in among.items() for name in (item, own)}
    close = difflib.get_close_matches(column.lower(), sorted(names), n=2, cutoff=least)
    return list(dict.fromkeys([*by_label, *(names[name] for name in close)]))[:2]


def _as_sources(file: DeliveredFile, study: dict) -> list[dict]:
    return [source for source in study["sources"].values() if Path(source["file"]).suffix.lower() == file.suffix]


def _as_guessed(file: DeliveredFile, study: dict) -> list[dict]:
    ways = [(reader, options) for reader, options in GUESSES.get(file.suffix, []) if reader in READERS]
    return [{**source, "reader": reader, "options": options} for reader, options in ways for source in study["sources"].values()]


def _readable(path: Path, companions: dict[str, Path], source: dict) -> RawTable | None:
    try:
        return read_source([path, *companions.values()], source)
    except BscError:
        return None


def _companion(path: str, option: str, folder: Path, delivery: list[DeliveredFile]) -> Path:
    """Return the delivered file of the same name, or whose name says what it is; the study's own where there is none."""
    named = [f.path for f in delivery if f.path.name == Path(path).name] + [f.path for f in delivery if option in f.path.name.lower()]
    return named[0] if named else Path(folder) / path


def _lateness(source: dict, study: dict) -> tuple[int, str]:
    order = {str(wave["id"]): wave["order"] for wave in study["waves"]}
    wave = source.get("wave")
    return (order.get(wave, 0) if isinstance(wave, str) else 0, source["id"])
