"""A user's mistake ends with one message in four parts: file, row and column, no trace, no personal value, nothing half-written."""

import re
import zipfile

import pytest
import yaml

from bscstudy.new_study import write_new_study

pytestmark = pytest.mark.slow

STAFF = "data/raw/staff_after.csv"
SECRET = "Maria Example"


def edit(study, file, change):
    path = study / file
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")


def replace(file, old, new):
    def change(study):
        assert old in (study / file).read_text(encoding="utf-8")
        edit(study, file, lambda text: text.replace(old, new, 1))

    return change


def line(file, number, new):
    """Replace one line of a raw file; the first is the header."""

    def change(study):
        lines = (study / file).read_text(encoding="utf-8").splitlines()
        lines[number - 1] = new if isinstance(new, str) else new(lines[number - 1])
        (study / file).write_text("\n".join(lines) + "\n", encoding="utf-8")

    return change


def content(file, data):
    return lambda study: (study / file).write_bytes(data)


def source(name, **settings):
    """Change the settings of a source."""

    def change(study):
        path = study / "config/sources.yaml"
        sources = yaml.safe_load(path.read_text(encoding="utf-8"))
        sources[name] = {k: v for k, v in {**sources[name], **settings}.items() if v is not None}
        path.write_text(yaml.safe_dump(sources), encoding="utf-8")

    return change


def both(*changes):
    def change(study):
        for one in changes:
            one(study)

    return change


def spss_file(study, *, keep=1.0):
    import pandas as pd
    import pyreadstat

    frame = pd.read_csv(study / STAFF)
    path = study / "data/raw/staff_after.sav"
    pyreadstat.write_sav(frame, str(path))
    path.write_bytes(path.read_bytes()[: int(len(path.read_bytes()) * keep)])
    source("staff_after", reader="spss", file="data/raw/staff_after.sav")(study)


def excel_file(study, *, keep=1.0, sheet=None):
    import pandas as pd

    path = study / "data/raw/staff_after.xlsx"
    pd.read_csv(study / STAFF).to_excel(path, index=False)
    path.write_bytes(path.read_bytes()[: int(len(path.read_bytes()) * keep)])
    source("staff_after", reader="excel", file="data/raw/staff_after.xlsx", options={"sheet": sheet} if sheet else None)(study)


def coded_project(study, *, xml=b"<Project/>", name="project.qde"):
    with zipfile.ZipFile(study / "data/raw/project.qdpx", "w") as archive:
        archive.writestr(name, xml)
    edit(study, "config/codebook/items.csv", lambda t: t + "coding,code_path,Code,text,,,,,,,,,1,\ncoding,start,Start,integer,,,,,,,,,1,\n")
    new = {
        "coding": {
            "instrument": "coding",
            "reader": "refi",
            "file": "data/raw/project.qdpx",
            "keys": {"document_id": "document_id"},
            "key": [],
        }
    }
    edit(study, "config/sources.yaml", lambda t: t + yaml.safe_dump(new))


def dated(study, text):
    """Give the after wave a date item with one odd date."""
    edit(study, "config/codebook/items.csv", lambda t: t + "staff_survey,filled_on,Day of filling in,date,,,,,,after,,,1,\n")
    edit(
        study,
        STAFF,
        lambda t: (
            "\n".join(f"{row},{'filled_on' if i == 0 else text if i == 4 else '2027-02-01'}" for i, row in enumerate(t.splitlines())) + "\n"
        ),
    )


CASES = {
    "a raw file is missing": (lambda s: (s / STAFF).unlink(), "BSC-SRC-001", [STAFF]),
    "two raw files are missing": (both(lambda s: (s / STAFF).unlink(), lambda s: (s / "data/raw/roster.csv").unlink()), "BSC-SRC-001", [STAFF, "roster.csv"]),
    "a raw file is a folder": (both(lambda s: (s / STAFF).unlink(), lambda s: (s / STAFF).mkdir()), "BSC-SRC-001", [STAFF]),
    "an empty file": (content(STAFF, b""), "BSC-SRC-00", [STAFF]),
    "a file with a header only": (content(STAFF, b"person_id,center_id,lead_1,lead_2,lead_3,lead_4\n"), "BSC-SRC-00", [STAFF]),
    "a wrong encoding": (line(STAFF, 5, lambda t: t), None, []),
    "a binary file under the name of a table": (content(STAFF, bytes(range(256)) * 20), "BSC-SRC-0", [STAFF]),
    "a row with a cell too many": (line(STAFF, 5, lambda t: t + ",3"), "BSC-SRC-0", [STAFF, "5"]),
    "a quote that is not closed": (line(STAFF, 5, lambda t: '"' + t), "BSC-SRC-0", [STAFF]),
    "two columns of one name": (line(STAFF, 1, "person_id,center_id,lead_1,lead_1,lead_3,lead_4"), "BSC-SRC-0", [STAFF, "lead_1"]),
    "a renamed column": (line(STAFF, 1, "person_id,center_id,lead_1,lead2,lead_3,lead_4"), "BSC-SRC-0", [STAFF, "lead_2", "lead2"]),
    "two missing columns": (line(STAFF, 1, "person_id,center_id,lead_1,a,b,lead_4"), "BSC-SRC-0", ["lead_2", "lead_3"]),
    "a missing key column": (line(STAFF, 1, "person,center_id,lead_1,lead_2,lead_3,lead_4"), "BSC-", [STAFF, "person_id"]),
    "an unknown code": (line(STAFF, 5, lambda t: re.sub(r"(,[^,]*)$", ",7", t)), "BSC-DAT-001", [STAFF, "row 5", "lead_4"]),
    "a name in a column of codes": (line(STAFF, 5, lambda t: re.sub(r"(,[^,]*)$", "," + SECRET, t)), "BSC-DAT-001", [STAFF, "row 5", "lead_4"]),
    "two rows for one person and wave": (lambda s: line(STAFF, 6, (s / STAFF).read_text().splitlines()[4])(s), "BSC-DAT-001", [STAFF, "row 5|row 6|rows 5, 6"]),
    "a center that is not in the register": (line(STAFF, 5, lambda t: re.sub(r",C\d,", ",C9,", t)), "BSC-DAT-001", [STAFF, "row 5", "center"]),
    "a date in the wrong century": (lambda s: dated(s, "1927-02-01"), "BSC-DAT-001", [STAFF, "row 5", "filled_on"]),
    "a day that does not exist": (lambda s: dated(s, "2027-02-30"), "BSC-DAT-001", [STAFF, "row 5", "filled_on"]),
    "a wave that the study does not have": (line("data/raw/roster.csv", 5, lambda t: t.replace("before", "later").replace("after", "later")), "BSC-", ["roster.csv", "5"]),
    "a center twice in the register": (line("data/raw/centers.csv", 3, "C1,first,child care"), "BSC-", ["centers.csv"]),
    "a truncated SPSS file": (lambda s: spss_file(s, keep=0.4), "BSC-SRC-00", ["staff_after.sav"]),
    "an encrypted SPSS file": (both(spss_file, content("data/raw/staff_after.sav", b"ENCRYPTEDSAV" + bytes(200))), "BSC-SRC-00", ["staff_after.sav", "ncrypted"]),
    "another file under the name of an SPSS file": (both(spss_file, content("data/raw/staff_after.sav", b"a,b\n1,2\n")), "BSC-SRC-00", ["staff_after.sav"]),
    "a truncated Excel file": (lambda s: excel_file(s, keep=0.6), "BSC-SRC-0", ["staff_after.xlsx"]),
    "an encrypted Excel file": (both(excel_file, content("data/raw/staff_after.xlsx", bytes.fromhex("D0CF11E0A1B11AE1") + bytes(600))), "BSC-SRC-0", ["staff_after.xlsx"]),
    "a sheet that does not exist": (lambda s: excel_file(s, sheet="Shet1"), "BSC-SRC-0", ["staff_after.xlsx", "Shet1|Sheet1"]),
    "a coded project with a DOCTYPE": (lambda s: coded_project(s, xml=b'<!DOCTYPE x [<!ENTITY a "b">]><Project/>'), "BSC-QUA-0", ["project.qdpx"]),
    "a coded project without a project": (lambda s: coded_project(s, name="notes.txt"), "BSC-QUA-0", ["project.qdpx"]),
    "a truncated coded project": (both(coded_project, content("data/raw/project.qdpx", b"PK\x03\x04" + bytes(40))), "BSC-QUA-0", ["project.qdpx"]),
    "a typo in the configuration": (replace("config/config.yaml", "min_cell", "min_cel"), "BSC-CFG-002", ["config.yaml, line", "Did you mean 'min_cell'?"]),
    "a configuration that is not YAML": (replace("config/config.yaml", "waves:", "waves"), "BSC-CFG-001", ["config.yaml, line"]),
    "a model of an unknown scale": (replace("config/models/change_leadership.yaml", "outcome: leadership_buy_in", "outcome: leadership_buyin"), "BSC-CFG-003", ["leadership_buyin"]),
    "a formula with an unknown name": (replace("config/models/change_leadership.yaml", "wave + role +", "wave + rol +"), "BSC-CFG-003", ["change_leadership.yaml, formula", "Did you mean 'role'?"]),
    "a formula that cannot be read": (replace("config/models/change_leadership.yaml", "role + (1 | center/person)", "role + (1 | center/"), "BSC-CFG-003", ["change_leadership.yaml, formula", "cannot be read"]),
    "a condition that cannot be read": (source("staff_after", keep_where="lead_1 >> 'x"), "BSC-SRC-022", ["staff_after|" + STAFF]),
    "an exclusion of a row that is not there": (replace("config/config.yaml", "exclusions: []", "exclusions: [{source: staff_after, row: 9999, reason: not there}]"), "BSC-", ["staff_after|" + STAFF, "9999"]),
}  # fmt: skip


def latin(study):
    data = (study / STAFF).read_bytes().splitlines()
    data[4] = data[4].replace(b",C", b",\xe9C", 1)
    (study / STAFF).write_bytes(b"\n".join(data) + b"\n")


CASES["a wrong encoding"] = (latin, "BSC-SRC-0", [STAFF, "5"])


@pytest.mark.parametrize("case", CASES)
def test_a_mistake_is_said_and_nothing_is_half_written(case, tmp_path, run_study):
    spoil, code, said = CASES[case]
    study = tmp_path / "study"
    write_new_study(study)
    spoil(study)
    done = run_study(study, "--cores", "2", timeout=120)
    text = done.stdout
    assert done.returncode != 0
    assert code in text, text[-3000:]
    for part in ("Where:", "Why it matters:", "What to do:"):
        assert part in text
    for words in said:
        assert any(word in text for word in words.split("|")), (words, text[-3000:])
    assert "Traceback" not in text and "BSC-INT" not in text
    assert SECRET not in text and not any(
        SECRET in p.read_text(encoding="utf-8", errors="ignore") for p in study.glob("reports/logs/**/*.log")
    )
    assert not (study / "reports/report.html").exists()
    assert not list(study.rglob("*.part*"))


def test_the_study_as_written_runs(tmp_path, run_study):
    study = tmp_path / "study"
    write_new_study(study)
    done = run_study(study, "--cores", "2", timeout=240)
    assert done.returncode == 0, done.stdout[-4000:]
    assert "SYNTHETIC" in (study / "reports/report.html").read_text(encoding="utf-8").upper()
