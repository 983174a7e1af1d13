"""Nothing that the demonstration's report withholds can be had from its other numbers."""

import json
import shutil

import pandas as pd
import pytest
from report_attack import Ledger, attack

from bscstudy.loading import load_study

#: groups that divide everybody, by the labels under which the report prints them
PROGRAMS = ["Child care", "Head start"]


def read_report(study, reports):
    labels = {name: [row["label"] for row in study[name]] for name in ("roles", "waves", "collaboratives")}
    staff = [label for label in labels["roles"] if label != "Parent"]
    groups = {**labels, "staff": staff, "core": ["Core team", "Other staff"], "program": PROGRAMS}
    themes = {row["theme"]: row["label"] for row in study["themes"]}
    return attack(reports, study["privacy"]["min_cell"], groups, themes)


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        ({"all": "20", "a": "<5", "b": "9", "c": "9"}, {"a": (2, 2)}),
        ({"all": "20", "a": "<5", "b": "hidden", "c": "9"}, {}),
        ({"all": "17", "a": "<5", "b": "<5", "c": "9"}, {"a": (4, 4), "b": (4, 4)}),
        ({"all": "14", "a": "hidden", "b": "hidden", "c": "9"}, {}),
    ],
)
def test_the_attack_finds_what_sums_tell(cells, found):
    ledger = Ledger(min_cell=5)
    for name, cell in cells.items():
        ledger.know(name, cell)
    ledger.total("all", ["a", "b", "c"])
    assert ledger.found() == found


@pytest.mark.slow
def test_no_withheld_count_of_the_report_can_be_found(demonstration):
    ledger = read_report(load_study(demonstration / "config"), demonstration / "reports")
    assert len(ledger.withheld) > 100 and len(ledger.bounds) > 1000, "the attack reads the report"
    assert not ledger.found()


@pytest.mark.slow
def test_the_attack_finds_a_leak_that_is_put_back(demonstration, tmp_path):
    """The number present of a role that is withheld beside another, as it would stand there without its complement."""
    for part in ("tables", "data"):
        shutil.copytree(
            demonstration / "reports" / part, tmp_path / part, ignore=lambda folder, names: [n for n in names if "attend" not in n]
        )
    (path,) = tmp_path.glob("tables/*attendance.csv")
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    people = pd.read_csv(demonstration / "data/derived/measures/attendance.csv", dtype=str, keep_default_na=False)
    labels = {row["label"]: row["id"] for row in load_study(demonstration / "config")["roles"]}
    session = table["Session"].iloc[0]
    row = table[(table["Session"] == session) & (table["Present"] == "–")].index[0]
    mine = people[
        (people["session"] == session.split(" ")[0]) & (people["role"] == labels[table.loc[row, "Role"]]) & (people["mode"] == "all")
    ]
    table.loc[row, "Present"] = mine.loc[mine["collaborative"] == "all", "n_present"].iloc[0]
    table.to_csv(path, index=False)
    assert {name[:2] for name in read_report(load_study(demonstration / "config"), tmp_path).found()} == {("attendance", session)}


@pytest.mark.slow
def test_the_numbers_behind_the_figures_hold_no_withheld_share(demonstration):
    records = {p.stem: json.loads(p.read_text(encoding="utf-8")) for p in (demonstration / "reports/data").glob("*.json")}
    frames = {
        name: [pd.DataFrame(r[part]["rows"], columns=r[part]["columns"]) for part in ("table", "data")]
        for name, r in records.items()
        if r["kind"] in ("attendance", "reported", "theme_heatmap")
    }
    assert len(frames) >= 4
    for name, (table, data) in frames.items():
        if "Share" in table:
            assert data["share"].isna().sum() == (table["Share"] == "–").sum()
        elif "Item" in table:
            waves = [c for c in table if c not in ("Item", "Group") and not c.startswith(("Kept", "Taken"))]
            assert data["share"].isna().sum() == (table[waves] == "hidden").sum().sum()
        else:
            banded = ~data["raised"].str.contains(r"^\d+ of|^not asked", regex=True)
            assert banded.any() and data.loc[banded, ["n_asked", "n_present", "share", "net_direction"]].isna().all(axis=None), name
