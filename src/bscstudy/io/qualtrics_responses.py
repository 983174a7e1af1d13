"""Which responses of a Qualtrics export count: previews, tests, spam and unfinished ones dropped by rule and counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from bscstudy.errors import BscError
from bscstudy.io.raw import Notice, RawTable, code_text, places, repeated_record

#: bits of the response type that Qualtrics writes as a number (1 preview, 2 test, 4 imported, 8 spam, 16 offline, 32 experience
#: management), and the words of its English labels
_BITS = {"preview": 1, "test": 2, "spam": 8}
_LABELS = {
    "ip address", "survey preview", "survey test", "imported", "spam", "possible spam", "preview spam", "survey preview spam",
    "imported spam", "offline", "offline preview", "offline survey preview", "offline spam", "ex", "ex spam", "ex offline", "synthetic",
}  # fmt: skip
_HIGHEST_STATUS = 63
_FINISHED = {"1": True, "true": True, "0": False, "false": False}


def check_distinct(path: Path, table: RawTable, system: dict[str, str]) -> None:
    """Check that no response is in the export twice (BSC-SRC-062)."""
    column = system.get("response_id")
    if not column:
        return
    ids = [text.strip() for text in table.frame[column]]
    counts = Counter(ids)
    again = [int(row) for row, name in zip(table.rows, ids, strict=True) if name and counts[name] > 1]
    if again:
        raise repeated_record(path, [f"line {row}" for row in again])


def drop_responses(path: Path, table: RawTable, system: dict[str, str], rules: list[str]) -> RawTable:
    """Leave out the responses that a rule names.

    Parameters
    ----------
    path : Path
        For messages.
    table : RawTable
        All responses.
    system : dict
        ``status``, ``finished``, ``channel`` -> column, as far as the file has them.
    rules : list of str
        Of ``preview, test, spam, unfinished``, in the order in which a response is counted: it counts for the first that fits.

    Returns
    -------
    RawTable
        The others. Provenance has ``n_responses`` (before) and ``n_dropped`` by rule; a notice names each rule's number, and
        each preview, test or spam response that stays is pointed to.

    Raises
    ------
    BscError
        BSC-SRC-066 a rule that cannot be judged: its column is missing or holds what is not known; -067 no response left.
    """
    flags = {rule: judge(table, system) for rule, judge in _JUDGES.items()}
    faults = [fault for rule in rules for fault in _unjudged(path, table, rule, system, flags[rule])]
    if faults:
        raise BscError(
            "BSC-SRC-066",
            "A rule of `drop` cannot be judged for every response.",
            places(faults),
            "Previews or spam would be counted as answers, or answers would be lost.",
            "Export with the response's own columns (Status, Finished) as codes or English labels, or use `keep_where` instead.",
        )
    out, counts = np.zeros(len(table.rows), dtype=bool), {}
    for rule in rules:
        hit = (flags[rule] == 1) & ~out
        counts[rule] = int(hit.sum())
        out |= hit
    if out.all():
        raise _nothing_left(path)
    notices = [Notice("dropped_response", f"{rule} responses dropped", n=n, unit="rows") for rule, n in counts.items() if n]
    for rule in sorted(set(_BITS) - set(rules)):
        rows = tuple(int(row) for row in table.rows[(flags[rule] == 1) & ~out])
        notices += (
            [Notice("test_response", f"{rule} response among those used", system.get("status", ""), rows, unit="rows")] if rows else []
        )
    provenance = {
        **table.provenance,
        "n_responses": len(out),
        "n_dropped": counts,
        "n_unfinished": int(((flags["unfinished"] == 1) & ~out).sum()),
    }
    return replace(table.only(~out), provenance=provenance, notices=table.notices + tuple(notices))


def _flag_of(kind: str) -> Callable[[RawTable, dict], np.ndarray]:
    def judge(table: RawTable, system: dict[str, str]) -> np.ndarray:
        """Return 1 yes, 0 no, -1 not known for each response."""
        by_status = _judged(table, system.get("status"), lambda text: _status_flag(text, kind))
        if kind != "preview" or "channel" not in system:
            return by_status
        by_channel = np.array([text.strip().lower() == "preview" for text in table.frame[system["channel"]]])
        return np.where(by_channel, 1, by_status if "status" in system else 0)

    return judge


def _status_flag(text: str, kind: str) -> int:
    code = code_text(text)
    if code.isdigit():
        return int(bool(int(code) & _BITS[kind])) if int(code) <= _HIGHEST_STATUS else -1
    word = " ".join(text.lower().split())
    return int(kind in word.split()) if word in _LABELS else -1


def _unfinished(table: RawTable, system: dict[str, str]) -> np.ndarray:
    flags = _judged(table, system.get("finished"), lambda text: int(_FINISHED.get(code_text(text).lower(), -1)))
    return np.where(flags < 0, -1, 1 - flags)


def _judged(table: RawTable, column: str | None, judge: Callable[[str], int]) -> np.ndarray:
    if not column:
        return np.full(len(table.rows), -1)
    known = {text: judge(text) for text in set(table.frame[column])}
    return np.array([known[text] for text in table.frame[column]])


_JUDGES = {**{kind: _flag_of(kind) for kind in _BITS}, "unfinished": _unfinished}


def _unjudged(path: Path, table: RawTable, rule: str, system: dict[str, str], flags: np.ndarray) -> list[str]:
    column = system.get("finished") if rule == "unfinished" else system.get("status", system.get("channel") if rule == "preview" else None)
    if not column:
        return [f"{path}, rule '{rule}': no column '{'Finished' if rule == 'unfinished' else 'Status'}'"]
    return [f"{path}, line {row}, column '{column}', rule '{rule}'" for row in table.rows[flags < 0]]


def _nothing_left(path: Path) -> BscError:
    return BscError(
        "BSC-SRC-067",
        "The rules of `drop` leave no response.",
        str(path),
        "A source without records would make its measures vanish without a word.",
        "Correct `drop` of this source in config/sources.yaml, or check the export.",
    )
