"""REFI-QDA projects and codebooks: codings and their companions, and the places of passages under different ways of counting."""

import re
import zipfile

import jsonschema
import pytest
import yaml

from bscstudy.errors import BscError
from bscstudy.io import refi
from bscstudy.io.coding_table import FIRST_COLUMNS, TABLES
from bscstudy.io.guess_reader import guess_reader
from bscstudy.io.refi_offsets import decide, resolve
from bscstudy.io.refi_positions import CONVENTIONS, Text, weigh
from bscstudy.workflow import PACKAGE

HEAD = '<?xml version="1.0" encoding="utf-8"?>'
USERS = '<Users><User guid="{U1}" name="coder one" id="c1"/></Users>'
CODES = (
    '<CodeBook><Codes><Code guid="K1" name="Barriers" isCodable="false"><Code guid="{K2}" name="No time" isCodable="true"/></Code>'
    '<Code guid="K3" name="Coach" isCodable="true"/></Codes></CodeBook>'
)


def selection(start, end, code="k2", user="u1", name=""):
    coding = f'<Coding guid="x" creatingUser="{user}"><CodeRef targetGUID="{code}"/></Coding>'
    return f'<PlainTextSelection guid="s" name="{name}" startPosition="{start}" endPosition="{end}">{coding}</PlainTextSelection>'


def project(folder, sources, *, texts=None, name="project.qde", head=HEAD, codes=CODES, users=USERS, before="", after=""):
    path = folder / "p.qdpx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        inner = f"{users}{codes}{before}<Sources>{sources}</Sources>{after}"
        archive.writestr(name, f'{head}<Project xmlns="urn:QDA-XML:project:1.0" name="p">{inner}</Project>')
        for member, content in (texts or {}).items():
            archive.writestr(member, content)
    return path


def source(content, text="We have no time here.", name="A.docx", guid="D1"):
    return f'<TextSource guid="{guid}" name="{name}"><PlainTextContent>{text}</PlainTextContent>{content}</TextSource>'


def refused(code, path, options=None):
    with pytest.raises(BscError) as caught:
        refi.read(path, options or {})
    assert caught.value.code == code
    return str(caught.value)


def test_codings_with_full_code_paths_and_no_text(tmp_path):
    whole = '<Coding guid="y" creatingUser="u1"><CodeRef targetGUID="K3"/></Coding>'
    path = project(tmp_path, source(selection(8, 15) + selection(8, 15) + whole))
    table = refi.read(path, {})
    assert table.frame[FIRST_COLUMNS].fillna(-1).values.tolist() == [
        ["A", "c1", "Barriers\\No time", 8, 15, "exact"],
        ["A", "c1", "Coach", -1, -1, "document"],
    ]
    assert table.provenance["n_repeated"] == 1


def test_text_files_of_the_archive_with_utf16_offsets(tmp_path):
    text = "\ufeffA \U0001f600 day.\r\nWe have no time here."
    stored = text.lstrip("\ufeff")
    spans = []
    for words in ("no time", "We have", "here", "A"):
        start = len(stored[: stored.index(words)].encode("utf-16-le")) // 2
        spans.append(selection(start, start + len(words)))
    parts = f'<TextSource guid="D1" name="B.txt" plainTextPath="internal://D1.TXT">{"".join(spans)}</TextSource>'
    table = refi.read(project(tmp_path, parts, texts={"Sources/d1.txt": text.encode("utf-8")}), {})
    plain = stored.replace("\r\n", "\n")
    first = table.frame.iloc[0]
    assert (first["offset_status"], plain[int(first["start"]) : int(first["end"])]) == ("converted", "no time")
    assert table.frame["offset_status"].tolist() == ["converted"] * 3 + ["exact"], "before the odd character every way of counting agrees"


def decided(text, positions, names=(), **how):
    found = weigh(Text(text), positions, list(names) or [""] * len(positions))
    places, status = resolve(found, decide([found], **how)[0])
    return [(*place, said) for place, said in zip(places.tolist(), status, strict=True)]


def test_a_place_that_cannot_be_told_stays_as_received():
    words, letters = "\U0001f600 aa bb cc dd", "\U0001f600 a b c d"
    assert decided(words, [(2, 4), (5, 7), (8, 10)]) == [(2, 4, "converted"), (5, 7, "converted"), (8, 10, "converted")]
    assert decided(words, [(2, 4), (5, 7)]) == [(2, 4, "ambiguous"), (5, 7, "ambiguous")], "two passages decide nothing"
    spaces = [(2, 5), (3, 6), (3, 6)]
    assert decided(letters, spaces) == [(*pair, "ambiguous") for pair in spaces]
    assert decided(letters, spaces, forced=["utf16"])[0] == (1, 4, "forced")
    assert decided("abc", [(1, 9), (2, 1), (-1, 2)]) == [(1, 9, "out_of_range"), (2, 1, "out_of_range"), (-1, 2, "out_of_range")]


def test_a_known_program_needs_half_the_lead():
    """Half the passages of a text say nothing; what is known of NVivo for Windows then decides."""
    text = "\U0001f600 a b c d e f g h aa bb"
    spans = [(n, n + 2) for n in range(3, 16)] + [(19, 21), (22, 24)]
    assert {said for *_, said in decided(text, spans)} == {"ambiguous"}
    assert {said for *_, said in decided(text, spans, origin="NVivo for Windows 14")} == {"converted"}


def test_a_place_inside_a_line_end_is_no_place():
    assert decided("ab\r\ncd", [(0, 3), (0, 4)], forced=["characters"]) == [(0, 3, "out_of_range"), (0, 3, "forced")]
    assert decided("ab\r\ncd", [(0, 3), (3, 5)], forced=["characters_lf"]) == [(0, 3, "forced"), (3, 5, "forced")]


def test_the_byte_order_mark_is_thought_not_to_count_unless_passages_say_so():
    text = Text("a \U0001f600 aa bb cc dd ee", had_mark=True)
    words = [(0, 1), *((n, n + 2) for n in range(5, 20, 3))]
    found = weigh(text, words, [""] * 6)
    assert found.scores["characters_bom"] == 5, "a passage that would be empty speaks against it"
    assert decide([found])[0].convention == "utf16"
    one = weigh(Text("aa bb", had_mark=True), [(0, 2)], [""])
    assert resolve(one, decide([one])[0])[1].tolist() == ["exact"]
    shifted = weigh(Text("aa bb cc dd ee ff", had_mark=True), [(n + 1, n + 3) for n in range(0, 18, 3)], [""] * 6)
    assert resolve(shifted, decide([shifted])[0])[0].tolist() == [[n, n + 2] for n in range(0, 18, 3)]


def test_a_document_follows_the_others_unless_its_passages_speak_against_it():
    text = "\U0001f600 aa bb cc dd ee ff"
    words = [(n, n + 2) for n in range(2, 20, 3)]
    clear, few = weigh(Text(text), words, [""] * 6), weigh(Text(text), words[:1], [""])
    against = weigh(Text(text), [(n + 1, e + 1) for n, e in words[:2]], ["", ""])
    assert [(d.convention, d.basis) for d in decide([clear, few, against])] == [
        ("characters", "document"),
        ("characters", "project"),
        ("", ""),
    ]


def test_notices_say_what_is_not_read_and_what_cannot_be_placed(tmp_path):
    graph = '<Graphs><Graph guid="g"><Vertex guid="v" firstX="1" firstY="2"/></Graph><Secret name="x"/></Graphs>'
    odd = source(selection(2, 5) + selection(3, 6, user="nobody"), text="\U0001f600 a b c d")
    far = '<TextSource guid="D2" name="B" plainTextPath="absolute:///etc/hostname">' + selection(0, 4) + "</TextSource>"
    path = project(tmp_path, odd + far, after=graph + "<Links><Link guid='l' name='n' originGUID='K3' targetGUID='D1'/></Links>")
    table = refi.read(path, {})
    said = " | ".join(notice.message for notice in table.notices)
    assert "1 Graph, 1 Vertex, 1 element unknown to the standard" in said and "Secret" not in said
    assert "documents number 1" in said and "outside the archive" in said and "links (1)" in said
    assert table.frame["offset_status"].tolist() == ["ambiguous", "ambiguous", "no_text"] and not table.frame["quotable"].any()
    assert table.provenance["not_imported"] == {"Graph": 1, "Vertex": 1, "element unknown to the standard": 1}
    assert table.provenance["offsets"]["undecided"] == {"n_texts": 1, "n_passages_scored": 2, "least_lead": 0.0, "least_score": 1.0}
    forced = refi.read(path, {"offsets": {"A": "utf16"}}).frame
    assert forced["offset_status"].tolist()[:2] == ["forced", "forced"] and forced["start"].tolist()[:2] == [1, 2]
    assert refi.read(path, {"offsets": {"A": "utf16"}, "table": "documents"}).frame["offset_basis"].tolist() == ["config", ""]


@pytest.mark.parametrize(
    ("code", "options"),
    [
        ("BSC-QUA-008", {"table": "sets"}),
        ("BSC-QUA-008", {"table": "graphs"}),
        ("BSC-QUA-009", {"offsets": {"Z": "utf16"}}),
        ("BSC-QUA-009", {"offsets": "bytes"}),
        ("BSC-QUA-011", {"document_name_pattern": "(A"}),
        ("BSC-QUA-011", {"document_name_pattern": "A"}),
    ],
)
def test_options_that_cannot_be_used(tmp_path, code, options):
    refused(code, project(tmp_path, source(selection(0, 2))), options)


def test_media_passages_with_pages_corners_and_times(tmp_path):
    coding = '<Coding guid="c" creatingUser="u1"><CodeRef targetGUID="k2"/></Coding>'
    area = 'firstX="1" firstY="2" secondX="3" secondY="4"'
    pdf = f'<PDFSource guid="P" name="p.pdf"><PDFSelection guid="a" page="7" {area}>{coding}</PDFSelection><Representation guid="r">'
    pdf += f"<PlainTextContent>We wait long.</PlainTextContent>{selection(3, 7)}</Representation></PDFSource>"
    picture = f'<PictureSource guid="I" name="i.png"><PictureSelection guid="b" {area}>{coding}</PictureSelection></PictureSource>'
    points = "".join(f'<SyncPoint guid="s{n}" timeStamp="{n}000" position="{n}"/>' for n in (3, 7))
    spoken = f'<TranscriptSelection guid="t" fromSyncPoint="S3" toSyncPoint="s7">{coding}</TranscriptSelection>'
    film = f'<VideoSource guid="V" name="v.mp4"><Transcript guid="q"><PlainTextContent>We wait long.</PlainTextContent>{points}{spoken}'
    film += f'</Transcript><VideoSelection guid="w" begin="10" end="20">{coding}</VideoSelection></VideoSource>'
    frame = refi.read(project(tmp_path, pdf + picture + film), {}).frame
    columns = ["document_id", "unit", "part", "start", "end", "page", "first_x", "second_y", "begin_ms", "end_ms", "quotable"]
    assert frame[columns].fillna(-1).values.tolist() == [
        ["p", "page_area", "", -1, -1, 7, 1, 4, -1, -1, 0],
        ["p", "characters", "representation", 3, 7, -1, -1, -1, -1, -1, 1],
        ["i.png", "picture_area", "", -1, -1, -1, 1, 4, -1, -1, 0],
        ["v.mp4", "characters", "transcript", 3, 7, -1, -1, -1, 3000, 7000, 1],
        ["v.mp4", "milliseconds", "", -1, -1, -1, -1, -1, 10, 20, 0],
    ]


CASES = """<Variables><Variable guid="v1" name="role" typeOfVariable="Text"/>
<Variable guid="v2" name="years" typeOfVariable="Integer"/></Variables>
<Cases><Case guid="c1" name="Ana"><VariableValue><VariableRef targetGUID="v1"/><TextValue>director</TextValue></VariableValue>
<SourceRef targetGUID="D1"/></Case><Case guid="c2" name="Bo"><VariableValue><VariableRef targetGUID="v1"/></VariableValue>
<VariableValue><VariableRef targetGUID="v2"/><IntegerValue>4</IntegerValue></VariableValue><SelectionRef targetGUID="S2"/></Case>
<Case guid="c3"><VariableValue><VariableRef targetGUID="v1"/><TextValue>cook</TextValue></VariableValue>
<SourceRef targetGUID="D2"/></Case></Cases>"""
SETS = """<Sets><Set guid="s1" name="role: teacher"><MemberSource targetGUID="D1"/></Set>
<Set guid="s2" name="site: A"><MemberSource targetGUID="D1"/></Set><Set guid="s3" name="site: B"><MemberSource targetGUID="D1"/></Set>
<Set guid="s4" name="main"><MemberCode targetGUID="K3"/><MemberNote targetGUID="n1"/></Set></Sets>"""
NOTES = """<Notes><Note guid="n1" name="n" creatingUser="u1"><PlainTextContent>my memo</PlainTextContent></Note></Notes>
<Links><Link guid="l1" name="explains" direction="OneWay" originGUID="n1" targetGUID="S2"/></Links>"""


def test_cases_variables_sets_notes_and_links(tmp_path):
    marked = selection(8, 15).replace('guid="s"', 'guid="s2"').replace('guid="x"', 'guid="y"')
    note = '<Description>about it</Description><NoteRef targetGUID="n1"/>'
    path = project(tmp_path, source(note + marked) + source("", name="B.txt", guid="D2"), before=CASES, after=SETS + NOTES)
    documents = refi.read(path, {"table": "documents", "document_name_pattern": "(?P<role>.)(?P<wave>)"}).frame
    assert documents[["document_id", "case_id", "role", "site"]].values.tolist() == [["A", "Ana", "director", ""], ["B", "B", "cook", ""]]
    said = " ".join(notice.message for notice in refi.read(path, {}).notices)
    assert "different values of one variable" in said and "a set or name gives another value" in said
    variables = refi.read(path, {"table": "variables"}).frame
    assert variables[variables["said_by"] == "case"].values.tolist() == [
        ["Ana", "A", "role", "Text", "director", "case"],
        ["Bo", "", "role", "Text", "", "case"],
        ["Bo", "", "years", "Integer", "4", "case"],
        ["B", "B", "role", "Text", "cook", "case"],
    ]
    cases = refi.read(path, {"table": "cases"}).frame
    assert cases.astype(object).fillna("").values.tolist() == [
        ["Ana", "A", "", "", "", "source"],
        ["Bo", "A", "text", 8, 15, "selection"],
        ["B", "B", "", "", "", "source"],
    ]
    assert refi.read(path, {"table": "sets"}).frame.values.tolist()[-2:] == [["main", "code", "Coach"], ["main", "note", "1"]]
    notes = refi.read(path, {"table": "notes"}).frame[["note", "kind", "about", "document_id", "start", "coder_id", "text"]]
    assert notes.astype(object).fillna("").values.tolist() == [
        [1, "note", "document", "A", "", "c1", "my memo"],
        [1, "note", "passage", "A", 8, "c1", "my memo"],
        [2, "description", "document", "A", "", "", "about it"],
    ]
    link = refi.read(path, {"table": "links"}).frame.iloc[0]
    assert link.tolist()[2:8] == ["note", "1", None, None, "passage", "A"] and link["target_start"] == 8


def test_the_coder_is_whom_the_coding_names(tmp_path):
    users = USERS.replace("</Users>", '<User guid="u2" id="c1"/><User guid="u3" name="third"/></Users>')
    spoken = "".join(selection(8, 15, user=user).replace('guid="s"', 'guid="s" creatingUser="u1"') for user in ("u1", "u2", "u3"))
    anonymous = selection(0, 2).replace(' creatingUser="u1"', "")
    table = refi.read(project(tmp_path, source(spoken + anonymous), users=users), {})
    assert table.frame["coder_id"].tolist() == ["coder one", "u2", "third", ""], "two users of one id are told apart; nobody is guessed"
    assert any("who gave the code" in notice.message for notice in table.notices)


def test_codes_that_share_a_path_are_said_to_count_as_one(tmp_path):
    codes = CODES.replace('name="Coach"', 'name="Barriers"')
    table = refi.read(project(tmp_path, source(selection(0, 2)), codes=codes), {})
    assert any("share their name" in notice.message and notice.n == 1 for notice in table.notices)


@pytest.mark.parametrize(
    "head",
    ['xmlns="urn:QDA-XML:codebook:1.0"', 'xmlns="urn:QDA-XML:codebook:1:0"', 'xmlns="urn:QDA-XML:project:1.0"', 'origin="ATLAS.ti 9"', ""],
)
def test_codebooks_of_every_namespace(tmp_path, head):
    flat = CODES.removeprefix("<CodeBook>").removesuffix("</CodeBook>").replace('name="Coach"', 'name="Help::Coach"')
    sets = '<Sets><Set guid="s" name="mine"><MemberCode guid="K3"/></Set></Sets>'
    path = tmp_path / "codes.qdc"
    path.write_text(f"{HEAD}<CodeBook {head}>{flat}{sets}</CodeBook>", encoding="utf-8")
    last = "Help\\Coach" if "ATLAS" in head else "Help::Coach"
    table = refi.read(path, {})
    assert table.frame["code_path"].tolist() == ["Barriers", "Barriers\\No time", last]
    assert table.frame["is_codable"].tolist() == [0, 1, 1] and table.frame["parent_path"].tolist()[1] == "Barriers"
    assert refi.read(path, {"table": "sets"}).frame.values.tolist() == [["mine", "code", last]]
    assert guess_reader(path, {}) == "refi"
    refused("BSC-QUA-006", path, {"table": "codings"})


def test_project_of_atlas_ti(reference_folder):
    path = reference_folder / "qda" / "atlasti8_testproject.qdpx"
    project = refi.read_project(path, {})
    assert {name: len(getattr(project, name)) for name in TABLES} == {
        **{"codings": 16, "documents": 12, "codes": 14, "cases": 0, "variables": 6, "sets": 42, "notes": 4, "links": 1}
    }
    assert project.not_imported == {"Edge": 2, "Graph": 1, "Vertex": 3}
    table = refi.read(path, {})
    assert table.frame["offset_status"].value_counts().to_dict() == {"no_text": 9, "not_text": 7}
    assert table.frame["unit"].value_counts().to_dict() == {"characters": 9, "page_area": 4, "picture_area": 2, "milliseconds": 1}
    assert table.frame.query("document_id == 'Mabel'")["code_path"].tolist() == ["bacon and eggs", "cornflakes", "happiness"]
    assert "Coke\\diet Coke" in set(project.codes["code_path"])
    documents = project.documents.set_index("document_id")
    assert documents.loc[["Simon", "Mabel"], ["gender", "age"]].values.tolist() == [["male", "67"], ["female", "25"]]


def test_projects_that_cannot_be_counted(tmp_path):
    refused("BSC-QUA-006", project(tmp_path, source("")))
    twins = source(selection(0, 2)) + source(selection(0, 2), guid="D2")
    assert "1, 2" in refused("BSC-QUA-005", project(tmp_path, twins))
    for codes in (CODES.replace('guid="K3"', 'guid="k2"'), CODES.replace("{K2}", "K9")):
        refused("BSC-QUA-005", project(tmp_path, source(selection(0, 2)), codes=codes))


PAGE = PACKAGE.parents[1] / "docs" / "coded-interviews.md"
SCHEMA = yaml.safe_load((PACKAGE / "schemas" / "sources.schema.yaml").read_text(encoding="utf-8"))


def faults_of(sources):
    return list(jsonschema.Draft202012Validator(SCHEMA).iter_errors(sources))


@pytest.mark.parametrize("example", re.findall(r"```yaml\n(.+?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL))
def test_examples_of_the_page_are_valid(example):
    assert not faults_of(yaml.safe_load(example))


@pytest.mark.parametrize("options", [{"offsets": "bytes"}, {"offsets": {}}, {"table": "graphs"}, {"document_id_from": "guid"}])
def test_options_that_no_project_has_are_refused(options):
    assert faults_of({"a": {"instrument": "coding", "reader": "refi", "file": "data/raw/p.qdpx", "options": options}})
    assert faults_of({"a": {"instrument": "coding", "reader": "csv", "file": "data/raw/p.csv", "options": {"table": "codes"}}})


def test_the_schema_and_the_reader_know_the_same_tables_and_ways():
    options = SCHEMA["additionalProperties"]["properties"]["options"]["properties"]
    assert options["table"]["enum"] == list(TABLES)
    assert SCHEMA["$defs"]["offsets"]["enum"] == list(CONVENTIONS)
