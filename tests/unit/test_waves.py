"""Adding a wave: files are matched, the configuration grows as text, and what is sent twice, longer or corrected is named."""

import csv
import hashlib

import pytest
import yaml

from bscstudy.checks.quality import run_checks
from bscstudy.checks.registry import Source
from bscstudy.cli import main
from bscstudy.errors import BscError
from bscstudy.io.ingest import ingest
from bscstudy.io.inventory import files_of
from bscstudy.io.raw import cell_text
from bscstudy.io.readers import read_source
from bscstudy.loading import load_study
from bscstudy.new_study import write_new_study
from bscstudy.waves import writing
from bscstudy.waves.codebook_edits import Decisions
from bscstudy.waves.config_text import with_cells, with_source, with_wave, with_wave_value
from bscstudy.waves.manifest import check_manifest, manifest_row, write_manifest
from bscstudy.waves.planning import propose
from bscstudy.waves.rerun import Rerun, messages_of, rerun_text
from bscstudy.waves.writing import write_proposal

WAVE = {"id": "later", "label": "A year later", "start": "2028-01-01", "end": "2028-02-28"}
AFTER = "data/raw/staff_after.csv"


@pytest.fixture
def study(tmp_path):
    write_new_study(tmp_path / "study")
    return tmp_path / "study"


@pytest.fixture
def deliver(study, tmp_path):
    """Write a delivery: name -> text, made from the staff file of the wave `after` by a function of its lines."""

    def write(**files):
        folder = tmp_path / "delivery"
        for name, change in files.items():
            folder.mkdir(exist_ok=True)
            lines = (study / AFTER).read_text(encoding="utf-8").splitlines()
            text = change if isinstance(change, str) else "\n".join(change(lines)) + "\n"
            (folder / f"{name}.csv").write_text(text, encoding="utf-8")
        return folder

    return write


def next_answers(lines):
    """The same people with other answers: every first answer is one step further round the scale."""
    rows = [line.split(",") for line in lines[1:]]
    return [lines[0], *(",".join([*row[:2], str(int(row[2]) % 5 + 1), *row[3:]]) for row in rows)]


def content(folder):
    return {p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.rglob("*") if p.is_file()}


def kinds(proposal):
    return {delivered.file.name: delivered.kind for delivered in proposal.files}


def codes(proposal):
    return [fault.code for fault in proposal.faults]


@pytest.mark.parametrize(
    "text",
    [
        "# top\nwaves:\n  - {id: T1, order: 1}   # first\n\n# roles\nroles: []\n",
        "waves:\n- id: T1\n  order: 1\n# roles\nroles: []\n",
        "waves: [{id: T1, order: 1}]\nroles: []\n",
        'waves:\n  - id: T1\n    label: >-\n      folded\n      text\n\nroles: []   # "quoted"\n',
    ],
)
def test_a_wave_is_added_and_every_other_character_stays(text):
    wave = {"id": "T2", "label": 'No, "later": yes', "order": 2, "start": "2026-01-01"}
    new = with_wave(text, wave)
    before = yaml.safe_load(text)
    assert yaml.safe_load(new) == {**before, "waves": [*before["waves"], wave]}
    added = next(i for i in range(len(text)) if text[i] != new[i])
    assert text[:added] == new[:added] and new.endswith(text[added:]) and "start: " in new


def test_a_source_is_appended_and_reads_back_as_it_is():
    entry = {"instrument": "a b", "keys": {"role": {"column": "r", "map": {1: "x", "2": "no"}}, "id": "null"}, "keep_where": "a != 'b: #'"}
    entry |= {"reshape": {"pattern": r"^(?P<item>[a-z_]+)_seg(?P<segment>[0-9]+)$"}, "key": [], "wave": "2026-13-99"}
    text = "# comment\none: {a: 1}\n"
    new = with_source(text, "two", entry, "a comment")
    assert new.startswith(text) and yaml.safe_load(new) == {"one": {"a": 1}, "two": entry}


@pytest.mark.parametrize("written", ["{column: w, map: {a: T1}}  # c", "\n    column: w\n    map:\n      a: T1   # c\n\n# end"])
def test_a_value_is_added_to_a_map(written):
    new = with_wave_value(f"one:\n  wave: {written}\n  unit: x\n".replace("# end\n  unit", "  unit"), "one", "5", "T2")
    assert yaml.safe_load(new)["one"]["wave"]["map"] == {"a": "T1", "5": "T2"} and "# c" in new


def test_cells_change_and_every_other_line_keeps_its_bytes():
    text = '\ufeffitem,label,waves\r\na,"x, ""y""",T1\r\n\r\nb,"two\r\nlines",\r\n'
    new = with_cells(text, {1: {"waves": "T1 T2"}}, [{"item": "c", "waves": "T2"}])
    assert new.startswith(text.split("b,")[0])
    assert list(csv.reader(new.splitlines(keepends=True)))[3:] == [["b", "two\r\nlines", "T1 T2"], ["c", "", "T2"]]


def test_a_new_wave_is_proposed_and_nothing_is_changed(study, deliver):
    before = content(study)
    proposal = propose(study, WAVE, deliver(staff_later=next_answers))
    (new,) = proposal.used
    assert (new.kind, new.source["id"], new.like["id"]) == ("new", "staff_later", "staff_after")
    assert new.source["file"] == "data/raw/staff_later.csv" and new.source["wave"] == "later"
    assert proposal.wave == {**WAVE, "order": 3, "phase": "post"} and not proposal.faults
    assert content(study) == before


def test_a_written_wave_is_read_as_the_one_before_and_comments_stay(study, deliver):
    texts = {name: (study / "config" / name).read_text(encoding="utf-8") for name in ("sources.yaml", "config.yaml")}
    write_proposal(study, propose(study, WAVE, deliver(staff_later=next_answers)), "2028-03-01")
    loaded = load_study(study / "config")
    assert [wave["id"] for wave in loaded["waves"]] == ["before", "after", "later"]
    frame = ingest(
        read_source([study / "data/raw/staff_later.csv"], loaded["sources"]["staff_later"]), loaded["sources"]["staff_later"], loaded
    ).frame
    assert set(frame["wave"]) == {"later"} and len(frame) == len((study / AFTER).read_text().splitlines()) - 1
    assert (study / "config/sources.yaml").read_text(encoding="utf-8").startswith(texts["sources.yaml"])
    kept = [
        line
        for line in texts["config.yaml"].splitlines()
        if line in (study / "config/config.yaml").read_text(encoding="utf-8").splitlines()
    ]
    assert kept == texts["config.yaml"].splitlines()
    rows = {row["file"]: row for row in loaded["manifest"]}
    assert rows["data/raw/staff_later.csv"]["received"] == "2028-03-01" and rows[AFTER]["received"] == ""
    assert set(rows) == {file for source in loaded["sources"].values() for file in files_of(source)}


def test_a_file_of_a_name_in_use_gets_the_wave_in_its_name(study, deliver):
    assert propose(study, WAVE, deliver(staff_after=next_answers)).used[0].source["file"] == "data/raw/staff_after_later.csv"


def renamed(lines):
    return next_answers([lines[0].replace("lead_3", "leaders_3").replace("lead_4", "lead_4,mode"), *(f"{line},1" for line in lines[1:])])


def test_what_fits_nothing_is_listed_and_stands_in_the_way(study, deliver, capsys):
    folder = deliver(staff_later=renamed, other="a,b\n1,2\n")
    assert main(["add-wave", "later", "--from", str(folder), "--study", str(study)]) == 0
    said = capsys.readouterr().out
    assert "other.csv: fits no source of the study" in said and "column 'mode' is not in the codebook" in said
    assert "if it is lead_3: --renamed lead_3=leaders_3" in said and "if it was not asked: --not-asked lead_3" in said
    assert "BSC-SRC-020" in said and "roster: nothing for later yet" not in said
    before = content(study)
    assert main(["add-wave", "later", "--from", str(folder), "--study", str(study), "--write"]) == 3
    assert "BSC-SRC-020" in capsys.readouterr().err and content(study) == before


@pytest.mark.parametrize(
    ("decisions", "column", "waves"),
    [
        (Decisions(renamed={"lead_3": "leaders_3"}), "leaders_3", ["", "later"]),
        (Decisions(not_asked=("lead_3",)), None, ["before after"]),
    ],
)
def test_a_decision_about_an_item_becomes_a_row_or_a_cell(study, deliver, decisions, column, waves):
    write_proposal(study, propose(study, WAVE, deliver(staff_later=renamed), decisions=decisions))
    loaded = load_study(study / "config")
    assert [row["waves"] for row in loaded["items"] if row["item"] == "lead_3"] == waves
    for name in ("staff_later", "staff_after"):
        frame = ingest(read_source([study / f"data/raw/{name}.csv"], loaded["sources"][name]), loaded["sources"][name], loaded).frame
        given = [line.split(",")[4].replace("98", "") for line in (study / f"data/raw/{name}.csv").read_text().splitlines()[1:]]
        asked = column or name == "staff_after"
        assert [cell_text(answer) for answer in frame["lead_3"]] == given if asked else "lead_3" not in frame.columns


def test_a_decision_that_fits_nothing_is_refused(study, deliver):
    with pytest.raises(BscError, match="BSC-WAV-004") as fault:
        propose(study, WAVE, deliver(staff_later=next_answers), decisions=Decisions({"lead_3": "x"}, ("lead_9",)))
    assert len(fault.value.where) == 2


def test_items_and_scales_limited_to_waves_hold_in_the_new_one(study, deliver):
    for file, place in (("items.csv", "lead_1"), ("items.csv", "lead_2"), ("scales.csv", "leadership_buy_in")):
        path = study / "config/codebook" / file
        rows = list(csv.DictReader(path.open(encoding="utf-8", newline="")))
        number = next(i for i, row in enumerate(rows) if place in (row.get("item"), row.get("scale")))
        cells = {"waves": "before after"} if place != "lead_2" else {"sources": "staff_before staff_after"}
        path.write_bytes(with_cells(path.read_bytes().decode(), {number: cells}, []).encode())
    write_proposal(study, propose(study, WAVE, deliver(staff_later=next_answers)))
    loaded = load_study(study / "config")
    rows = {row["item"]: row for row in loaded["items"]}
    assert (rows["lead_1"]["waves"], rows["lead_2"]["sources"]) == ("before after later", "staff_before staff_after staff_later")
    assert (rows["lead_3"]["waves"], loaded["scales"][0]["waves"]) == ("", "before after later")


def write_codebook(study, table, *lines):
    (study / f"config/codebook/{table}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_recodes_of_the_last_wave_are_proposed_for_the_new_one(study, deliver):
    rows = ["instrument,item,where_key,where_value,code,new_code,reason", "staff_survey,lead_1,wave,before,1,2,turned"]
    write_codebook(study, "recodes", *rows, "staff_survey,lead_1,wave,after,5,4,turned", "staff_survey,lead_3,wave,after,5,4,turned")
    proposal = propose(study, WAVE, deliver(staff_later=renamed), decisions=Decisions(not_asked=("lead_3",)))
    told = [line for line in proposal.edits.said if "recodes.csv" in line]
    assert "code 5 of lead_1 is recoded in later too, as in row 3" in told[0] and "lead_3 is not recoded in later" in told[1]
    write_proposal(study, proposal)
    loaded = load_study(study / "config")
    assert [(row["where_value"], row["code"], row["new_code"]) for row in loaded["recodes"][3:]] == [("later", "5", "4")]
    source = loaded["sources"]["staff_later"]
    raw = read_source([study / source["file"]], source)
    answers = ingest(raw, source, loaded).frame["lead_1"]
    assert 5 not in set(answers) and (answers == 4).sum() == raw.frame["lead_1"].isin(["4", "5"]).sum() > 0


def test_a_map_holds_in_the_new_wave_only_by_decision(study, deliver):
    header = "instrument,item,version,new_item,new_version,scale,waves,rule,a,b,recode,reason,decided_by,decided_on"
    write_codebook(study, "harmonisation", header, "staff_survey,,,,,leadership_buy_in,after,identity,,,,other order,team,2027-01-01")
    folder = deliver(staff_later=next_answers)
    proposal = propose(study, WAVE, folder)
    assert any("harmonisation.csv, row 2" in note and "--map-holds leadership_buy_in" in note for note in proposal.notes)
    assert "config/codebook/harmonisation.csv" not in proposal.texts
    with pytest.raises(BscError, match="BSC-WAV-004"):
        propose(study, WAVE, folder, decisions=Decisions(map_holds=("stress",)))
    proposal = propose(study, WAVE, folder, decisions=Decisions(map_holds=("leadership_buy_in",)))
    assert "--map-holds" not in "".join(proposal.notes)
    write_proposal(study, proposal)
    assert load_study(study / "config")["harmonisation"][0]["waves"] == "after later"


def test_what_lists_its_sources_is_named(study, deliver):
    (study / "config/measures.yaml").open("a", encoding="utf-8").write(
        "reported:\n  - {id: kept, label: Kept, sources: [staff_after], items: [{item: lead_1, label: Leads, at_least: 4}]}\n"
    )
    told = "\n".join(propose(study, WAVE, deliver(staff_later=next_answers)).notes)
    assert "config/measures.yaml (reported, kept): leaves staff_later out until it is added" in told


def test_what_is_partial_or_outside_the_scale_is_said_with_its_count(study, deliver):
    proposal = propose(study, WAVE, deliver(staff_later=lambda lines: [line.replace(",4,", ",9,") for line in next_answers(lines)[:4]]))
    told = "\n".join(proposal.notes)
    assert "from 1 of 7 centers (partial)" in told and "lead_1: 1 outside the response scale" in told
    assert "the check unknown_code would stop the run" in told


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda lines: lines, "duplicate"),
        (lambda lines: [lines[0], *reversed(lines[1:])], "repeated"),
        (next_answers, "new"),
    ],
)
def test_a_file_that_arrives_twice_is_named(study, deliver, change, kind):
    assert kinds(propose(study, WAVE, deliver(again=change))) == {"again.csv": kind}


def test_a_duplicate_is_listed_and_nothing_else_is_written(study, deliver):
    before = content(study)
    write_proposal(study, propose(study, {"id": "after"}, deliver(again=lambda lines: lines)))
    after = content(study)
    assert {name for name in after if after[name] != before.get(name)} == {"config/manifest.csv"}
    (row,) = [row for row in load_study(study / "config")["manifest"] if row["status"] == "duplicate"]
    assert (row["file"], row["source"]) == ("again.csv", "staff_after")


def corrected(lines):
    """One answer changed, one person gone, one new."""
    return [lines[0], lines[1].replace("P01,C1,5", "P01,C1,1"), *lines[3:], "P99,C1,1,1,1,1"]


def test_overlapping_records_need_a_word_and_a_correction_is_counted_and_kept(study, deliver):
    folder = deliver(fixed=corrected)
    assert codes(propose(study, {"id": "after"}, folder)) == ["BSC-WAV-005"]
    old = (study / AFTER).read_bytes()
    proposal = propose(study, {"id": "after"}, folder, corrects=("staff_after",))
    found = proposal.files[0].changes
    assert (found.n_added, found.n_removed, found.n_changed, found.cells) == (1, 1, 1, {"lead_1": 1})
    write_proposal(study, proposal, "2027-05-01")
    assert (study / "data/raw/superseded/staff_after.csv").read_bytes() == old
    assert (study / AFTER).read_bytes() == (folder / "fixed.csv").read_bytes()
    rows = {row["file"]: row for row in load_study(study / "config")["manifest"]}
    assert rows[AFTER]["supersedes"] == "data/raw/superseded/staff_after.csv"
    assert rows["data/raw/superseded/staff_after.csv"]["status"] == "superseded"
    assert rows["data/raw/superseded/staff_after.csv"]["sha256"] == hashlib.sha256(old).hexdigest()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda lines: [lines[0], "X1,C1,1,1,1,1"], "BSC-WAV-007"),
        (lambda lines: [lines[0], *next_answers(lines)[2:]], "BSC-WAV-008"),
    ],
)
def test_a_correction_that_would_put_things_in_the_wrong_place_is_refused(study, deliver, change, code):
    path = study / "config/config.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("exclusions: []", "exclusions: [{source: staff_after, row: 2, reason: twice}]"), encoding="utf-8")
    assert code in codes(propose(study, {"id": "after"}, deliver(fixed=change), corrects=("staff_after",)))


@pytest.mark.parametrize("name", ["nobody", "staff_before", "roster"])
def test_a_correction_names_one_source_and_one_file(study, deliver, name):
    with pytest.raises(BscError, match="BSC-WAV-003"):
        propose(study, {"id": "after"}, deliver(fixed=corrected), corrects=(name,))


def test_a_longer_export_takes_the_place_of_the_earlier_one(study, deliver):
    text = (study / "data/raw/roster.csv").read_text(encoding="utf-8")
    longer = text + "".join(f"{line}\n".replace("after", "later") for line in text.splitlines() if ",after," in line)
    proposal = propose(study, WAVE, deliver(roster_2028=longer))
    assert kinds(proposal) == {"roster_2028.csv": "extended"} and not proposal.faults
    assert proposal.files[0].changes.n_removed == 0 < proposal.files[0].changes.n_added
    write_proposal(study, proposal)
    assert (study / "data/raw/roster.csv").read_text(encoding="utf-8") == longer
    shorter = deliver(roster_2028="\n".join(longer.splitlines()[:-1]) + "\n")
    assert codes(propose(study, WAVE, shorter)) == ["BSC-WAV-006"]


def test_a_fault_in_the_last_step_puts_everything_back(study, deliver, monkeypatch):
    before, folders = content(study), {p for p in study.rglob("*") if p.is_dir()}
    proposal = propose(study, {"id": "after"}, deliver(fixed=corrected), corrects=("staff_after",))

    def broken(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(writing, "write_manifest", broken)
    with pytest.raises(KeyboardInterrupt):
        write_proposal(study, proposal)
    assert content(study) == before and {p for p in study.rglob("*") if p.is_dir()} == folders


def test_the_manifest_notices_a_changed_file_and_a_lost_one(study, capsys):
    assert main(["check", str(study)]) == 0 and "was not checked" in capsys.readouterr().out
    assert main(["manifest", "--write", "--study", str(study)]) == 0
    assert main(["check", str(study)]) == 0 and "4 compared" in capsys.readouterr().out
    (study / AFTER).write_bytes((study / AFTER).read_bytes() + b"\n")
    now = hashlib.sha256((study / AFTER).read_bytes()).hexdigest()
    listed = {row["file"]: row["sha256"] for row in load_study(study / "config")["manifest"]}
    with pytest.raises(BscError, match="BSC-WAV-009") as fault:
        check_manifest(load_study(study / "config"), study)
    assert fault.value.where == (f"{AFTER}: {listed[AFTER][:8]} in the manifest, {now[:8]} now",)
    loaded = load_study(study / "config")
    rows = [
        manifest_row(loaded, study, AFTER),
        {**manifest_row(loaded, study, AFTER, status="superseded"), "file": "data/raw/superseded/x.csv"},
    ]
    write_manifest(study, rows)
    with pytest.raises(BscError, match="BSC-WAV-010"):
        check_manifest(load_study(study / "config"), study)


def test_the_checks_compare_with_the_manifest_and_say_when_there_is_none(study):
    loaded = load_study(study / "config")
    tables = {}
    for name, source in loaded["sources"].items():
        found = ingest(read_source([study / file for file in files_of(source)], source), source, loaded)
        tables[name] = Source(name, found.frame, source, {**found.extra, "sha256": "a" * 64})
    rows = [manifest_row(loaded, study, AFTER)]
    findings = run_checks(tables, {**loaded, "manifest": rows}).findings
    (found,) = findings[findings["check"] == "raw_file_changed"].to_dict("records")
    assert found["source"] == "staff_after" and f"{rows[0]['sha256'][:8]} in the manifest, aaaaaaaa now" in found["message"]
    summary = run_checks(tables, loaded).summary.set_index("check")
    assert "no manifest" in summary.loc["raw_file_changed", "reason"]


def test_a_dry_run_in_words():
    output = "Job stats:\nall 1\n\nJob 3: Reading staff_t5\nReason: Missing\nJob 4: Reading staff_t1\nJob 7: Reading the monthly metrics\n"
    output += "Job 6: Collecting the models\nReason: Input files updated by another job: data/derived/settled/models/index.json\n"
    certain, waiting = messages_of(output)
    assert waiting == ("Collecting the models",)
    behind = (*waiting, "Drawing up T1_flow, F1_runs", "Fitting m1", "Fitting m2")
    said = rerun_text(Rerun(certain, behind, 9), {"staff_t1", "staff_t3", "staff_t5"}, {"staff_t5"})
    assert said.splitlines() == [
        "3 of 9 jobs run:",
        "  1 new source is read: staff_t5",
        "  1 source is read again: staff_t1",
        "  reading the monthly metrics",
        "  1 of 3 sources are not read again",
        "4 more are looked at then, and run only if what they read is not as it was:",
        "  2 models: m1, m2",
        "  2 tables and figures: F1_runs, T1_flow",
        "  collecting the models",
    ]


def test_a_corrected_file_is_read_as_the_source_it_corrects(study, deliver):
    """The source of the other wave reads other text: its way of reading must not be taken for this one's."""
    path = study / "config/sources.yaml"
    text = path.read_text(encoding="utf-8")
    head, after = text.split("staff_after:\n")
    path.write_text(head + "staff_after:\n  options: {delimiter: ';'}\n" + after, encoding="utf-8")
    (study / AFTER).write_text((study / AFTER).read_text(encoding="utf-8").replace(",", ";"), encoding="utf-8")
    folder = deliver(fixed=lambda lines: corrected([line.replace(";", ",") for line in lines]))
    with pytest.raises(BscError, match="BSC-WAV-003"):
        propose(study, {"id": "after"}, folder, corrects=("staff_after",))
    deliver(fixed=lambda lines: [line.replace(",", ";") for line in corrected([line.replace(";", ",") for line in lines])])
    assert propose(study, {"id": "after"}, folder, corrects=("staff_after",)).files[0].changes.cells == {"lead_1": 1}
