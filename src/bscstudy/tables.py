"""Derived tables: one way to write and to read them, with a sidecar that says what each column is.

Every file appears whole or not at all: it is written beside its place and moved there in one step.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd

from bscstudy.errors import BscError

FLOAT_FORMAT = "%.10g"
#: text as pandas keeps it by default ("str"), missing cells NaN
TEXT = pd.StringDtype("python", na_value=np.nan)
#: rows turned into text at a time
PORTION = 20_000


@dataclass(frozen=True)
class Column:
    """What one column of a derived table holds.

    ``type`` is text, integer, number or date (ISO text). ``levels`` maps codes to the labels of the raw file.
    """

    name: str
    label: str = ""
    type: str = "text"
    units: str = ""
    source_item: str = ""
    wave: str = ""
    levels: dict[str, str] = field(default_factory=dict)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file so that it is either complete or absent."""
    _write_portions(path, [content])


def _write_portions(path: Path, portions: Iterable[bytes]) -> None:
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part{os.getpid()}")
    with open(part, "wb") as file:
        file.writelines(portions)
    os.replace(part, path)


def write_text(path: Path, content: str) -> None:
    """Write UTF-8 text with LF line ends, complete or absent."""
    write_bytes(path, content.encode("utf-8"))


def write_json(path: Path, content: object) -> None:
    """Write JSON with sorted keys and floats of ten significant digits; no value is ever NaN."""
    write_text(path, json.dumps(_plain(content), indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> dict:
    """Return the content of a JSON file."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def sidecar_path(path: Path) -> Path:
    """Return the path of the sidecar of a derived table."""
    return Path(path).with_suffix(".json")


def write_table(
    frame: pd.DataFrame,
    path: Path,
    *,
    key: list[str],
    columns: list[Column] | None = None,
    name: str = "",
    description: str = "",
    synthetic: bool = False,
    extra: dict | None = None,
) -> None:
    """Write a derived table sorted by its key, with its sidecar.

    Parameters
    ----------
    frame : DataFrame
        Text columns hold str, numbers int or float; missing is NA and is written as an empty cell.
    path : Path
        Ends in ``.csv``; the sidecar is the same path with ``.json``.
    key : list of str
        Columns that together name a row; no two rows may agree in all of them.
    columns : list of Column, optional
        One for each column that needs more than its name; the rest get a type from the data.

    Raises
    ------
    BscError
        BSC-KEY-001 if the key is not unique.
    """
    frame = frame.reset_index(drop=True)
    if key:
        repeated = int(frame.duplicated(subset=key).sum())
        if repeated:
            raise BscError(
                "BSC-KEY-001",
                f"{repeated} rows of the derived table '{name or Path(path).stem}' repeat the key {', '.join(key)}.",
                str(path),
                "A table whose rows cannot be told apart would count people twice.",
                "Correct the source, or exclude the surplus rows under `exclusions` in config/config.yaml with a reason.",
            )
        if len(key) > 1 or not frame[key[0]].is_monotonic_increasing:
            frame = frame.sort_values(key, kind="stable", na_position="first").reset_index(drop=True)
    described = {column.name: column for column in columns or []}
    full = [described.get(c, Column(c, label=c, type=_type_of(frame[c]))) for c in frame.columns]
    _write_portions(path, _csv_portions(frame))
    write_json(
        sidecar_path(path),
        {
            "name": name or Path(path).stem,
            "description": description,
            "synthetic": bool(synthetic),
            "key": key,
            "n_rows": len(frame),
            "columns": [asdict(column) for column in full],
            "extra": extra or {},
        },
    )


def read_table(path: Path, *, drop_excluded: bool = True, columns: list[str] | None = None) -> pd.DataFrame:
    """Read a derived table with the types its sidecar names, without the rows whose text column ``excluded`` gives a reason.

    With ``columns`` only these are read (``excluded`` among them, if rows are to be left out).

    Text and dates are str (missing: NA), integers are float where a value is missing, numbers are float.
    """
    meta = read_json(sidecar_path(path))
    kinds = {c["name"]: c["type"] for c in meta["columns"] if columns is None or c["name"] in columns}
    text = [name for name, kind in kinds.items() if kind in ("text", "date")]
    taken = dict.fromkeys(text, object)  # made text below, in a fraction of the time that "str" takes here
    frame = pd.read_csv(path, usecols=list(kinds), dtype=taken, keep_default_na=False, na_values={n: [""] for n in kinds})
    made = {name: pd.arrays.StringArray(frame[name].to_numpy(), dtype=TEXT) for name in text}
    made |= {name: pd.to_numeric(frame[name]) for name in kinds if name not in taken and frame[name].dtype == object}
    numbers = frame.drop(columns=text).copy()  # side by side in memory, as pandas wants what is added to
    frame = numbers.assign(**made)[list(frame.columns)]
    if drop_excluded and kinds.get("excluded") == "text":
        frame = frame[frame["excluded"].isna()].reset_index(drop=True)
    return frame


def read_sidecar(path: Path) -> dict:
    """Return the sidecar of a derived table."""
    return read_json(sidecar_path(path))


def _csv_portions(frame: pd.DataFrame) -> Iterator[bytes]:
    """Give what `DataFrame.to_csv` would write, in a fraction of its time: each distinct number of a portion is spelled once."""
    for start in range(0, max(len(frame), 1), PORTION):
        part = frame.iloc[start : start + PORTION]
        columns = [_spelled(part[name]) for name in part.columns]
        if len(columns) == 1:
            columns = [[cell or '""' for cell in columns[0]]]  # a blank line would be no row
        head = [] if start else [",".join(_quoted([str(name) for name in frame.columns]))]
        yield "\n".join([*head, *map(",".join, zip(*columns, strict=True)), ""]).encode("utf-8")


def _spelled(values: pd.Series) -> list[str]:
    """Return a column's cells as they stand in the file, blank for missing."""
    if pd.api.types.is_float_dtype(values):
        bits, distinct = pd.factorize(values.to_numpy(dtype=float, na_value=np.nan).view("int64"))  # 0 and -0 are two numbers here
        texts = ["" if number != number else FLOAT_FORMAT % number for number in distinct.view(float)]
        return np.array(texts, dtype=object)[bits].tolist()
    if isinstance(values.dtype, np.dtype) and values.dtype.kind in "iu":
        codes, distinct = pd.factorize(values.to_numpy())
        return np.array([str(number) for number in distinct.tolist()], dtype=object)[codes].tolist()
    cells = values.to_numpy(dtype=object, copy=True)
    cells[values.isna().to_numpy()] = ""
    return _quoted(cells.tolist())


def _quoted(cells: list) -> list[str]:
    """Return cells as the csv module writes them."""
    try:
        together = "".join(cells)
        if not any(mark in together for mark in ',"\r\n'):
            return cells
    except TypeError:  # not all of them are text
        pass
    rows: list[str] = []
    csv.writer(SimpleNamespace(write=rows.append), lineterminator="\n").writerows((cell, "") for cell in cells)
    return [row[: -len(",\n")] for row in rows]


def _type_of(values: pd.Series) -> str:
    if pd.api.types.is_bool_dtype(values) or pd.api.types.is_integer_dtype(values):
        return "integer"
    return "number" if pd.api.types.is_float_dtype(values) else "text"


def _plain(value: object) -> object:
    import math

    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, Path):
        return value.as_posix()
    if isinstance(value, (np.bool_, bool)):
        return bool(value)
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return None if not math.isfinite(value) else float(FLOAT_FORMAT % value)
    return None if value is pd.NA else value
