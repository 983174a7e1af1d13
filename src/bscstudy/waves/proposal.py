"""What a delivery means for a study: for each file what it is, the configuration it needs, and what stands in the way."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from bscstudy.errors import BscError
from bscstudy.waves.codebook_edits import CodebookEdits
from bscstudy.waves.delivery import DeliveredFile
from bscstudy.waves.matching import Match
from bscstudy.waves.records import Changes

#: what a delivered file can be
KINDS = {
    "new": "a new source",
    "extended": "a longer export of a source the study has",
    "corrected": "a corrected file",
    "companion": "read together with another file",
    "duplicate": "the same bytes as a file the study has; nothing is done",
    "repeated": "the same records as a source the study has, in other bytes; nothing is done",
    "unmatched": "fits no source of the study",
}


@dataclass
class Delivered:
    """One delivered file and what is proposed for it.

    ``kind`` is one of `KINDS`; ``source`` the entry it gets or has; ``like`` the source it continues or replaces; ``frame`` its
    records once they could be read as configured; ``faults`` what stands in the way.
    """

    file: DeliveredFile
    kind: str
    source: dict = field(default_factory=dict)
    like: dict = field(default_factory=dict)
    match: Match | None = None
    told: str = ""
    frame: pd.DataFrame | None = None
    extra: dict = field(default_factory=dict)
    changes: Changes | None = None
    superseded: str = ""
    faults: list[BscError] = field(default_factory=list)

    @property
    def used(self) -> bool:
        """Whether the file's records enter the study."""
        return self.kind in ("new", "extended", "corrected")


@dataclass
class Proposal:
    """Everything that adding a delivery would change.

    Attributes
    ----------
    wave : dict
        The wave's entry of config.yaml.
    new_wave : bool
        Whether the study does not have it yet.
    files : list of Delivered
        One for each delivered file.
    edits : CodebookEdits
        Cells and rows of the codebook.
    texts : dict
        Path in the study's folder -> new text of a configuration file.
    copies : list
        (delivered file, path in the study's folder).
    moves : list
        (path in the study's folder, path under data/raw/superseded).
    notes : list of str
        What is partial, and what a person should look at.
    faults : list of BscError
        What stands in the way of writing.
    """

    wave: dict
    new_wave: bool
    files: list[Delivered]
    edits: CodebookEdits = field(default_factory=CodebookEdits)
    texts: dict[str, str] = field(default_factory=dict)
    copies: list[tuple[Path, str]] = field(default_factory=list)
    moves: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    faults: list[BscError] = field(default_factory=list)

    @property
    def used(self) -> list[Delivered]:
        """The files whose records enter the study."""
        return [delivered for delivered in self.files if delivered.used]
