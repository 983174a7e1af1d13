"""The archive of a REFI-QDA project (.qdpx), opened with distrust: it may come from anywhere. Nothing is ever unpacked to disk."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bscstudy.errors import BscError
from bscstudy.io.raw import UNREADABLE_ARCHIVE, check_file, places
from bscstudy.io.refi_positions import Text

MOST_MEMBERS = 10_000
MOST_XML_BYTES = 200_000_000
MOST_TEXT_BYTES = 50_000_000
MOST_BYTES_READ = 1_000_000_000
#: a member is refused where it unpacks to more than this many times its packed size and is larger than the second number
MOST_RATIO, RATIO_FROM = 200, 10_000_000
MOST_DIRECTORY_BYTES = 10_000_000
_CHUNK = 1 << 16
#: a zip file ends with a record of 22 bytes and a comment of at most 65,535
_LONGEST_END = 22 + 65_535
_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class ProjectArchive:
    """A checked archive, which hands out the project file and texts and counts the bytes that it really unpacks."""

    def __init__(self, path: Path, archive: zipfile.ZipFile):
        self.path = path
        self.n_external = 0
        self._archive = archive
        self._read = 0
        _check_members(path, archive)
        members = [m for m in archive.infolist() if not m.is_dir()]
        self._sources = {m.filename.lower(): m for m in members}
        projects = [m for m in members if "/" not in m.filename and m.filename.lower().endswith(".qde")]
        if len(projects) != 1:
            what = f"The archive holds {len(projects)} project files (.qde); exactly one is needed."
            raise archive_error("BSC-QUA-003", what, str(path), "Export it again.")
        self._project = projects[0]

    def project(self) -> Iterator[bytes]:
        """Yield the project file in pieces."""
        return self._pieces(self._project, MOST_XML_BYTES)

    def text(self, path: str) -> Text | None:
        """Return the text that a ``plainTextPath`` names (line ends untouched), or None where the archive does not hold it as text.

        Raises
        ------
        BscError
            BSC-QUA-001 where it is damaged; -002 where its path climbs out of the archive, or it is larger than is read.
        """
        scheme, name = path.split("://", 1) if "://" in path else ("internal", path)
        parts = [part for part in name.replace("\\", "/").split("/") if part != "."]
        if scheme == "internal" and ".." in parts:
            raise _refused(f"{self.path}: a document's path leads out of the archive")
        inside = parts[:1] == [""] or len(parts) > 1 and parts[0].lower() != "sources" or ":" in name
        if scheme != "internal" or inside:
            self.n_external += 1
            return None
        member = self._sources.get(f"sources/{parts[-1].lower()}")
        return _decoded(b"".join(self._pieces(member, MOST_TEXT_BYTES))) if member else None

    def inline(self, content: str) -> Text:
        """Return a text that stands in the project file; BSC-QUA-002 where it is larger than is read."""
        if len(content) > MOST_TEXT_BYTES:
            raise _refused(f"{self.path}: a text in the project file is too large")
        return Text(content, inline=True)

    def _pieces(self, member: zipfile.ZipInfo, most: int) -> Iterator[bytes]:
        size = 0
        try:
            with self._archive.open(member) as handle:
                while piece := handle.read(_CHUNK):
                    size += len(piece)
                    self._read += len(piece)
                    if size > most or self._read > MOST_BYTES_READ or is_too_dense(size, member.compress_size):
                        raise _refused(f"{self.path}: unpacked it is far larger than a project")
                    yield piece
        except UNREADABLE_ARCHIVE:
            raise damaged(self.path) from None


@contextmanager
def open_archive(path: Path) -> Iterator[ProjectArchive]:
    """Open and check a project's archive.

    Raises
    ------
    BscError
        BSC-QUA-001 not a project archive or cut off, -002 a member that is refused (outside path, link, password, unusual packing,
        far too large, two of one name), -003 none or several project files.
    """
    check_file(path)
    _check_directory(Path(path))
    try:
        archive = zipfile.ZipFile(path)
    except UNREADABLE_ARCHIVE:
        raise damaged(path) from None
    with archive:
        yield ProjectArchive(Path(path), archive)


def damaged(path: Path) -> BscError:
    """Return the error of an archive that is cut off or damaged."""
    what = "The project archive is cut off or damaged, or is no .qdpx file."
    return archive_error("BSC-QUA-001", what, str(path), "Export it again.")


def archive_error(code: str, what: str, where: str | tuple[str, ...], todo: str) -> BscError:
    """Return an error after which nothing of the project is read."""
    return BscError(code, what, where, "No code of the project can be counted.", todo)


def _refused(*where: str) -> BscError:
    what = "The archive holds something that is not read."
    return archive_error("BSC-QUA-002", what, places(list(where)), "Do not use this file; ask for a fresh export.")


def _decoded(content: bytes) -> Text | None:
    wide = content[:2] in (b"\xff\xfe", b"\xfe\xff")
    try:
        text = content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError:
        return None
    return Text(text, had_mark=wide or content.startswith(b"\xef\xbb\xbf"))


def _check_directory(path: Path) -> None:
    """Refuse a list of members that would itself fill the memory; every member takes a place in it."""
    with open(path, "rb") as handle:
        handle.seek(max(path.stat().st_size - _LONGEST_END, 0))
        end = handle.read()
    at = end.rfind(b"PK\x05\x06")
    if at >= 0 and int.from_bytes(end[at + 12 : at + 16], "little") > MOST_DIRECTORY_BYTES:
        raise _refused(f"{path}: it holds more members than a project")


def _check_members(path: Path, archive: zipfile.ZipFile) -> None:
    members = archive.infolist()
    found = [f"{path}, member {number}: {fault}" for number, m in enumerate(members, start=1) if (fault := _fault_of(m))]
    names = [m.filename.lower().rstrip("/") for m in members]
    if len(names) != len(set(names)):
        found.append(f"{path}: two members of one name")
    if len(members) > MOST_MEMBERS:
        found.append(f"{path}: it holds more members than a project")
    if found:
        raise _refused(*found)


def path_fault(member: zipfile.ZipInfo) -> str:
    """Return why a member of an archive is not to be touched at all (path, link, password), or blank."""
    name = getattr(member, "orig_filename", member.filename)
    if name.startswith("/") or "\\" in name or ":" in name or "\x00" in name or ".." in name.split("/"):
        return "its path leads out of the archive"
    if stat.S_ISLNK(member.external_attr >> 16):
        return "it is a link"
    return "it is protected with a password" if member.flag_bits & 1 else ""


def _fault_of(member: zipfile.ZipInfo) -> str:
    name, fault = getattr(member, "orig_filename", member.filename), path_fault(member)
    if fault:
        return fault
    if not name.lower().endswith((".qde", ".txt")):
        return ""
    if member.compress_type not in _PACKED:
        return "it is packed in a way that is not read"
    most = MOST_XML_BYTES if name.lower().endswith(".qde") else MOST_TEXT_BYTES
    too_large = member.file_size > most or is_too_dense(member.file_size, member.compress_size)
    return "unpacked it is too large" if too_large else ""


def is_too_dense(size: int, packed: int) -> bool:
    """Whether a member unpacks to far more than it is packed."""
    return size > RATIO_FROM and size > MOST_RATIO * max(packed, 1)
