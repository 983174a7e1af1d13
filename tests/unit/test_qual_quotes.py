"""A quote is shown only where it is approved, its place is certain, and nothing denied is left; messages hold no word of it."""

import pandas as pd
import pytest

from bscstudy.errors import BscError
from bscstudy.io.refi_texts import project_texts
from bscstudy.qual.quote_references import quote_references
from bscstudy.qual.quotes import Passage, listed_quotes, passage_digest, shown_only, text_column
from bscstudy.qual.quotes_review import lower_case_words, review_table
from bscstudy.qual.scrub import Denied, DenyList
from bscstudy.settled import settle_table
from bscstudy.simulate.interviews import Passage as Coded
from bscstudy.simulate.interviews import Transcript
from bscstudy.simulate.project_file import write_project
from bscstudy.steps import scrub_quotes
from bscstudy.tables import read_table
from bscstudy.workflow import Job

SAID = "Quintanilla said Zoe never came. Everybody left by June 2nd, 2024."
DENY = DenyList([Denied("Quintanilla", "name", "name"), Denied("Zoë", "name", "name")])
CODINGS = pd.DataFrame(
    {
        "coding_id": ["main:1", "main:2", "main:3", "main:4"],
        "document_id": ["D1", "G1", "D1", "D1"],
        "code_path": ["A", "A", "B", "C"],
        "theme": ["time", "time", "team", None],
        "direction": ["barrier", "barrier", "neutral", None],
        "start": [0, 0, 3, 0],
        "end": [len(SAID), len(SAID), 9, 5],
    }
)
DOCUMENTS = pd.DataFrame(
    {"document_id": ["D1", "G1"], "wave": "T2", "person_id": ["p1", None], "center_id": "c1", "collaborative": "x", "role": "director"}
)
PASSAGES = {
    f"main:{n}": Passage(SAID, start, end, True) for n, start, end in zip(range(1, 5), CODINGS["start"], CODINGS["end"], strict=True)
}


def row(coding="main:1", approved="yes", **changed):
    base = {"coding_id": coding, "document_id": "", "code_path": "", "start": None, "end": None, "approved_quote": approved}
    base |= {"reviewer": "RV", "date": "2025-01-02", "digest": "", "attribution": "", "group_consent": ""} | changed
    document = {"main:2": "G1"}.get(coding, "D1")
    passage = PASSAGES.get(coding, PASSAGES["main:1"])
    start, end = (base[k] if base[k] is not None else getattr(passage, k) for k in ("start", "end"))
    return base | {"digest": changed.get("digest", passage_digest(document, SAID[start:end]))}


def listed(*rows, passages=PASSAGES):
    return listed_quotes(list(rows), CODINGS, DOCUMENTS, passages, DENY)


def test_an_approved_quote_is_scrubbed_and_shown():
    (quote,) = shown_only(listed(row())).to_dict("records")
    assert quote["text"] == "[name] said [name] never came. Everybody left by [date]." and quote["n_replaced"] == 3
    assert quote["quote"] == 2 and quote["shown"] == 1 and quote["attribution"] == "neither"


@pytest.mark.parametrize(
    "quote, passages, why",
    [
        (row(approved="no"), PASSAGES, "not_approved"),
        (row(approved=""), PASSAGES, "not_approved"),
        (row(), {**PASSAGES, "main:1": Passage(SAID, 0, len(SAID), False)}, "place_not_certain"),
        (row(), {**PASSAGES, "main:1": Passage(None, 0, 9, True)}, "no_text"),
        (row(), {}, "no_text"),
        (row("main:2"), PASSAGES, "no_group_consent"),
        (row("main:2", group_consent="no"), PASSAGES, "no_group_consent"),
        (row("main:4"), PASSAGES, "no_theme"),
    ],
)
def test_what_keeps_a_quote_out_leaves_no_text(quote, passages, why):
    table = shown_only(listed(quote, passages=passages))
    assert table.loc[0, "why"] == why and table.loc[0, "shown"] == 0 and table["text"].isna().all()


def test_a_group_that_consented_is_quoted_and_a_place_names_a_coding():
    by_place = row("main:2", coding_id="", document_id="G1", code_path="A", start=0, end=len(SAID), group_consent="yes")
    assert listed(by_place).loc[0, ["coding_id", "shown"]].tolist() == ["main:2", 1]


def test_a_row_may_shorten_its_passage():
    assert listed(row(start=33, end=48)).loc[0, "text"] == "Everybody left "[:-1]


@pytest.mark.parametrize(
    "quote, code",
    [
        (row("main:9"), "BSC-QUA-080"),
        (row(coding_id="", document_id="D1", code_path="A", start=1, end=9), "BSC-QUA-080"),
        (row(reviewer=""), "BSC-QUA-081"),
        (row(date="2025-02-30"), "BSC-QUA-081"),
        (row(digest=""), "BSC-QUA-081"),
        (row(digest="0" * 16), "BSC-QUA-082"),
        (row("main:3", start=0, end=9), "BSC-QUA-083"),
    ],
)
def test_refusals_name_rows_and_no_word(quote, code):
    with pytest.raises(BscError) as error:
        listed(row(), quote)
    said = str(error.value)
    assert error.value.code == code and "row 3" in said and not {"Quintanilla", "Zoe", "Everybody", "[name]"} & set(said.split())


def test_residue_stops_the_run_without_a_word_of_it():
    text = "ZoeQuintanillasson came"
    passages = {**PASSAGES, "main:1": Passage(text, 0, len(text), True)}
    with pytest.raises(BscError) as error:
        listed(row(digest=passage_digest("D1", text)), passages=passages)
    assert error.value.code == "BSC-QUA-084" and "uintanilla" not in str(error.value)


def test_the_digest_follows_words_document_and_key():
    assert passage_digest("D1", "a  b") == passage_digest("D1", "a\u200b b") != passage_digest("D1", "a c")
    assert len({passage_digest("D1", "a b"), passage_digest("D2", "a b"), passage_digest("D1", "a b", b"key")}) == 3


def test_words_that_look_like_names_are_listed_for_review():
    shown = {3: "Everybody knew [name K3QP7M2A]. Grace Otto told ABC, and I\u2019m sure. Winter came. \u201cMilo is here"}
    table = review_table(shown, lower_case_words(["everybody in winter", "grace"]))
    assert table["word"].tolist() == ["Otto", "ABC", "Milo"] and table["first_in_sentence"].tolist() == [0, 0, 1]
    assert review_table({2: "all is well"}, set()).empty


def test_a_column_of_texts_must_exist():
    with pytest.raises(BscError) as error:
        text_column(pd.DataFrame({"a": ["Zoe"]}), "b")
    assert error.value.code == "BSC-CFG-298" and "Zoe" not in str(error.value)


@pytest.mark.parametrize(
    "changed, said",
    [
        ({"quotes": {"source": "other", "deny_list": "d.csv"}}, "other"),
        ({"quotes": {"source": "table", "deny_list": "d.csv"}}, "`text` must name"),
        ({"quotes": {"source": "main", "deny_list": "d.csv", "text": "Excerpt"}}, "`text` is not for a project"),
        ({"quotes": {"source": "export", "deny_list": "d.csv", "text": "Excerpt"}}, "code_table"),
        ({}, "has no `quotes`"),
    ],
)
def test_what_quotes_refer_to_must_go_together(changed, said):
    sources = {"main": {"reader": "refi"}, "table": {"reader": "csv"}, "export": {"reader": "code_table"}}
    qual = {"codings": [{"source": name} for name in sources], **changed}
    study = {"qual": qual, "sources": sources, "quotes": [row()], "exhibits": [{"exhibit": "T1", "kind": "quotes"}]}
    assert any(said in finding for finding in quote_references(study))
    assert not quote_references({**study, "qual": {**qual, "quotes": {"source": "main", "deny_list": "d.csv"}}})


@pytest.fixture
def job(tmp_path, monkeypatch):
    """A study's folder with one simulated transcript, in which an emoji moves every place behind it."""
    monkeypatch.chdir(tmp_path)
    text = f"\U0001f600 Opening words.\r\n\r\n{SAID}\r\n"
    stretches = (SAID, "Quintanilla said", "never came", "Everybody left", "by June 2nd")
    places = [(text.index(words), text.index(words) + len(words)) for words in stretches]
    passages = tuple(Coded("Barriers\\Stress and pace", start, end) for start, end in places)
    transcript = Transcript("D1", "c1", "T2", "interview", "director", "p1", text, {}, passages)
    write_project([transcript], tmp_path / "main.qdpx")
    (tmp_path / "deny.csv").write_text("term,kind,same_as\nQuintanilla,name,\nZoë,name,\n", encoding="utf-8")
    shown = project_texts(tmp_path / "main.qdpx", {})["D1"]
    at = shown.index("Quintanilla")
    codings = CODINGS.iloc[:1].assign(coder_id="coder_1", start=at, end=at + len(SAID))
    frames = {"codings": codings, "documents": DOCUMENTS.iloc[:1], "people": pd.DataFrame({"person_id": ["p1"], "wave": ["T2"]})}
    frames["centers"] = pd.DataFrame({"center_id": ["c1"], "collaborative": ["x"]})
    inputs = {name: settle_table(frame, tmp_path / f"{name}.csv", key=[], columns=[], description="")[0] for name, frame in frames.items()}
    config = {
        "study": {"synthetic": True},
        "sources": {"main": {"id": "main", "reader": "refi", "file": "main.qdpx"}},
        "qual": {"quotes": {"source": "main", "deny_list": "deny.csv"}},
        "quotes": [row(), row(approved="no")],
    }
    outputs = {"quotes": tmp_path / "out" / "quotes.csv", "review": tmp_path / "out" / "quotes_review.csv"}
    return Job(inputs, outputs, config, {}, 1)


def test_the_step_cuts_the_passage_and_no_denied_word_is_written(job, capfd):
    scrub_quotes.run(job)
    table = read_table(job.outputs["quotes"])
    assert table["text"].tolist()[0] == "[name] said [name] never came. Everybody left by [date]." and table["shown"].tolist() == [1, 0]
    assert table["text"].isna().tolist() == [False, True]
    written = "".join(path.read_text(encoding="utf-8") for path in job.outputs["quotes"].parent.iterdir())
    assert "Quintanilla" not in written and "Zoe" not in written and "Opening" not in written
    assert "Everybody" not in "".join(capfd.readouterr())
    assert "Everybody" in read_table(job.outputs["review"])["word"].tolist()


def test_the_steps_errors_hold_no_text(job):
    job.config["quotes"][0]["digest"] = "0" * 16
    with pytest.raises(BscError) as error:
        scrub_quotes.run(job)
    assert error.value.code == "BSC-QUA-082" and not job.outputs["quotes"].exists()
    assert not any(word in str(error.value) for word in SAID.split())


@pytest.mark.parametrize(
    "changed, passage",
    [
        ({}, Passage(SAID, 0, 11, True)),
        ({"quotable": 0, "offset_status": "ambiguous"}, Passage(SAID, 0, 0, False)),
        ({"quotable": 1, "offset_status": "as_received"}, Passage(SAID, 0, 0, False)),
        ({"part": "transcript"}, Passage(None, 0, 0, False)),
        ({"document_id": "D9"}, Passage(None, 0, 0, False)),
    ],
)
def test_only_certain_places_of_a_document_s_own_text_are_cut(changed, passage):
    coding = {"document_id": "D1", "part": "text", "quotable": 1, "offset_status": "exact", "start": 0.0, "end": 11.0, **changed}
    assert scrub_quotes.passage_of(coding, {"D1": SAID}) == passage
