"""One coded content, written as the programs for coding text export it; made up, after exports and sources of the programs."""

import csv
import io
import sqlite3

import openpyxl

#: document, coder, code with its parents, first and last paragraph, weight
CODINGS = [
    ("A01-T2", "ann", ("Barriers", "No time"), 3, 3, 2),
    ("A01-T2", "ann", ("Coach",), 3, 4, None),
    ("A01-T2", "ben", ("Barriers", "No time"), 3, 3, 5),
    ("B02-T2", "ann", ("Barriers", "Staff, turnover"), 7, 7, None),
]
CODES = [("Barriers",), ("Barriers", "No time"), ("Barriers", "Staff, turnover"), ("Coach",)]


def as_csv(rows, delimiter=",", encoding="utf-8"):
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    return buffer.getvalue().encode(encoding)


def as_workbook(rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def dedoose():
    head = ["Media Title", "Excerpt Range", "Excerpt Creator", "Excerpt Date", "Excerpt Copy", "Resource Creator", "Codes Applied Combined"]
    names = ["\\".join(code) for code in CODES]
    head += [f"Code: {name} {what}" for name in names for what in ("Applied", "Range", "Weight")]
    excerpts = {}
    for document, coder, code, first, last, weight in CODINGS:
        excerpts.setdefault((document, coder, f"{first * 10}-{last * 10 + 9}"), {})["\\".join(code)] = weight
    rows = [head]
    for (document, coder, place), codes in excerpts.items():
        combined = ", ".join(name.rpartition("\\")[2] for name in names if name in codes)
        cells = [cell for name in names for cell in ([True, "1-5", codes[name]] if name in codes else [False, None, None])]
        rows.append([f"{document}", place, coder, "3/25/2025", "What was said", "ann", combined, *cells])
    return rows


MAXQDA = {
    "en": "Color;Comment;Document group;Document name;Code;Beginning;End;Weight score;Segment;Modified by;Created by;Created;Area",
    "de": "Farbe;Kommentar;Dokumentgruppe;Dokumentname;Code;Anfang;Ende;Gewicht;Segment;Bearbeitet von;Erstellt von;Erstellt am;Fläche",
    "pl": "Color;Komentarz;Grupa dokumentów;Nazwa dokumentu;Kod;Początek;Koniec;Waga;Fragment;Objętość;Autor;Data utworzenia;Obszar %",
}


def maxqda(language="en"):
    rows = [MAXQDA[language].split(";")]
    for document, coder, code, first, last, weight in CODINGS:
        rows.append(
            ["●", "", "Interviews", document, " > ".join(code), first, last, weight or 0, "What was said", 9, coder, "25.03.2025", 9]
        )
    if language != "pl":
        rows = [rows[0], *[[*row[:9], "zoe", *row[10:]] for row in rows[1:]]]
    return rows


ATLAS = {
    "en": "ID;Reference;Quotation Name;Quotation Content;Document;Codes;Number of Codes;Comment;Start Position;End Position;Created by",
    "pt": "Number;Reference;Name;Text Content;Document;Codes;Number of Codes;Comment;Initial Position;Final Position;Criado por",
    "de": "Nummer;Referenz;Zitatname;Textinhalt;Dokument;Kodes;Anzahl der Kodes;Kommentar;Anfangsposition;Endposition;Erstellt von",
}


def atlasti(language="en", codes_of=", ".join):
    quotations = {}
    for document, coder, code, first, last, _ in CODINGS:
        quotations.setdefault((document, coder, first, last), []).append(": ".join(code))
    rows = [ATLAS[language].split(";")]
    for n, ((document, coder, first, last), codes) in enumerate(quotations.items(), start=1):
        rows.append([f"1:{n}", f"¶ {first}", "", 'Said "so"; then', document, codes_of(codes), len(codes), "", first, last, coder])
    return rows


def atlasti_codebook():
    return [["Code", "Comment", "Code Group 1"], *[[": ".join(code), "", "Themes"] for code in CODES]]


def taguette():
    rows = [["id", "document", "tag", "content"]]
    return rows + [[n, document, "\\".join(code), "What was said"] for n, (document, _, code, *_) in enumerate(CODINGS, start=1)]


def nvivo_matrix():
    documents = sorted({document for document, *_ in CODINGS})
    times = [[sum(d == document and c == code for d, _, c, *_ in CODINGS) for code in CODES] for document in documents]
    head = ["", *[f"{letter} : Codes\\\\{chr(92).join(code)}" for letter, code in zip("ABCD", CODES, strict=True)]]
    return [head, *[[f"{n} : {document}", *row] for n, (document, row) in enumerate(zip(documents, times, strict=True), start=1)]]


#: long enough for the paragraphs of `CODINGS` to stand at ten characters each, with an emoji and an accent in two characters
TEXTS = {"A01-T2": "\U0001f600 day one\ncafe\u0301\r\n" + "We have no time here. " * 5, "B02-T2": "Three of us left in one year. " * 5}
_SCHEMA = """
CREATE TABLE project (databaseversion text, date text, memo text, about text);
CREATE TABLE source (id integer primary key, name text, fulltext text, mediapath text, memo text, owner text, date text, unique(name));
CREATE TABLE code_image (imid integer primary key, id integer, x1 integer, y1 integer, width integer, height integer, cid integer,
  memo text, date text, owner text, important integer, pdf_page integer);
CREATE TABLE code_av (avid integer primary key, id integer, pos0 integer, pos1 integer, cid integer, memo text, date text, owner text);
CREATE TABLE annotation (anid integer primary key, fid integer, pos0 integer, pos1 integer, memo text, owner text, date text);
CREATE TABLE attribute_type (name text primary key, date text, owner text, memo text, caseOrFile text, valuetype text);
CREATE TABLE attribute (attrid integer primary key, name text, attr_type text, value text, id integer, date text, owner text);
CREATE TABLE case_text (id integer primary key, caseid integer, fid integer, pos0 integer, pos1 integer, owner text, date text, memo text);
CREATE TABLE cases (caseid integer primary key, name text, memo text, owner text, date text, constraint ucm unique(name));
CREATE TABLE code_cat (catid integer primary key, name text, owner text, date text, memo text, supercatid integer, unique(name));
CREATE TABLE code_text (ctid integer primary key, cid integer, fid integer, seltext text, pos0 integer, pos1 integer, owner text,
  date text, memo text, avid integer, important integer, unique(cid, fid, pos0, pos1, owner));
CREATE TABLE code_name (cid integer primary key, name text, memo text, catid integer, owner text, date text, color text,
  supercid integer, unique(name));
CREATE TABLE coder_names (name TEXT UNIQUE NOT NULL, visibility INTEGER NOT NULL DEFAULT 1);
CREATE VIEW code_text_visible AS SELECT t.* FROM code_text t;
"""


def units(text):
    """Length as Qt counts: UTF-16, line ends as the widget holds them."""
    return len(text.encode("utf-16-le")) // 2


def qualcoder(path, coders=("ann", "ben"), texts=None, called=None, more=""):
    """Write a project's database; documents are numbered from 1 and may be called otherwise, `Barriers` is a category."""
    texts = texts or TEXTS
    if path.exists():
        path.unlink()
    book = sqlite3.connect(path)
    book.executescript(_SCHEMA)
    plain = {name: text.replace("\r\n", "\n") for name, text in texts.items()}
    for n, (name, text) in enumerate(plain.items(), start=1):
        book.execute(
            "INSERT INTO source (id, name, fulltext, owner) VALUES (?,?,?,'ann')", (n, f"{(called or {}).get(name, name)}.docx", text)
        )
    book.execute("INSERT INTO code_cat (catid, name) VALUES (1, 'Barriers')")
    names = [code for code in CODES if code != ("Barriers",)]
    for cid, code in enumerate(names, start=1):
        row = (cid, code[-1], "Its definition", 1 if len(code) > 1 else None, "ann", "#FF0000")
        book.execute("INSERT INTO code_name (cid, name, memo, catid, owner, color) VALUES (?,?,?,?,?,?)", row)
    documents = list(texts)
    for document, coder, code, first, last, _ in CODINGS:
        if coder not in coders:
            continue
        text, (start, end) = plain[document], (first * 10, last * 10 + 9)
        row = (names.index(code) + 1, documents.index(document) + 1, text[start:end], units(text[:start]), units(text[:end]), coder)
        book.execute("INSERT INTO code_text (cid, fid, seltext, pos0, pos1, owner) VALUES (?,?,?,?,?,?)", row)
    book.execute("INSERT INTO cases (caseid, name) VALUES (1, 'A01')")
    book.execute("INSERT INTO case_text (caseid, fid, pos0, pos1) VALUES (1, 1, 0, ?)", (units(plain[documents[0]]),))
    book.execute("INSERT INTO attribute_type (name, caseOrFile, valuetype) VALUES ('wave', 'case', 'character')")
    book.execute("INSERT INTO attribute (name, attr_type, value, id) VALUES ('wave', 'case', 'T2', 1), ('wave', 'file', 'T9', 1)")
    book.executescript(more)
    book.commit()
    book.close()
    return path
