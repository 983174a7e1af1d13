"""Time in pieces: numeric columns that rise from 0 to 1 over a part of the study, such as during the collaborative and after it.

The coefficient of a piece is the change over the whole piece, whatever its length; docs/adr/0014 says why.
"""

from __future__ import annotations

from datetime import date

import pandas as pd

from bscstudy.errors import BscError, nearest
from bscstudy.models.rows import model_file, unknown_column


def with_time_pieces(spec: dict, tables: dict[str, pd.DataFrame], waves: list[dict]) -> dict[str, pd.DataFrame]:
    """Return the analysis tables, the model's own with a column for each piece its file declares under ``time``.

    Parameters
    ----------
    spec : dict
        A model of ``config/models``; ``time`` is {name: [first wave, last wave]}.
    waves : list of dict
        Section ``waves``: id, order, and start and end (ISO dates) where they are known.

    Raises
    ------
    BscError
        BSC-MOD-012 if rows have no wave, 019 for a wave that does not exist, 020 for a wave within a piece without dates,
        021 for a piece whose waves do not follow each other.
    """
    pieces, table = spec.get("time") or {}, tables.get(spec["unit"])
    if not pieces or table is None:
        return tables
    where = f"{model_file(spec)}, time"
    if "wave" not in table:
        raise unknown_column("wave", where, list(table.columns))
    wanted = (spec.get("sample") or {}).get("waves")
    present = sorted(set(table["wave"].dropna().astype(str)) & set(map(str, wanted)) if wanted else set(table["wave"].dropna().astype(str)))
    columns = {}
    for name, (first, last) in pieces.items():
        values = piece_values(str(first), str(last), present, waves, f"{where}.{name}")
        columns[name] = table["wave"].astype(str).map(values).astype(float)
    return {**tables, spec["unit"]: table.assign(**columns)}


def piece_values(first: str, last: str, present: list[str], waves: list[dict], where: str) -> dict[str, float]:
    """Return the value of a piece at each wave that is present: 0 up to its first wave, 1 from its last on.

    A wave in between stands at its share of the days from the middle of the first wave to the middle of the last one. Waves that the
    study does not declare have no value.

    Checked against: days counted by hand in tests/unit/test_models_time.py.
    """
    known = {str(wave["id"]): wave for wave in waves}
    for name in (first, last):
        if name not in known:
            raise _unknown_wave(name, where, list(known))
    order = {name: float(wave["order"]) for name, wave in known.items()}
    if not order[first] < order[last]:
        raise _not_in_time(where)
    return {name: _value(name, first, last, known, order, where) for name in present if name in known}


def _value(name: str, first: str, last: str, known: dict, order: dict, where: str) -> float:
    if order[name] <= order[first]:
        return 0.0
    if order[name] >= order[last]:
        return 1.0
    middles = [_middle(known[n]) for n in (first, name, last)]
    if None in middles:
        raise _undated([n for n, middle in zip((first, name, last), middles, strict=True) if middle is None], where)
    start, middle, end = middles
    if not start < middle < end:
        raise _not_in_time(where)
    return (middle - start) / (end - start)


def _middle(wave: dict) -> float | None:
    """Day in the middle of a wave, None without both dates."""
    if not wave.get("start") or not wave.get("end"):
        return None
    return (date.fromisoformat(str(wave["start"])).toordinal() + date.fromisoformat(str(wave["end"])).toordinal()) / 2


def _unknown_wave(name: str, where: str, known: list[str]) -> BscError:
    return BscError(
        "BSC-MOD-019",
        f"A piece of time names the wave '{name}', which the study does not have. {nearest(name, known)}".rstrip(),
        where,
        "It is not known when the piece starts or ends.",
        "Name two waves of config/config.yaml, the earlier one first.",
    )


def _undated(names: list[str], where: str) -> BscError:
    return BscError(
        "BSC-MOD-020",
        f"A wave lies within a piece of time, and {' and '.join(names)} have no dates that say how far.",
        where,
        "How much of the change should have come by then is not known.",
        "Give these waves `start` and `end` in config/config.yaml, or leave the wave in between out under `sample.waves`.",
    )


def _not_in_time(where: str) -> BscError:
    return BscError(
        "BSC-MOD-021",
        "The waves of a piece of time do not follow each other.",
        where,
        "A change backwards in time would have the wrong sign.",
        "Name the earlier wave first, and let `order` and the dates of the waves in config/config.yaml agree.",
    )
