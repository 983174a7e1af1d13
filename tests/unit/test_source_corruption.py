"""Two hundred corruptions of each kind of raw file end in a right table, a finding or a clear error; never in a wrong table.

Right is judged against the undamaged file, record by record after ingest. A format without a checksum cannot show that a byte inside
a cell was changed: there every record but those whose own bytes were damaged must be as before. Text has no end mark either, so that
whole records cut off at its end are not missed by the reader (`missing_expected` finds them); formats that count their records or
carry checksums must refuse. Repeated records must be refused or found as duplicates.
"""

import csv
import io
import random
import re
import shutil
import zipfile
from collections import Counter
from pathlib import Path

import openpyxl
import pytest
from delivery_study import ROOT

from bscstudy.checks.builtin import duplicate_key
from bscstudy.checks.registry import Source
from bscstudy.config import select_sections
from bscstudy.errors import BscError
from bscstudy.io.ingest import ingest
from bscstudy.io.readers import read_source
from bscstudy.loading import load_study
from bscstudy.pipeline import source_files
from bscstudy.sections import sections_of

pytestmark = pytest.mark.slow

CORRUPTIONS, RECORDS = 200, 40
#: what is in every person's or center's record here and in no message
IDS = ("A01-P", "B01-P", "C01-P", "R_T1")


class Text:
    """A delimited file as header rows and records of cells."""

    checked = tells = False

    def __init__(self, path, n_headers=1):
        self.path = path
        known = list(csv.reader(io.StringIO(path.read_bytes().decode("utf-8-sig"))))
        known = [record for record in known if record[5] != "parent"] if "attendance" in path.name else known
        self.heads, self.records = known[:n_headers], known[n_headers : n_headers + RECORDS]

    def shuffled_columns(self, rng):
        order = rng.sample(range(len(self.heads[0])), len(self.heads[0]))
        return self.bytes([[r[k] for k in order] for r in self.heads], [[r[k] for k in order] for r in self.records])

    def bytes(self, heads=None, records=None):
        buffer = io.StringIO()
        csv.writer(buffer, lineterminator="\n").writerows((heads or self.heads) + (records or self.records))
        return buffer.getvalue().encode("utf-8")


class Spss:
    """An SPSS file of uncompressed records, with labels and missing codes."""

    checked, tells = True, False

    def __init__(self, path):
        import pyreadstat

        self.path = path
        frame, self.meta = pyreadstat.read_sav(path, user_missing=True)
        self.records = frame.head(RECORDS)

    def shuffled_columns(self, rng):
        return self.bytes(records=self.records[rng.sample(list(self.records), len(self.records.columns))])

    def bytes(self, records=None):
        import pyreadstat

        frame = self.records if records is None else self.records.iloc[records] if isinstance(records, list) else records
        told = {"variable_value_labels": self.meta.variable_value_labels, "missing_ranges": self.meta.missing_ranges}
        pyreadstat.write_sav(frame.reset_index(drop=True), self.path, **told)
        return self.path.read_bytes()


def packed(parts):
    """Return an archive whose bytes do not depend on the time."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(zipfile.ZipInfo(name), part, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


class Workbook:
    """The only sheet of a workbook."""

    checked, tells = True, False

    def __init__(self, path):
        self.path = path
        self.name = openpyxl.load_workbook(path).sheetnames[0]
        known = [[c.value for c in row] for row in openpyxl.load_workbook(path).worksheets[0].iter_rows()]
        self.heads, self.records = known[:1], known[1 : RECORDS + 1]

    shuffled_columns = Text.shuffled_columns

    def bytes(self, heads=None, records=None):
        book = openpyxl.Workbook()
        book.active.title = self.name
        for row in (heads or self.heads) + (records or self.records):
            book.active.append(row)
        buffer = io.BytesIO()
        book.save(buffer)
        with zipfile.ZipFile(buffer) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        day = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
        return packed({**parts, "docProps/core.xml": day.sub(b"2024-01-01T00:00:00Z", parts["docProps/core.xml"])})


class Project:
    """A coded project with a few of its codings; its records are the passages of one document."""

    checked = True
    #: a text whose name in the archive was damaged is not there: the places of its passages are blank, and a notice says so
    tells = True

    def __init__(self, path):
        self.path = path
        with zipfile.ZipFile(path) as archive:
            self.parts = {name: archive.read(name) for name in archive.namelist()}
        whole = self.parts["project.qde"].decode("utf-8")
        mark = "</TextSource>"
        self.heads, rest = whole.split("<Sources>")
        documents, self.tail = rest.split("</Sources>")
        self.records = [document + mark for document in documents.split(mark)[:-1]][:RECORDS]

    def shuffled_columns(self, rng):
        return self.bytes(records=rng.sample(self.records, len(self.records)))

    def bytes(self, records=None):
        inside = f"{self.heads}<Sources>{''.join(records or self.records)}</Sources>{self.tail}".encode()
        texts = {name: part for name, part in self.parts.items() if Path(name).stem in inside.decode()}
        return packed({**texts, "project.qde": inside})


KINDS = {
    "sav": ("staff_t1", Spss),
    "workbook": ("action_plans", Workbook),
    "text": ("attendance", Text),
    "redcap": ("admin", Text),
    "qualtrics": ("parent_t1", lambda path: Text(path, 3)),
    "project": ("coding_main", Project),
}


def by_bytes(kind, content, rng):
    """Damage bytes; return them with how many records may be lost and how many may be strange."""
    at = rng.randrange(len(content))
    if kind == "truncated":
        return content[:at], len(content), 1
    if kind == "hole":
        n = rng.randint(1, 30)
        return content[:at] + content[at + n :], 2 + content[at : at + n].count(b"\n"), 1
    if kind == "sprinkled":
        planted = rng.choice([b'"', b",", b";", b"\n", b"\x00", b"\xff", b"\xef\xbb\xbf", b"[", b"7"])
        return content[:at] + planted + content[at:], 1, 2
    changed = bytearray(content)
    n = rng.randint(1, 4)
    for _ in range(n):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed), 2 * n, 2 * n


def by_records(kind, file, rng):
    """Shuffle columns or records, or repeat some of these; return the bytes and how many records may be strange."""
    if kind == "columns shuffled":
        return file.shuffled_columns(rng), 0
    own = list(range(len(file.records)))
    order = rng.sample(own, len(own)) if kind == "records shuffled" else own + rng.sample(own, rng.randint(1, 3))
    chosen = order if isinstance(file, Spss) else [file.records[k] for k in order]
    return file.bytes(records=chosen), len(order) - len(own)


def ingested(study, name):
    """Return each record as a tuple of its cells, how many findings there are, and how many of them are about the file."""
    config = select_sections(study, sections_of(study, "ingest_source", {"source": name}))
    source = {"id": name, **config["source"]}
    found = ingest(read_source([Path(file) for file in source_files(study, name)], source), source, {**config, "exclusions": []})
    rows = found.frame["row"]
    assert rows.is_unique and rows.is_monotonic_increasing
    names = sorted(set(found.frame) - {"row", "excluded"})
    records = Counter(
        tuple((n, str(v)) for n, v in zip(names, row, strict=True) if v is not None and v == v)
        for row in found.frame[names].itertuples(index=False)
    )
    repeats = duplicate_key({name: Source(name, found.frame, source)}, {})
    notices = len(found.extra["notices"])
    return records, len(found.extra["problems"]) + notices + len(repeats), notices


@pytest.mark.parametrize("kind", KINDS)
def test_corruptions_end_in_a_right_table_a_finding_or_a_clear_error(kind, tmp_path, monkeypatch):
    name, layout = KINDS[kind]
    for part in ("config", "data/raw"):
        shutil.copytree(ROOT / part, tmp_path / part)
    monkeypatch.chdir(tmp_path)
    study = load_study(Path("config"))
    file = layout(Path(source_files(study, name)[0]))
    file.path.write_bytes(file.bytes())
    sound, known, _ = ingested(study, name)
    rng, ends, wrong = random.Random(f"delivery {kind}"), Counter(), []
    for turn in range(CORRUPTIONS):
        how = rng.choice(["flipped", "flipped", "truncated", "hole", "sprinkled", "columns shuffled", "records shuffled", "repeated"])
        if how in ("flipped", "truncated", "hole", "sprinkled"):
            content, may_lose, may_be_strange = by_bytes(how, file.bytes(), rng)
            may_lose = 0 if file.checked and how == "truncated" else may_lose
        else:
            (content, may_be_strange), may_lose = by_records(how, file, rng), 0
        file.path.write_bytes(content)
        try:
            found, noticed, told = ingested(study, name)
        except BscError as fault:
            assert not any(part in str(fault) for part in IDS), "no id stands in a message"
            ends["clear error"] += 1
            continue
        lost, strange = sum((sound - found).values()), sum((found - sound).values())
        ends["finding" if noticed > known else "right but for a damaged cell" if lost or strange else "right"] += 1
        beyond = lost > may_lose or strange > may_be_strange
        if (beyond and not (file.tells and told)) or (how == "repeated" and strange and noticed <= known):
            wrong.append((turn, how, lost, strange, noticed - known))
    print(f"\n{kind}: {dict(sorted(ends.items()))}, wrong {len(wrong)}")
    assert not wrong
    assert ends["clear error"] > 20 and ends["right"] > 10
