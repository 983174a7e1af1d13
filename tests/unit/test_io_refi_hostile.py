"""Archives made to do harm are refused with a code, in little memory; damaged ones end in what the file says, or in an error."""

import io
import random
import re
import struct
import tracemalloc
import xml.etree.ElementTree as ElementTree
import zipfile
from pathlib import PurePosixPath

import pytest
from refi_dialects import DIALECTS, Writer

from bscstudy.errors import BscError
from bscstudy.io import refi, refi_archive, refi_xml
from bscstudy.io.coding_table import CERTAIN

CORRUPTIONS = 200
WRITER = Writer(DIALECTS["NVivo Windows"])
XML = "project.qde"
TEXT = next(name for name in WRITER.members() if name.endswith(".txt"))


def packed(members, how=zipfile.ZIP_DEFLATED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", how) as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content, how)
    return buffer.getvalue()


def sound():
    return list(WRITER.members().items())


def with_xml(change):
    return packed([(n, change(c.decode("utf-8")).encode("utf-8") if n == XML else c) for n, c in sound()])


def link():
    buffer = io.BytesIO(packed(sound()))
    with zipfile.ZipFile(buffer, "a") as archive:
        info = zipfile.ZipInfo("Sources/link.txt")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    return buffer.getvalue()


def encrypted():
    content = bytearray(packed(sound()))
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


def lying_size():
    """A bomb whose directory says that it holds a few bytes."""
    content = bytearray(packed([(name, bytes(30_000_000) if name == TEXT else inside) for name, inside in sound()]))
    first, last = content.index(TEXT.encode()) - 30, content.rindex(TEXT.encode()) - 46
    for at in (first + 22, last + 24):
        content[at : at + 4] = struct.pack("<I", 40)
    return bytes(content)


def twin():
    with pytest.warns(UserWarning):
        return packed([*sound(), (TEXT.upper(), b"x"), (TEXT, b"x")])


def many_entries():
    content = bytearray(packed(sound()))
    end = content.rindex(b"PK\x05\x06")
    content[end + 12 : end + 16] = struct.pack("<I", 500_000_000)
    return bytes(content)


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
HOSTILE = {
    "path above": ("BSC-QUA-002", lambda: packed([*sound(), ("../outside.txt", b"x")])),
    "path above, inside": ("BSC-QUA-002", lambda: packed([*sound(), ("Sources/../../outside.txt", b"x")])),
    "absolute path": ("BSC-QUA-002", lambda: packed([*sound(), ("/etc/cron.txt", b"x")])),
    "drive": ("BSC-QUA-002", lambda: packed([*sound(), ("C:evil.txt", b"x")])),
    "backslash": ("BSC-QUA-002", lambda: packed([*sound(), ("Sources\\..\\evil.txt", b"x")])),
    "hidden ending": ("BSC-QUA-002", lambda: packed([*sound(), ("Sources/a.txt?.exe", b"x")]).replace(b"a.txt?.exe", b"a.txt\0.exe")),
    "link": ("BSC-QUA-002", link),
    "password": ("BSC-QUA-002", encrypted),
    "two members of one name": ("BSC-QUA-002", twin),
    "bomb in a text": ("BSC-QUA-002", lambda: packed([*sound(), ("Sources/bomb.txt", bytes(20_000_000))])),
    "text too large": ("BSC-QUA-002", lambda: packed([*sound(), ("Sources/big.txt", bytes(50_000_001))], zipfile.ZIP_STORED)),
    "bomb in the project": ("BSC-QUA-002", lambda: with_xml(lambda xml: xml + " " * 20_000_000)),
    "size that lies": ("BSC-QUA-001", lying_size),
    "too many members": ("BSC-QUA-002", lambda: packed([*sound(), *((f"Sources/{n}", b"") for n in range(10_000))], zipfile.ZIP_STORED)),
    "endless list of members": ("BSC-QUA-002", many_entries),
    "unusual packing": ("BSC-QUA-002", lambda: packed(sound(), zipfile.ZIP_LZMA)),
    "document's path above": ("BSC-QUA-002", lambda: with_xml(lambda xml: xml.replace("internal://", "internal://../../etc/"))),
    "nested archive as project": ("BSC-QUA-004", lambda: packed([(XML, packed(sound()))])),
    "project in a folder": ("BSC-QUA-003", lambda: packed([("inner/project.qde", b"<Project/>")])),
    "two projects": ("BSC-QUA-003", lambda: packed([*sound(), ("second.qde", b"<Project/>")])),
    "doctype": ("BSC-QUA-007", lambda: with_xml(lambda xml: xml.replace("\n", '\n<!DOCTYPE Project SYSTEM "passwd.dtd">', 1))),
    "entities": ("BSC-QUA-007", lambda: with_xml(lambda xml: xml.replace("\n", f'\n<!DOCTYPE P [<!ENTITY l0 "ha">{LAUGHS}]>', 1))),
    "entity without doctype": ("BSC-QUA-004", lambda: with_xml(lambda xml: xml.replace("<Users>", "&l9;<Users>"))),
    "deep": ("BSC-QUA-002", lambda: with_xml(lambda xml: xml.replace("<Users>", "<Code>" * 200 + "<Users>"))),
    "not well formed": ("BSC-QUA-004", lambda: with_xml(lambda xml: xml[:-5])),
    "unknown encoding": ("BSC-QUA-004", lambda: with_xml(lambda xml: xml.replace("utf-8", "klingon"))),
    "no archive": ("BSC-QUA-001", lambda: b"<Project/>"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_in_little_memory(tmp_path, name):
    code, made = HOSTILE[name]
    path = tmp_path / "p.qdpx"
    path.write_bytes(made())
    tracemalloc.start()
    try:
        with pytest.raises(BscError) as caught:
            refi.read(path, {})
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert caught.value.code == code
    assert peak < 40_000_000, "what a file unpacks to is never held"
    assert "coach" not in str(caught.value) and "passwd" not in str(caught.value)


@pytest.mark.parametrize(
    ("module", "limit", "value"),
    [
        (refi_archive, "MOST_XML_BYTES", 3000),
        (refi_archive, "MOST_TEXT_BYTES", 100),
        (refi_archive, "MOST_BYTES_READ", 5000),
        (refi_xml, "MOST_ELEMENTS", 50),
    ],
)
def test_limits_hold_for_what_is_really_read(tmp_path, monkeypatch, module, limit, value):
    path = WRITER.write(tmp_path / "p.qdpx")
    refi.read(path, {})
    monkeypatch.setattr(module, limit, value)
    with pytest.raises(BscError) as caught:
        refi.read(path, {})
    assert caught.value.code == "BSC-QUA-002"


@pytest.mark.parametrize("where", ["absolute:///etc/hostname", "relative://../x.txt", "/etc/hostname", "C:/x.txt", "file:/etc/hostname"])
def test_paths_outside_are_never_followed(tmp_path, where):
    path = tmp_path / "p.qdpx"
    path.write_bytes(with_xml(lambda xml: re.sub('plainTextPath="[^"]*"', f'plainTextPath="{where}"', xml)))
    table = refi.read(path, {})
    assert set(table.frame["offset_status"]) == {"no_text", "document"}
    assert any("outside the archive" in notice.message for notice in table.notices)


# --- two hundred damages of each kind


def flipped(content, rng):
    changed = bytearray(content)
    for _ in range(rng.randint(1, 3)):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def truncated(content, rng):
    return content[: rng.randrange(len(content))]


def hole(content, rng):
    start = rng.randrange(len(content))
    return content[:start] + content[start + rng.randint(1, 12) :]


def digit_changed(content, rng):
    places = [n for n, byte in enumerate(content) if chr(byte).isdigit()] or [0]
    at = rng.choice(places)
    return content[:at] + str(rng.randrange(10)).encode() + content[at + 1 :]


def damaged(writer, rng):
    members = list(writer.members().items())
    kind = rng.choice(["archive", "archive", "inside", "inside", "inside", "swapped", "lost"])
    if kind == "archive":
        return rng.choice([flipped, truncated, hole])(packed(members), rng)
    at = rng.randrange(len(members))
    if kind == "swapped":
        other = rng.randrange(len(members))
        names = [name for name, _ in members]
        names[at], names[other] = names[other], names[at]
        return packed([(name, content) for name, (_, content) in zip(names, members, strict=True)])
    if kind == "lost":
        return packed(members[:at] + members[at + 1 :])
    members[at] = (members[at][0], rng.choice([flipped, truncated, hole, digit_changed, digit_changed])(members[at][1] or b" ", rng))
    return packed(members)


def by_hand(path):
    """The same codings read without the project's own code: (document, code, coder, start, end) as written, and the texts."""
    with zipfile.ZipFile(path) as archive:
        name = next(n for n in archive.namelist() if n.lower().endswith(".qde"))
        root = ElementTree.fromstring(archive.read(name))
        files = {n.rsplit("/", 1)[-1].lower(): archive.read(n) for n in archive.namelist() if n.lower().startswith("sources/")}
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    origin = root.get("origin") or ""
    plain = {id_of(user.get("guid")): user.get("id") or user.get("name") for user in root.iterfind("Users/User")}
    paths: dict[str, str] = {}

    def walk(element, above):
        for code in element.findall("Code"):
            own = code.get("name", "").split("::") if origin.startswith("ATLAS.ti") else [code.get("name", "")]
            paths[id_of(code.get("guid"))] = "\\".join([*above, *own])
            walk(code, [*above, *own])

    for codes in root.iter("Codes"):
        walk(codes, [])
    cases = {id_of(case.get("guid")) for case in root.iterfind("Cases/Case")}
    rows, texts = set(), {}
    for source in root.iterfind("Sources/TextSource"):
        file = (source.get("plainTextPath") or "").rsplit("/", 1)[-1]
        name = source.get("name") or file or id_of(source.get("guid"))
        document = name[: -len(PurePosixPath(name).suffix)] if PurePosixPath(name).suffix.lower() in (".txt", ".docx") else name
        texts[document] = source.findtext("PlainTextContent") if source.find("PlainTextContent") is not None else files.get(file.lower())
        for element in [source, *source.findall("PlainTextSelection")]:
            for coding in element.findall("Coding"):
                code = id_of(coding.find("CodeRef").get("targetGUID"))
                user = id_of(coding.get("creatingUser"))
                place = (None, None) if element is source else (number(element.get("startPosition")), number(element.get("endPosition")))
                if code not in cases:
                    rows.add((document, paths[code], plain.get(user, user), *place))
    return rows, texts


def id_of(text):
    return (text or "").strip("{}").lower()


def number(text):
    try:
        return int(text)
    except (TypeError, ValueError):
        return None


def naive_place(stored, at, convention):
    """Which character (line ends as one) stands at a position, counted one by one."""
    units, plain = 0, 0
    wanted = max(at - 1, 0) if "_bom" in convention else at
    for n, character in enumerate(stored):
        half = character == "\n" and n and stored[n - 1] == "\r"
        if units == wanted and not (half and "_lf" not in convention):
            return plain
        units += 0 if half and "_lf" in convention else 2 if convention.startswith("utf16") and ord(character) > 0xFFFF else 1
        units += "_crlf" in convention and character == "\n" and not half
        plain += not half
    return plain if units == wanted else None


def assert_as_the_file_says(frame, rows, texts):
    ours = set()
    placed = {(r.document_id, r.code_path, r.coder_id): [] for r in frame.itertuples()}
    for row in frame.itertuples():
        placed[row.document_id, row.code_path, row.coder_id].append(row)
        ours.add((row.document_id, row.code_path, row.coder_id))
    assert ours == {row[:3] for row in rows}
    for document, code, coder, start, end in rows:
        found = placed[document, code, coder]
        if start is None or end is None:
            assert any(row.start != row.start for row in found)
            continue
        stored = texts[document]
        if isinstance(stored, bytes):
            try:
                stored = stored.decode("utf-8-sig")
            except UnicodeDecodeError:
                stored = None
        places = [(start, end)]
        if stored is not None:
            ways = {row.offset_convention or "characters" for row in found if row.offset_status in CERTAIN}
            places += [(naive_place(stored, start, way), naive_place(stored, end, way)) for way in ways]
        assert any((row.start, row.end) in places for row in found), (start, end, places)


@pytest.mark.parametrize("name", ["NVivo Windows", "ATLAS.ti 8", "MAXQDA", "QualCoder"])
def test_two_hundred_damages_end_in_what_the_file_says_or_an_error(tmp_path, name):
    rng, writer = random.Random(f"damage {name}"), Writer(DIALECTS[name])
    path, n_read = tmp_path / "p.qdpx", 0
    for _ in range(CORRUPTIONS):
        path.write_bytes(damaged(writer, rng))
        try:
            frame = refi.read(path, {}).frame
        except BscError as fault:
            assert "coach" not in str(fault) and "Friday" not in str(fault)
            continue
        n_read += 1
        assert_as_the_file_says(frame, *by_hand(path))
    assert 20 < n_read < CORRUPTIONS - 20, "some damage leaves a sound file, some does not"
