"""The archive of a REFI-QDA project (.qdpx), opened with distrust: it may come from anywhere."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from xml.etree.ElementTree import Element

from bscstudy.errors import BscError
from bscstudy.io.raw import UNREADABLE_ARCHIVE, places, read_bytes

MOST_MEMBERS = 20_000
MOST_BYTES = 2_000_000_000
MOST_XML_BYTES = 300_000_000
MOST_RATIO = 1_000


def open_project(path: Path) -> tuple[zipfile.ZipFile, Element]:
    """Return the archive and the root element of its one project file.

    Raises
    ------
    BscError
        BSC-QUA-001 not a project archive or cut off, -002 a member that is refused (outside path, password, far too large),
        -003 none or several project files, -004 XML that is not well formed, -007 XML that declares a document type.
    """
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import ParseError, fromstring

    try:
        archive = zipfile.ZipFile(io.BytesIO(read_bytes(path)))
        _check_members(path, archive)
        projects = [m.filename for m in archive.infolist() if "/" not in m.filename and m.filename.lower().endswith(".qde")]
        if len(projects) != 1:
            raise _error(
                "BSC-QUA-003",
                f"The archive holds {len(projects)} project files (.qde); exactly one is needed.",
                str(path),
                "Export it again.",
            )
        content = archive.read(projects[0])
    except UNREADABLE_ARCHIVE:
        raise damaged(path) from None
    try:
        return archive, fromstring(content, forbid_dtd=True)
    except DefusedXmlException:
        what = "The project file declares a document type or entities, which no program for coding text writes."
        raise _error("BSC-QUA-007", what, f"{path}, {projects[0]}", "Do not use this file; ask for a fresh export.") from None
    except (ParseError, ValueError, LookupError):
        raise _error("BSC-QUA-004", "The project file is not well-formed XML.", f"{path}, {projects[0]}", "Export it again.") from None


def local_name(element: Element) -> str:
    """Return an element's name without its namespace; programs disagree on the namespace."""
    return element.tag.rsplit("}", 1)[-1] if isinstance(element.tag, str) else ""


def damaged(path: Path) -> BscError:
    """Return the error of an archive that is cut off or damaged."""
    what = "The project archive is cut off or damaged, or is no .qdpx file."
    return _error("BSC-QUA-001", what, str(path), "Export it again.")


def text_of(archive: zipfile.ZipFile, source: Element) -> str | None:
    """Return a text source's plain text as stored (line ends untouched, no byte-order mark), or None where it is not there.

    Raises
    ------
    zipfile.BadZipFile
        Where it is there, but damaged.
    """
    inline = next((child.text or "" for child in source if local_name(child) == "PlainTextContent"), None)
    if inline is not None:
        return inline
    wanted = (source.get("plainTextPath") or "").rsplit("/", 1)[-1].lower()
    member = next((n for n in archive.namelist() if wanted and n.lower() == f"sources/{wanted}"), None)
    if member is None:
        return None
    try:
        content = archive.read(member)
    except UNREADABLE_ARCHIVE:
        raise zipfile.BadZipFile from None
    try:
        return content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        return None


def _check_members(path: Path, archive: zipfile.ZipFile) -> None:
    members = archive.infolist()
    found = [f"{path}, member {number}: {fault}" for number, m in enumerate(members, start=1) if (fault := _fault_of(m))]
    names = [m.filename.lower() for m in members]
    if len(names) != len(set(names)):
        found.append(f"{path}: two members of one name")
    if len(members) > MOST_MEMBERS or sum(m.file_size for m in members) > MOST_BYTES:
        found.append(f"{path}: unpacked it is far larger than a project")
    if found:
        raise _error(
            "BSC-QUA-002", "The archive holds something that is not read.", places(found), "Do not use this file; ask for a fresh export."
        )


def _fault_of(member: zipfile.ZipInfo) -> str:
    name = member.filename
    if name.startswith("/") or "\\" in name or ":" in name or ".." in name.split("/"):
        return "its path leads out of the archive"
    if member.flag_bits & 1:
        return "it is protected with a password"
    if member.file_size > 1_000_000 and member.file_size > MOST_RATIO * max(member.compress_size, 1):
        return "unpacked it is far larger than packed"
    too_large = name.lower().endswith((".qde", ".txt")) and member.file_size > MOST_XML_BYTES
    return "unpacked it is too large" if too_large else ""


def _error(code: str, what: str, where: str | tuple[str, ...], todo: str) -> BscError:
    return BscError(code, what, where, "No code of the project can be counted.", todo)
