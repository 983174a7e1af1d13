"""What a check is: a function over all ingested sources that returns findings without any value or name in them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from bscstudy.checks.compared import no_other
from bscstudy.tables import read_sidecar, read_table

SEVERITIES = ("stop", "report", "tolerated", "resolved")
WHY = "__why"


@dataclass(frozen=True)
class Source:
    """One ingested source: its table with the excluded rows still in it, and what its sidecar and configuration say."""

    id: str
    frame: pd.DataFrame
    settings: dict = field(default_factory=dict)
    extra: dict = field(default_factory=dict)

    @property
    def file(self) -> str:
        """The raw file, for messages; the id where none is known."""
        return str(self.settings.get("file") or self.extra.get("file") or self.id)

    @property
    def instrument(self) -> str:
        """The instrument, blank where the configuration names none."""
        return str(self.settings.get("instrument", ""))

    @property
    def keys(self) -> dict:
        """The declared keys: key -> where it is taken from."""
        return self.settings.get("keys") or {}

    def kept(self) -> Source:
        """Return the source without its excluded rows, and without what ingest recorded about those rows."""
        if "excluded" not in self.frame.columns or self.frame["excluded"].isna().all():
            return self
        out = self.frame["excluded"].notna()
        gone = set(self.frame.loc[out, "row"]) - set(self.frame.loc[~out, "row"])
        extra = {
            name: [entry for entry in value if entry.get("row") not in gone] if name in ("problems", "id_changes", "notices") else value
            for name, value in self.extra.items()
        }
        return Source(self.id, self.frame[~out].reset_index(drop=True), self.settings, extra)


def read_sources(paths: list[Path], sources: dict, *, reasons: bool = True) -> dict[str, Source]:
    """Read ingested sources, excluded rows among them, with what their sidecars say; without the reasons for missing if not wanted."""
    found = {}
    for path in paths:
        meta = read_sidecar(path)
        columns = None if reasons else [c["name"] for c in meta["columns"] if not c["name"].endswith(WHY)]
        frame = read_table(path, drop_excluded=False, columns=columns)
        found[path.stem] = Source(path.stem, frame, sources.get(path.stem) or {}, meta.get("extra") or {})
    return dict(sorted(found.items()))


@dataclass(frozen=True)
class Finding:
    """One thing found, at one row where it has a row; `n` counts what `unit` names."""

    check: str
    source: str
    file: str
    row: int | None
    column: str
    wave: str
    n: int
    unit: str
    message: str

    @property
    def identity(self) -> tuple:
        """What must agree for two passes to have found the same thing."""
        return (self.check, self.source, self.row, self.column, self.wave, "" if self.row is not None else self.unit)


@dataclass(frozen=True)
class Check:
    """A registered check; `function(tables, config)` takes source id -> Source and returns findings.

    Attributes
    ----------
    needs : str
        The section of the configuration without which nothing is checked, blank where there is none.
    reads : tuple of str
        Further sections it reads, beyond those that every step that scores sources has.
    compared_with : callable
        The sources that a source is compared with (:mod:`bscstudy.checks.compared`); without them it cannot be judged.
    adds_up : bool
        Whether what it finds in some of these sources is also found in all of them.
    reasons : bool
        Whether it looks at the reasons for missing answers.
    """

    id: str
    label: str
    severity: str
    unit: str
    function: Callable[[dict[str, Source], dict], Iterable[Finding]]
    needs: str = ""
    reads: tuple[str, ...] = ()
    compared_with: Callable[[str, dict], set[str]] = no_other
    adds_up: bool = False
    reasons: bool = False


REGISTRY: dict[str, Check] = {}


def register(check: str, label: str, severity: str, unit: str = "rows", **more):
    """Enter a function as the built-in check of this id; `more` are the other attributes of `Check`."""

    def enter(function):
        REGISTRY[check] = Check(check, label, severity, unit, function, **more)
        return function

    return enter


def row_findings(check: str, source: Source, rows: pd.DataFrame, column: str, message: str, unit: str = "rows") -> list[Finding]:
    """Return one finding for each row of a part of the source's table."""
    waves = rows["wave"] if "wave" in rows.columns else pd.Series("", index=rows.index)
    return [
        Finding(check, source.id, source.file, int(row), column, "" if pd.isna(wave) else str(wave), 1, unit, message)
        for row, wave in zip(rows["row"], waves, strict=True)
    ]


def whole_finding(check: str, source: Source, column: str, n: int, unit: str, message: str, wave: str = "") -> Finding:
    """Return a finding about a source as a whole."""
    return Finding(check, source.id, source.file, None, column, wave, int(n), unit, message)


def listed_ids(text: object) -> list[str]:
    """Split a codebook cell that holds ids separated by spaces."""
    return str(text or "").split()


def items_of(config: dict, source: Source) -> list[dict]:
    """Return the codebook rows that describe a source: its instrument's, unless they name other sources."""
    return [
        row
        for row in config.get("items", [])
        if row["instrument"] == source.instrument and (not listed_ids(row.get("sources")) or source.id in listed_ids(row.get("sources")))
    ]


def waves_of(source: Source) -> list[str]:
    """Return the waves a source has rows of, or declares, in alphabetical order."""
    declared = source.settings.get("wave")
    found = set() if "wave" not in source.frame.columns else {str(w) for w in source.frame["wave"].dropna().unique()}
    return sorted(found | ({declared} if isinstance(declared, str) else set()))


def wave_by_row(source: Source) -> dict[int, str]:
    """Return row -> wave, blank where the row has none; nothing for a source without waves."""
    if "wave" not in source.frame.columns:
        return {}
    return dict(zip(source.frame["row"].tolist(), source.frame["wave"].fillna("").astype("str").tolist(), strict=True))


def ordered_waves(config: dict) -> list[str]:
    """Return the ids of the study's waves in time order."""
    return [wave["id"] for wave in sorted(config.get("waves", []), key=lambda wave: wave["order"])]
