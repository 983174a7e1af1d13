"""A meta-inference turns stale when a result it refers to changes with a corrected file or a model's sample; others do not."""

import csv
import shutil

import pandas as pd
import pytest

from bscstudy.cli import main
from bscstudy.loading import load_study

pytestmark = pytest.mark.slow

METRICS = "data/raw/fidelity/monthly_metrics.csv"
MODEL = "config/models/change_family_partnership.yaml"
SIGN = ["sign-inference", "families_heard", "--author", "A. Invented", "--study"]


@pytest.fixture
def study(demonstration, tmp_path):
    shutil.copytree(demonstration, tmp_path / "study")
    return tmp_path / "study"


@pytest.fixture
def judged(study, run_study):
    """Make the exhibit of the meta-inferences again; returns the table as shown and the states."""
    exhibit = next(row["exhibit"] for row in load_study(study / "config")["exhibits"] if row["kind"] == "meta_inferences")

    def judge():
        done = run_study(study, "--cores", "2", f"reports/tables/{exhibit}.html")
        assert done.returncode == 0, done.stdout[-4000:]
        states = pd.read_csv(study / "data/derived/integrate/meta_inferences.csv", index_col="inference")["state"]
        return pd.read_csv(study / f"reports/tables/{exhibit}.csv"), states

    return judge


def edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def correct_metrics(study):
    """A third fewer families with two-way talk in one collaborative."""
    with open(study / METRICS, encoding="utf-8", newline="") as handle:
        rows = list(csv.reader(handle))
    metric, numerator, center = (rows[0].index(name) for name in ("metric", "numerator", "center"))
    for row in rows[1:]:
        if row[metric] == "family_communication" and row[center].startswith("A") and row[numerator].isdigit():
            row[numerator] = str(int(row[numerator]) * 2 // 3)
    with open(study / METRICS, "w", encoding="utf-8", newline="") as handle:
        csv.writer(handle, lineterminator="\n").writerows(rows)


def changed(table):
    rows = table[~table["When signed"].isin(["the same", "–"])]
    return {row["Rests on"]: (row["When signed"], row["Now"]) for row in rows.to_dict("records") if "Family" in row["Meta-inference"]}


def test_an_inference_turns_stale_when_what_it_rests_on_changes(study, judged, capsys):
    edit(
        study / "config/meta_inferences.yaml",
        "themes: [family_voice]",
        "themes: [family_voice]\n    fit: expand\n    statement: More talk.",
    )
    assert main([*SIGN, str(study), "--date", "2025-12-01"]) == 0
    table, first = judged()
    assert first["families_heard"] == "signed" and not changed(table)

    correct_metrics(study)
    table, states = judged()
    assert states["families_heard"] == "stale" and states.drop("families_heard").equals(first.drop("families_heard"))
    assert changed(table)["Families with two-way talk, centre line"][0] == "56%"
    assert all(old != new for old, new in changed(table).values())
    assert not [name for name in changed(table) if name.startswith("Change in family partnership")]
    capsys.readouterr()
    assert main(["inferences", "--study", str(study)]) == 0
    assert "run_chart family_communication, group all, centre line: 56% -> " in capsys.readouterr().out

    assert main([*SIGN, str(study), "--date", "2025-12-02"]) == 0
    edit(study / MODEL, "roles: [director, teacher, assistant, support]", "roles: [director, teacher, assistant]")
    table, states = judged()
    assert states["families_heard"] == "stale" and states.drop("families_heard").equals(first.drop("families_heard"))
    assert {name.partition(", ")[0] for name in changed(table)} == {"Change in family partnership"}
