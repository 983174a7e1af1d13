"""Eight programs write the same codings in eight ways; all come out as one table, and positions never come out wrong."""

import random

import pytest
from refi_dialects import CODINGS, DIALECTS, TEXTS, VARIABLES, Writer, position, variant

from bscstudy.io import refi
from bscstudy.io.refi_offsets import decide, resolve
from bscstudy.io.refi_positions import CONVENTIONS, Text, weigh

PLACE = ["document_id", "start", "end", "code_path", "coder_id", "part", "unit"]
#: way of counting that each dialect is found to use, where several ways place all passages alike by its simplest name
FOUND = {"NVivo Windows": {"utf16"}, "ATLAS.ti 8": {"characters_lf"}, "ATLAS.ti 26": {"characters_lf"}, "MAXQDA": {"utf16"}}


def expected():
    rows = []
    for document, start, end, code, coder in CODINGS:
        whole = start is None
        rows.append(
            [document, -1 if whole else start, -1 if whole else end, code, coder, *(("", "document") if whole else ("text", "characters"))]
        )
    return sorted(rows)


@pytest.mark.parametrize("name", DIALECTS)
def test_all_dialects_import_to_one_table(tmp_path, name):
    path = Writer(DIALECTS[name]).write(tmp_path / "p.qdpx")
    table = refi.read(path, {})
    assert sorted(table.frame[PLACE].fillna(-1).values.tolist()) == expected()
    known = table.frame[table.frame["unit"] == "characters"]
    assert set(known["offset_status"]) <= {"exact", "converted"}
    assert set(known["quotable"]) == {0, 1} and (known["quotable"] == (known["end"] > known["start"])).all()
    assert set(known["offset_convention"]) - {""} <= FOUND.get(name, {"characters", "utf16"})
    assert table.provenance["n_repeated"] == 0 and table.provenance["not_imported"] == {}
    assert table.provenance["codings_of_cases"] == (2 if name == "NVivo Windows" else 0)


@pytest.mark.parametrize("name", DIALECTS)
def test_variables_reach_the_documents_in_all_dialects(tmp_path, name):
    path = Writer(DIALECTS[name]).write(tmp_path / "p.qdpx")
    options = {"table": "documents", "document_name_pattern": r"(?P<center>\w+)-(?P<role>\w+)" if name == "qc" else None}
    documents = refi.read(path, options).frame.set_index("document_id")
    assert documents[["center", "role"]].T.to_dict() == VARIABLES
    assert documents["n_characters"].to_dict() == {name: len(text) for name, text in TEXTS.items()}
    case = {"case": "case of ", "case_code": "case of ", "nameless": ""}.get(DIALECTS[name].says)
    assert documents["case_id"].to_dict() == {d: "" if case is None else f"{case}{d}" for d in TEXTS}


def test_texts_of_all_dialects_have_one_hash(tmp_path):
    hashes = {
        tuple(refi.read(Writer(d).write(tmp_path / "p.qdpx"), {"table": "documents"}).frame["text_sha256"]) for d in DIALECTS.values()
    }
    assert len(hashes) == 1


@pytest.mark.parametrize("name", ["NVivo Windows", "MAXQDA"])
def test_positions_after_line_ends_that_the_xml_lost(tmp_path, name):
    """A program that counts line ends as two, but writes the text into the XML, where they are read as one."""
    path = Writer(variant(name, inline=True, mark=False)).write(tmp_path / "p.qdpx")
    table = refi.read(path, {})
    assert sorted(table.frame[PLACE].fillna(-1).values.tolist()) == expected()
    assert set(table.frame["offset_convention"]) <= {"", "utf16_crlf"}


def naive_text(rng, n=60):
    words = ["time", "u\u0308ber", "\U0001f600", "we", "cafe\u0301", "a", "\U0001f468\u200d\U0001f469", "Ko\u0308ln", "coach,", "stress."]
    return "".join(rng.choice(words) + rng.choice([" ", " ", " ", "\n", "\n\n"]) for _ in range(n)).strip()


def emitted(text, spans, ends, mark, inline, convention):
    """What a program that counts by a convention hands over: the stored text and positions."""
    counts = convention if ends == "\n" or "_lf" in convention else convention + "_crlf"
    stored = Text(text if inline else text.replace("\n", ends), had_mark=mark, inline=inline)
    return weigh(stored, [tuple(position(text, i, counts) for i in pair) for pair in spans], [""] * len(spans))


WAYS = [(ends, mark, inline) for ends in ("\n", "\r\n") for mark in (False, True) for inline in (False, True) if not (inline and mark)]


def test_every_way_of_counting_is_undone_exactly():
    rng = random.Random("offsets")
    for number in range(150):
        text = naive_text(rng)
        spans = [tuple(sorted(rng.choices(range(len(text) + 1), k=2))) for _ in range(12)]
        ends, mark, inline = rng.choice(WAYS)
        for convention in CONVENTIONS:
            if ("_bom" in convention and not mark) or ("_crlf" in convention and (not inline or ends == "\r\n")):
                continue
            if inline and ends == "\r\n":
                continue
            evidence = emitted(text, spans, ends, mark, inline, convention)
            places, status = resolve(evidence, decide([evidence], forced=[convention])[0])
            assert places.tolist() == [list(pair) for pair in spans], (number, convention)
            assert set(status) <= {"exact", "forced"}


@pytest.mark.parametrize("name", ["project", "document"])
def test_what_is_decided_is_right(name):
    """Passages of whole words: the way is found, or the passages are called ambiguous; a wrong place never passes for a right one."""
    rng = random.Random(f"decided {name}")
    n_decided = 0
    for _ in range(150):
        convention = rng.choice(["characters", "characters_lf", "utf16", "utf16_lf"])
        ends = rng.choice(["\n", "\r\n"])
        mark = rng.random() < 0.5
        texts = [naive_text(rng) for _ in range(3 if name == "project" else 1)]
        size = 3 if name == "project" else 12
        spans = [[words(rng, text) for _ in range(size)] for text in texts]
        evidence = [emitted(t, s, ends, mark, False, convention) for t, s in zip(texts, spans, strict=True)]
        for found, decision, truth in zip(evidence, decide(evidence), spans, strict=True):
            places, status = resolve(found, decision)
            n_decided += decision.basis in ("document", "project")
            for place, how, right in zip(places.tolist(), status, truth, strict=True):
                assert how == "ambiguous" or place == list(right), (decision, how)
    assert n_decided > 0.6 * 150


def words(rng, text):
    """A passage from the start of one word to the end of the same or a later one."""
    starts = [i for i in range(len(text)) if text[i].isalnum() and (i == 0 or text[i - 1].isspace())]
    start = rng.choice(starts)
    ends = [i for i in range(start + 1, len(text) + 1) if i == len(text) or (text[i].isspace() and not text[i - 1].isspace())]
    return start, rng.choice(ends[:4])
