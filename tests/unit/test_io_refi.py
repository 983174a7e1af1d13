"""REFI-QDA projects: codings, the places of passages under different ways of counting, and hostile archives."""

import zipfile

import pytest

from bscstudy.errors import BscError
from bscstudy.io import refi
from bscstudy.io.refi_offsets import Span, resolve_spans

HEAD = '<?xml version="1.0" encoding="utf-8"?>'
USERS = '<Users><User guid="{U1}" name="coder one" id="c1"/></Users>'
CODES = (
    '<CodeBook><Codes><Code guid="K1" name="Barriers" isCodable="false"><Code guid="{K2}" name="No time" isCodable="true"/></Code>'
    '<Code guid="K3" name="Coach" isCodable="true"/></Codes></CodeBook>'
)


def selection(start, end, code="k2", user="u1", name=""):
    coding = f'<Coding guid="x" creatingUser="{user}"><CodeRef targetGUID="{code}"/></Coding>'
    return f'<PlainTextSelection guid="s" name="{name}" startPosition="{start}" endPosition="{end}">{coding}</PlainTextSelection>'


def project(folder, sources, *, texts=None, name="project.qde", head=HEAD, codes=CODES):
    path = folder / "p.qdpx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            name, f'{head}<Project xmlns="urn:QDA-XML:project:1.0" name="p">{USERS}{codes}<Sources>{sources}</Sources></Project>'
        )
        for member, content in (texts or {}).items():
            archive.writestr(member, content)
    return path


def source(content, text="We have no time here.", name="A.docx", guid="D1"):
    return f'<TextSource guid="{guid}" name="{name}"><PlainTextContent>{text}</PlainTextContent>{content}</TextSource>'


def refused(code, path):
    with pytest.raises(BscError) as caught:
        refi.read(path, {})
    assert caught.value.code == code
    return str(caught.value)


def test_codings_with_full_code_paths_and_no_text(tmp_path):
    whole = '<Coding guid="y" creatingUser="u1"><CodeRef targetGUID="K3"/></Coding>'
    path = project(tmp_path, source(selection(8, 15) + selection(8, 15) + whole))
    table = refi.read(path, {})
    assert table.frame.fillna(-1).values.tolist() == [
        ["A", "c1", "Barriers\\No time", 8, 15, "exact"],
        ["A", "c1", "Coach", -1, -1, "document"],
    ]
    assert table.provenance["n_repeated"] == 1


def test_text_files_of_the_archive_with_utf16_offsets(tmp_path):
    text = "\ufeffA \U0001f600 day.\r\nWe have no time here."
    stored = text.lstrip("\ufeff")
    start = len(stored[: stored.index("no time")].encode("utf-16-le")) // 2
    parts = (
        f'<TextSource guid="D1" name="B.txt" plainTextPath="internal://D1.TXT">{selection(start, start + 7)}{selection(0, 1)}</TextSource>'
    )
    table = refi.read(project(tmp_path, parts, texts={"Sources/d1.txt": text.encode("utf-8")}), {})
    plain = stored.replace("\r\n", "\n")
    first = table.frame.iloc[0]
    assert (first["offset_status"], plain[int(first["start"]) : int(first["end"])]) == ("converted", "no time")
    assert table.frame["offset_status"].tolist() == ["converted", "exact"], "before the odd character every way of counting agrees"


def test_a_place_that_cannot_be_told_stays_as_received():
    text = "\U0001f600 aa bb cc dd"
    between_words = [Span(text, 2, 4), Span(text, 5, 7)]
    assert [s for _, _, s in resolve_spans(between_words)] == ["converted"] * 2
    letters = "\U0001f600 a b c d"
    assert resolve_spans([Span(letters, 2, 5), Span(letters, 3, 6)]) == [(2, 5, "ambiguous"), (3, 6, "ambiguous")]
    assert resolve_spans([Span("abc", 1, 9)]) == [(1, 9, "out_of_range")]
    assert resolve_spans([Span(text, 6, 8, name="bbbb"), Span(text, 6, 8, name="bb c")])[0][2] == "ambiguous"


def test_project_of_atlas_ti(reference_folder):
    table = refi.read(reference_folder / "qda" / "atlasti8_testproject.qdpx", {})
    assert table.provenance["n_codings"] == 16 and len(table.frame) == 15
    assert table.provenance["not_imported"]["Set"] == 16
    assert table.frame["offset_status"].value_counts().to_dict() == {"no_text": 9, "not_text": 6}
    assert table.frame.query("document_id == 'Mabel'")["code_path"].tolist() == ["bacon and eggs", "cornflakes", "happiness"]


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("BSC-QUA-002", {"texts": {"../outside.txt": "x"}}),
        ("BSC-QUA-002", {"texts": {"sources/C:bomb.txt": "x"}}),
        ("BSC-QUA-002", {"texts": {"sources/bomb.txt": "0" * 5_000_000}}),
        ("BSC-QUA-003", {"name": "inner/project.qde"}),
        ("BSC-QUA-003", {"texts": {"second.qde": "<Project/>"}}),
        ("BSC-QUA-007", {"head": HEAD + '<!DOCTYPE Project [<!ENTITY a "b">]>'}),
        ("BSC-QUA-004", {"head": HEAD + "<open>"}),
        ("BSC-QUA-005", {"codes": CODES.replace('guid="K3"', 'guid="k2"')}),
        ("BSC-QUA-005", {"codes": CODES.replace("{K2}", "K9")}),
    ],
)
def test_hostile_or_broken_projects_are_refused(tmp_path, code, changes):
    refused(code, project(tmp_path, source(selection(0, 2)), **changes))


def test_other_refusals(tmp_path):
    refused("BSC-QUA-006", project(tmp_path, source("")))
    twins = source(selection(0, 2)) + source(selection(0, 2), guid="D2")
    assert "1, 2" in refused("BSC-QUA-005", project(tmp_path, twins))
    content = project(tmp_path, source(selection(0, 2))).read_bytes()
    for damaged in (content[: len(content) // 2], b"not a zip"):
        (tmp_path / "cut.qdpx").write_bytes(damaged)
        refused("BSC-QUA-001", tmp_path / "cut.qdpx")
    locked = bytearray(content)
    locked[6] |= 1
    locked[content.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "locked.qdpx").write_bytes(bytes(locked))
    assert "password" in refused("BSC-QUA-002", tmp_path / "locked.qdpx")
