"""A meta-inference is signed: author, date, and the published values it rests on are written beside the statement."""

from __future__ import annotations

import datetime
from pathlib import Path

import pandas as pd

from bscstudy.config import read_yaml
from bscstudy.errors import BscError, nearest
from bscstudy.inferences.references import FILE
from bscstudy.integrate.meta_inferences import REFERS_TO_NOTHING, Published, digest_of, judge, references_of
from bscstudy.loading import load_study
from bscstudy.tables import read_table, write_bytes
from bscstudy.waves.config_text import with_keys

VALUES = "data/derived/integrate/meta_inference_values.csv"
INFERENCES = "data/derived/integrate/meta_inferences.csv"


def published_now(folder: Path, inferences: list[dict]) -> dict[str, dict[str, Published] | None]:
    """Return, for each meta-inference, the values published by the last run; None where the run knew it with other references.

    Raises
    ------
    BscError
        BSC-QUA-072 if there has been no run with meta-inferences.
    """
    path = Path(folder) / VALUES
    if not path.is_file():
        raise BscError(
            "BSC-QUA-072",
            "The published values that meta-inferences rest on have not been made.",
            str(path),
            "Without them it cannot be said what an inference rests on, or whether it is stale.",
            "Run `snakemake` in the study's folder first.",
        )
    rows = read_table(path)
    found: dict[str, dict[str, Published] | None] = {}
    for inference in inferences:
        own = rows[(rows["inference"] == inference["id"]) & rows["place"].notna()]
        references = references_of(inference)
        found[inference["id"]] = {name: _values(own[own["reference"] == name]) for name in references}
        if set(own["reference"]) != set(references):
            found[inference["id"]] = None
    return found


def sign(folder: Path, name: str, author: str, date: str) -> dict[str, dict[str, str]]:
    """Sign a meta-inference: write author, date, digest and values into config/meta_inferences.yaml, all else as it was.

    Parameters
    ----------
    folder : Path
        The study's folder.
    name : str
        Id of the meta-inference; one that is signed is signed anew.
    author, date : str
        Who signs, and the day as YYYY-MM-DD.

    Returns
    -------
    dict
        Reference -> its published values, which it now rests on.

    Raises
    ------
    BscError
        BSC-QUA-072 nothing was published yet; BSC-QUA-073 no meta-inference has this id; BSC-QUA-074 author or date is no name or day;
        BSC-QUA-075 fit or statement is not written; BSC-QUA-076 the last run knew it with other references; BSC-QUA-077 it refers
        to a result that is not there; BSC-QUA-078 the file cannot be edited as text. Nothing is then changed.
    """
    folder = Path(folder)
    study = load_study(folder / "config")
    inference = _named(study["meta_inferences"], name)
    _check_words(inference, author, date)
    now = published_now(folder, [inference])[name]
    if now is None:
        raise BscError(
            "BSC-QUA-076",
            f"The results and themes of '{name}' are not those of the last run.",
            f"{FILE}, {name}",
            "It would be signed on values that nobody has looked at.",
            "Run `snakemake`, look at the report, then sign.",
        )
    if judge(inference, now).state == REFERS_TO_NOTHING:
        raise BscError(
            "BSC-QUA-077",
            f"The meta-inference '{name}' refers to results that are not there.",
            tuple(f"{FILE}, {name}: {reference}" for reference, values in now.items() if values is None),
            "A statement cannot rest on a result that was never published.",
            "Correct the reference; terms, indices and groups are written as in data/derived.",
        )
    _write(folder / FILE, name, {"author": author, "date": date, "rests_on": digest_of(now), "rested_on": dict(sorted(now.items()))})
    return now


def _values(rows: pd.DataFrame) -> Published:
    rows = rows[rows["now"].notna()].sort_values("order")
    return dict(zip(rows["value"], rows["now"], strict=True)) or None


def _named(inferences: list[dict], name: str) -> dict:
    known = [inference["id"] for inference in inferences]
    if name in known:
        return inferences[known.index(name)]
    raise BscError(
        "BSC-QUA-073",
        f"There is no meta-inference '{name}'. {nearest(name, known)}".rstrip(),
        FILE,
        "Nothing can be signed.",
        "Name one that the file has; `bscstudy inferences` lists them.",
    )


def _check_words(inference: dict, author: str, date: str) -> None:
    try:
        day = datetime.date.fromisoformat(date).isoformat() == date
    except ValueError:
        day = False
    if not author.strip() or not author.isprintable() or not day:
        raise BscError(
            "BSC-QUA-074",
            "A signature needs a name and a day.",
            f"--author, --date of '{inference['id']}'",
            "The report prints who signed and when.",
            'Write --author "NAME" --date YYYY-MM-DD.',
        )
    absent = [key for key in ("fit", "statement") if not inference.get(key)]
    if absent:
        raise BscError(
            "BSC-QUA-075",
            f"The meta-inference '{inference['id']}' has no {' and no '.join(absent)} yet.",
            f"{FILE}, {inference['id']}",
            "What the program proposes is no judgement; people sign their own words.",
            "Write `fit` and `statement` into the entry, then sign.",
        )


def _write(path: Path, name: str, values: dict) -> None:
    """Write the keys as an edit of the text, if the file then reads as it should."""
    import yaml

    before = read_yaml(path)
    wanted = [{**entry, **values} if entry["id"] == name else entry for entry in before["meta_inferences"]]
    text = path.read_bytes().decode("utf-8")
    try:
        edited = with_keys(text, "meta_inferences", name, values)
        good = yaml.safe_load(edited) == {"meta_inferences": wanted}
    except (KeyError, yaml.YAMLError):
        good = False
    if not good:
        raise BscError(
            "BSC-QUA-078",
            f"The entry '{name}' cannot be edited as text.",
            str(path),
            "Something else of the file would change, such as an entry that others refer to by an anchor.",
            "Write the entry out in full, without anchors and merged keys.",
        )
    write_bytes(path, edited.encode("utf-8"))
