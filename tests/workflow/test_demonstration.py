"""The demonstration study as a whole: it runs, reruns exactly what depends on an edit, and gives the same bytes every time."""

import hashlib
import os
import re
import shutil
import signal
import time

import pytest

from bscstudy.loading import load_study
from bscstudy.new_study import write_new_study

pytestmark = pytest.mark.slow


def digests(folder):
    """Return path -> sha256 of everything the run wrote."""
    files = [p for top in ("data/derived", "reports") for p in sorted((folder / top).rglob("*")) if p.is_file()]
    return {p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def differing(first, second):
    return sorted(name for name in first.keys() | second.keys() if first.get(name) != second.get(name))


def planned(output):
    """Return rule -> number of jobs that a dry run announces."""
    table = output.split("Job stats:")[1].split("total")[0] if "Job stats:" in output else ""
    return {rule: int(n) for rule, n in re.findall(r"^(\w+)\s+(\d+)\s*$", table, flags=re.MULTILINE) if rule != "all"}


def fresh_study(demonstration, folder):
    for name in ("config", "data/raw"):
        shutil.copytree(demonstration / name, folder / name)
    return folder


def test_run_is_whole_and_small(demonstration):
    first = (demonstration / "first_run.txt").read_text(encoding="utf-8")
    done, jobs = map(int, re.findall(r"^(\d+) of (\d+) steps", first, flags=re.MULTILINE)[-1])
    assert done == jobs <= 80
    assert (demonstration / "reports/report.html").stat().st_size > 100_000
    assert not list(demonstration.rglob("*.part*")), "no half-written file is left"
    assert {p.name for p in demonstration.iterdir()} == {"config", "data", "reports", ".snakemake", "first_run.txt"}


def test_every_page_table_and_figure_says_synthetic(demonstration):
    shown = [p for p in sorted((demonstration / "reports").rglob("*")) if p.suffix in (".html", ".svg")]
    assert len(shown) >= 20
    assert not [p.name for p in shown if "synthetic" not in p.read_text(encoding="utf-8").lower()]


def test_every_exhibit_names_what_it_rests_on(demonstration):
    named = {"Estimator", "Degrees of freedom", "n", "Clusters", "Exclusions"}
    pages = sorted((demonstration / "reports/tables").glob("*.html"))
    assert len(pages) == len(load_study(demonstration / "config")["exhibits"])
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert not [name for name in named if f"<dt>{name}</dt>" not in text], page.name


def test_second_run_has_nothing_to_do(demonstration, run_study):
    done = run_study(demonstration, "-n")
    assert done.returncode == 0 and "Nothing to be done" in done.stdout, done.stdout[-2000:]


@pytest.mark.parametrize(
    ("edited", "runs", "spared"),
    [
        (
            "src/bscstudy/measures/run_charts.py",
            {"build_run_charts", "make_engagement_and_fidelity", "write_report"},
            {"fit_model", "score_scales", "ingest_source", "code_themes"},
        ),
        (
            "src/bscstudy/models/influence.py",
            {"fit_model": 20, "collect_models": 1, "write_report": 1},
            {"ingest_source", "score_scales", "code_themes"},
        ),
        ("src/bscstudy/qual/shares.py", {"code_themes", "merge_strands"}, {"fit_model", "ingest_source", "score_scales"}),
        (
            "src/bscstudy/io/excel.py",
            {"ingest_source": 4, "score_fidelity": 1},
            {"link_people", "score_scales", "build_run_charts"},
        ),
        (
            "src/bscstudy/exhibits/coder_agreement.py",
            {"make_interviews_and_focus_groups": 1, "write_report": 1},
            {"fit_model", "code_themes", "make_change"},
        ),
    ],
)
def test_an_edited_module_reruns_what_depends_on_it(demonstration, run_study, pipeline_copy, edited, runs, spared):
    path = pipeline_copy / edited
    before, stamp = path.read_bytes(), path.stat().st_mtime
    try:
        path.write_bytes(before + b"\n# edited\n")
        os.utime(path, (stamp - 10_000, stamp - 10_000))
        plan = planned(run_study(demonstration, "-n").stdout)
    finally:
        path.write_bytes(before)
    assert set(runs) <= set(plan), plan
    assert not spared & set(plan), plan
    assert all(plan[rule] == n for rule, n in runs.items()) if isinstance(runs, dict) else True, plan


def test_two_edits_at_once_are_both_noticed(demonstration, run_study, pipeline_copy, tmp_path):
    """Snakemake passes over changed parameters of what it takes to lie downstream of another job that must run (see docs/adr/0002)."""
    study, module = tmp_path / "study", pipeline_copy / "src/bscstudy/models/influence.py"
    shutil.copytree(demonstration, study)
    metrics, before = study / "data/raw/fidelity/monthly_metrics.csv", module.read_bytes()
    try:
        metrics.write_bytes(metrics.read_bytes() + b"\n")
        module.write_bytes(before + b"\n")
        done = run_study(study, "--cores", "2", "data/derived/models/fits.csv")
    finally:
        module.write_bytes(before)
    assert done.returncode == 0, done.stdout[-3000:]
    ran = re.findall(r"^Job \d+: (.+)$", done.stdout, flags=re.MULTILINE)
    assert "Reading metrics" in ran and len([job for job in ran if job.startswith("Fitting ")]) == 20, ran


def test_an_edited_model_refits_that_model_alone(demonstration, run_study, tmp_path):
    """Which models are fitted again is known once their rows were compared, so the run itself is looked at and not its plan."""
    study = tmp_path / "study"
    shutil.copytree(demonstration, study)
    path = study / "config/models/change_sel_practice.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("label: ", "label: Edited - ", 1), encoding="utf-8")
    done = run_study(study, "--cores", "2")
    assert done.returncode == 0, done.stdout[-3000:]
    ran = re.findall(r"^Job \d+: (.+)$", done.stdout, flags=re.MULTILINE)
    assert [job for job in ran if job.startswith("Fitting ")] == ["Fitting change_sel_practice"]
    assert {"Collecting the models", "Writing the report"} <= set(ran)
    assert not [job for job in ran if job.startswith(("Reading", "Checking", "Scoring", "Counting themes", "Building the tables"))], ran


@pytest.mark.parametrize(
    ("source", "spared"), [("forum", {"code_themes", "score_scales", "build_run_charts"}), ("metrics", {"code_themes", "score_scales"})]
)
def test_an_edited_raw_file_with_an_older_date_is_noticed(demonstration, run_study, source, spared):
    from bscstudy.loading import load_study

    path = demonstration / load_study(demonstration / "config")["sources"][source]["file"]
    before, stamp = path.read_bytes(), path.stat().st_mtime
    try:
        path.write_bytes(before.rstrip(b"\n") + b"\n\n")
        os.utime(path, (stamp - 100_000, stamp - 100_000))
        plan = planned(run_study(demonstration, "-n").stdout)
    finally:
        path.write_bytes(before)
        os.utime(path, (stamp, stamp))
    assert plan["ingest_source"] == 1 and "check_quality" in plan
    assert not spared & set(plan), plan


def test_a_raw_file_above_one_megabyte_is_compared_by_content(run_study, tmp_path):
    """Snakemake alone goes by the date above one megabyte: a touch would rerun, a restored older file would not."""
    study = tmp_path / "study"
    write_new_study(study)
    path = study / "data/raw/staff_after.csv"
    path.write_bytes(path.read_bytes() + b"\n" * 1_200_000)
    target = "data/derived/people.csv"
    done = run_study(study, "--cores", "2", target)
    assert done.returncode == 0, done.stdout[-3000:]
    stamp = path.stat().st_mtime
    os.utime(path, (stamp + 10_000, stamp + 10_000))
    assert "Nothing to be done" in run_study(study, "-n", target).stdout
    path.write_bytes(path.read_bytes()[:-1] + b" ")
    os.utime(path, (stamp - 100_000, stamp - 100_000))
    assert planned(run_study(study, "-n", target).stdout)["ingest_source"] == 1


def test_the_wrong_rule_never_makes_a_file(demonstration, run_study):
    done = run_study(demonstration, "-n", "--cores", "1", "reports/tables/nothing.csv")
    assert done.returncode != 0 and "MissingRuleException" in done.stdout


def test_same_bytes_at_another_number_of_cores_in_another_folder(demonstration, run_study, tmp_path):
    other = fresh_study(demonstration, tmp_path / "a folder with spaces")
    done = run_study(other, "--cores", "8")
    assert done.returncode == 0, done.stdout[-4000:]
    assert differing(digests(demonstration), digests(other)) == []


def test_a_forced_repeat_gives_the_same_bytes(demonstration, run_study, tmp_path):
    before = digests(demonstration)
    again = tmp_path / "again"
    shutil.copytree(demonstration, again)
    done = run_study(again, "--cores", "1", "--forceall")
    assert done.returncode == 0, done.stdout[-4000:]
    assert differing(before, digests(again)) == []


def test_a_killed_run_is_finished_by_the_same_command(demonstration, run_study, start_study, tmp_path):
    other = fresh_study(demonstration, tmp_path / "killed")
    for moment in (5, 14):
        run = start_study(other, "--cores", "2")
        time.sleep(moment)
        assert run.poll() is None, "the run ended before it could be killed"
        os.killpg(run.pid, signal.SIGKILL)
        run.communicate()
    done = run_study(other, "--cores", "2")
    assert done.returncode == 0, done.stdout[-4000:]
    assert differing(digests(demonstration), digests(other)) == []


def test_no_path_of_this_machine_is_in_the_outputs(demonstration):
    written = [
        p
        for top in ("data/derived", "reports")
        for p in (demonstration / top).rglob("*")
        if p.suffix in (".csv", ".json", ".html", ".svg", ".log")
    ]
    assert not [p.name for p in written if str(demonstration.parent) in p.read_text(encoding="utf-8")]
