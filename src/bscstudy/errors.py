"""Errors a researcher can act on: what happened, where, why it matters, what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

EXIT_CODES = {"CFG": 2, "SRC": 3, "DAT": 3, "KEY": 3, "QUA": 3, "WAV": 3, "MOD": 4, "LMM": 4}


@dataclass(eq=False)
class BscError(Exception):
    """A fault in a study's files or configuration, said in four parts.

    Parameters
    ----------
    code : str
        ``BSC-XXX-000``; the middle part is the family (CFG configuration, SRC source files, DAT values, KEY keys,
        QUA qualitative files, MOD models) and decides the exit code; every code is in docs/errors.md.
    what, why, todo : str
        One or two plain sentences each. Never a name, a quote or a cell's value.
    where : str or tuple of str
        File, sheet, row and column; one line for each place. All places of one kind go into one error.
    """

    code: str
    what: str
    where: str | tuple[str, ...]
    why: str
    todo: str

    @property
    def exit_code(self) -> int:
        """What the program ends with, by the family of the code."""
        return EXIT_CODES[self.code.split("-")[1]]

    def __str__(self) -> str:
        places = (self.where,) if isinstance(self.where, str) else tuple(self.where)
        lines = [f"{self.code}: {self.what}", f"  Where: {places[0] if places else '(whole study)'}"]
        lines += [f"         {place}" for place in places[1:]]
        lines += [f"  Why it matters: {self.why}", f"  What to do: {self.todo}"]
        return "\n".join(lines)

    def __reduce__(self):
        return (BscError, (self.code, self.what, self.where, self.why, self.todo))


SHOWN_ROWS = 20


def rows_said(rows: Iterable) -> str:
    """Return ``, row 4`` or ``, rows 4, 5 and 3 more`` for row numbers in a file, nothing where there is none."""
    numbers = sorted({int(row) for row in rows})
    shown = ", ".join(str(row) for row in numbers[:SHOWN_ROWS])
    more = f" and {len(numbers) - SHOWN_ROWS} more" if len(numbers) > SHOWN_ROWS else ""
    return f", {'row' if len(numbers) == 1 else 'rows'} {shown}{more}" if numbers else ""


def nearest(word: str, known: list[str]) -> str:
    """Return ``Did you mean 'x'?`` for the nearest known spelling, or an empty string."""
    import difflib

    found = difflib.get_close_matches(str(word), [str(k) for k in known], n=1, cutoff=0.6)
    return f"Did you mean '{found[0]}'?" if found else ""


def unknown_names(where: str, what: str, names: Iterable[str], known: Iterable[str]) -> list[str]:
    """Return a sentence for each name that is not among the known ones, with the nearest spelling."""
    known = list(dict.fromkeys(known))
    return [f"{where}: the {what} '{n}' does not exist. {nearest(n, known)}".rstrip() for n in names if n not in known]
