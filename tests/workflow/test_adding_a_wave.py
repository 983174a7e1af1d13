"""A wave, a corrected file and a duplicate come to the demonstration study: what is written, and what runs again."""

import re
import shutil

import pytest

from bscstudy.cli import main
from bscstudy.loading import load_study
from bscstudy.tables import read_table

pytestmark = pytest.mark.slow

STAFF = "data/raw/staff/staff_survey_t4.sav"
PARENTS = "data/raw/parents/parent_survey_t4.csv"
WAVE = ["--label", "Second follow-up", "--start", "2026-04-15", "--end", "2026-06-30", "--received", "2026-07-03"]


@pytest.fixture
def study(demonstration, tmp_path):
    shutil.copytree(demonstration, tmp_path / "study")
    return tmp_path / "study"


def write_staff(study, path, change):
    """Write the staff file of T4 with its labels and missing codes after a change; returns the names that changed."""
    import pyreadstat

    frame, meta = pyreadstat.read_sav(str(study / STAFF), user_missing=True)
    changed = change(frame)
    names = {"lead3": "leadership_3"} if "leadership_3" in changed.columns else {}
    pyreadstat.write_sav(
        changed,
        str(path),
        column_labels=[meta.column_names_to_labels.get(name) or "" for name in changed.columns],
        variable_value_labels={names.get(name, name): labels for name, labels in meta.variable_value_labels.items()},
        missing_ranges={names.get(name, name): ranges for name, ranges in meta.missing_ranges.items()},
    )


def a_year_later(frame):
    """Other answers and dates, one item renamed, one unknown column."""
    frame = frame.assign(lead1=frame["lead1"].where(frame["lead1"] > 5, frame["lead1"] % 5 + 1), survey_mode=1.0)
    frame["completed_on"] = frame["completed_on"].str.replace("^20(25|15)", "2026", regex=True)
    return frame.rename(columns={"lead3": "leadership_3"})


def fitted(study):
    """Each model's result with its date: neither changes where nothing of the model changed."""
    return {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in (study / "data/derived/models").glob("*")}


@pytest.fixture
def delivery(study, tmp_path):
    folder = tmp_path / "delivery"
    folder.mkdir()
    write_staff(study, folder / "staff_survey_t5.sav", a_year_later)
    text = (study / PARENTS).read_text(encoding="utf-8").replace("2025-", "2026-")
    (folder / "parent_survey_t5.csv").write_text(text, encoding="utf-8")
    return folder


def test_a_wave_runs_what_depends_on_it_and_leaves_earlier_scores_as_they_are(study, delivery, run_study, pipeline_copy, capsys):
    command = ["add-wave", "T5", "--from", str(delivery), "--study", str(study), *WAVE]
    assert main(command) == 0
    said = capsys.readouterr().out
    assert "column 'survey_mode' is not in the codebook" in said and "--renamed lead3=leadership_3" in said
    assert not list(study.rglob("*t5*"))
    snakefile = ["--snakefile", str(pipeline_copy / "Snakefile")]
    assert main([*command, "--renamed", "lead3=leadership_3", "--write", *snakefile]) == 0
    said = capsys.readouterr().out
    assert "2 new sources are read: parent_t5, staff_t5" in said
    assert "3 sources are read again: staff_t1, staff_t3, staff_t4" in said, "rows of the staff survey's codebook changed"
    n, total, perhaps = map(int, re.search(r"(\d+) of (\d+) jobs run.*?(\d+) more are looked at then", said, flags=re.DOTALL).groups())
    assert re.search(r"more are looked at then.*^  20 models: ", said, flags=re.DOTALL | re.MULTILINE)
    before, fits = read_table(study / "data/derived/measures/scores.csv"), fitted(study)
    done = run_study(study, "--cores", "2")
    assert done.returncode == 0, done.stdout[-4000:]
    ran = re.findall(r"^Job \d+: (.+)$", done.stdout, flags=re.MULTILINE)
    assert n < len(ran) < n + perhaps < total, "some of what was looked at ran"
    spared = ("Fitting ", "Collecting the models", "Scoring observation", "Reading the monthly metrics")
    assert not [job for job in ran if job.startswith(spared) or "change_by_wave" in job or "model_agreement" in job], ran
    assert fitted(study) == fits
    after = read_table(study / "data/derived/measures/scores.csv")
    assert after[after["wave"] != "T5"].reset_index(drop=True).equals(before)
    assert {"leadership_buy_in", "technology_t4", "spread"} <= set(after.loc[after["wave"] == "T5", "scale"])
    assert main(command) == 0
    assert capsys.readouterr().out.count("the same bytes as a file the study has") == 2


def test_a_corrected_file_reads_one_source_again(study, tmp_path, pipeline_copy, capsys):
    folder = tmp_path / "corrected"
    folder.mkdir()
    write_staff(study, folder / "staff_t4_corrected.sav", lambda frame: frame.assign(lead1=[99.0, *frame["lead1"][1:]]).drop(index=10))
    old = (study / STAFF).read_bytes()
    command = ["add-wave", "T4", "--from", str(folder), "--study", str(study), "--write", "--snakefile", str(pipeline_copy / "Snakefile")]
    assert main(command) == 3
    assert "BSC-WAV-005" in capsys.readouterr().err and (study / STAFF).read_bytes() == old
    assert main([*command, "--corrects", "staff_t4"]) == 0
    said = capsys.readouterr().out
    assert "205 records before, 204 now: 0 added, 1 gone, 1 of 204 in both changed" in said and "lead1: 1 cell changed" in said
    assert "1 source is read again: staff_t4" in said
    assert (study / "data/raw/superseded/staff/staff_survey_t4.sav").read_bytes() == old
    status = {row["file"]: row["status"] for row in load_study(study / "config")["manifest"]}
    assert (status[STAFF], status["data/raw/superseded/staff/staff_survey_t4.sav"]) == ("current", "superseded")
