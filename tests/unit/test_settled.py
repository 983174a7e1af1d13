"""Settled tables keep their date while their content stays, and what was lost or edited is settled again."""

import os

import pandas as pd
import pytest

from bscstudy.settled import forget_unsettled, settle_json, settle_table, write_index

TABLE = pd.DataFrame({"center_id": ["C1", "C2"], "size": [3, 4]})


@pytest.fixture
def settle(tmp_path):
    folder = tmp_path / "settled" / "people"

    def once(frame=TABLE, name="centers"):
        write_index(
            folder / "index.json", settle_table(frame, folder / f"{name}.csv", key=["center_id"]) + settle_json([1], folder / "a.json")
        )
        for path in folder.iterdir():
            os.utime(path, (1, 1)) if path.stat().st_mtime > 10 else None
        return folder

    return once


def touched(folder):
    """Names of the files that a second settling wrote."""
    return {path.name for path in folder.iterdir() if path.stat().st_mtime > 10}


def test_only_what_differs_is_written(settle):
    folder = settle()
    files = settle_table(TABLE, folder / "centers.csv", key=["center_id"])
    assert not {path.name for path in files} & touched(folder)
    settle_table(TABLE.assign(size=[3, 5]), folder / "centers.csv", key=["center_id"])
    assert touched(folder) == {"centers.csv"}
    assert "C2,5" in (folder / "centers.csv").read_text()


def test_what_is_no_longer_listed_goes(settle):
    settle()
    folder = settle(name="others")
    assert {path.name for path in folder.iterdir()} == {"index.json", "a.json", "others.csv", "others.json"}


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_text("center_id,size\nC1,9\n")])
def test_a_lost_or_edited_file_is_settled_again(settle, damage):
    folder = settle()
    forget_unsettled(folder.parent)
    assert (folder / "index.json").is_file()
    damage(folder / "centers.csv")
    forget_unsettled(folder.parent)
    assert not (folder / "index.json").exists()
