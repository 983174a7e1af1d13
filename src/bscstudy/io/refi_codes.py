"""Users and codes of a REFI-QDA project or codebook; a code is known by its id inside a file and by its full path across files."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element

from bscstudy.errors import BscError
from bscstudy.io.coding_table import PATH_MARK
from bscstudy.io.raw import places
from bscstudy.io.refi_xml import described, grouped, guid_of

#: ATLAS.ti writes its tree into the names
_ATLAS, _ATLAS_MARK = "ATLAS.ti", "::"


@dataclass(frozen=True)
class Codes:
    """`paths`: id of a code -> its full path. `rows`: for the table of codes, with their id. `note_refs`: (id, id of the note)."""

    paths: dict[str, str]
    rows: list[dict]
    note_refs: list[tuple[str, str]]

    @property
    def n_alike(self) -> int:
        """Codes beyond the first that share a full path."""
        return len(self.paths) - len(set(self.paths.values()))


def users_of(root: Element) -> dict[str, str]:
    """Return the id in the file -> the user's own id, or name where ids repeat or are blank."""
    users = grouped(root, "Users", "User")
    found: dict[str, str] = {}
    for attribute in ("id", "name"):
        times = Counter(user.get(attribute) or "" for user in users)
        for user in users:
            own = user.get(attribute) or ""
            if own and times[own] == 1 and own not in found.values():
                found.setdefault(guid_of(user), own)
    return {guid_of(user): found.get(guid_of(user), guid_of(user)) for user in users}


def codes_of(path: Path, root: Element) -> Codes:
    """Return the codes below an element, wherever its program has put the tree.

    Raises
    ------
    BscError
        BSC-QUA-005 two codes of one id, or one without.
    """
    mark = _ATLAS_MARK if (root.get("origin") or "").startswith(_ATLAS) else None
    found, rows, references, repeated = {}, [], [], []

    def walk(element: Element, above: tuple[str, ...]) -> None:
        for code in element.findall("Code"):
            name = code.get("name", "")
            own = tuple(part.strip() for part in name.split(mark)) if mark else (name,)
            full, guid = (*above, *own), guid_of(code)
            if guid in found or not guid:
                repeated.append(f"{path}, code number {len(rows) + 1}")
            found[guid] = PATH_MARK.join(full)
            row = {"code_path": found[guid], "parent_path": PATH_MARK.join(full[:-1]), "level": len(full), "guid": guid}
            row |= {"is_codable": int((code.get("isCodable") or "true").lower() in ("true", "1")), "color": code.get("color", "")}
            rows.append({**row, "description": described(code)})
            references.extend((guid, guid_of(reference, "targetGUID")) for reference in code.findall("NoteRef"))
            walk(code, full)

    for codes in (e for e in root.iter() if e.tag == "Codes"):
        walk(codes, ())
    if repeated:
        raise identity_error("Two codes have the same id, or one has none.", repeated)
    return Codes(found, rows, references)


def identity_error(what: str, where: list[str]) -> BscError:
    """Return the error about codes or documents that cannot be told apart."""
    return BscError(
        "BSC-QUA-005",
        what,
        places(where),
        "Codes or documents would be mixed up.",
        "Repair it in the program it comes from and export again.",
    )
