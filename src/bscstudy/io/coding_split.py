"""Codes that a program writes into one cell, told apart although their names may hold the mark that separates them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

MARK = ", "
#: a cell with more parts is refused
MOST_PARTS = 200


def split_codes(cells: Sequence[str], counts: Sequence[float], codebook: Iterable[str] = ()) -> tuple[list[list[str]], list[int]]:
    """Return the codes of each cell, and the cells that cannot be told apart.

    Parameters
    ----------
    cells : sequence of str
        Codes of one passage, each on a line of its own or separated by a comma and a space; a name may hold one too.
    counts : sequence of float
        How many codes each cell holds, as the program says; NaN where it does not.
    codebook : iterable of str
        Every code there is; without it, the codes of cells that can be read in one way only. A program may leave a code of a single
        passage out of its codebook: one code of a cell may be unknown where the number of codes leaves one reading.

    Returns
    -------
    tuple of list
        Codes of each cell (none where it is blank or cannot be told apart), and the places of cells that hold another number of
        codes than they should, that can be read in several ways, or in none.
    """
    parts = [_parts(cell) for cell in cells]
    known = set(codebook)
    if not known:
        sure = (p for p, n in zip(parts, counts, strict=True) if len(p) == n or (n != n and len(p) == 1))
        known = {code for codes in sure for code in codes}
        known |= {cell.strip() for cell, n in zip(cells, counts, strict=True) if n == 1}
    made: dict[tuple[str, float], list[list[str]]] = {}
    found, unclear = [], []
    for at, (cell, own, n) in enumerate(zip(cells, parts, counts, strict=True)):
        key = (cell, -1.0 if n != n else n)
        if key not in made:
            lined = "\n" in cell.strip() and (n != n or n == len(own))
            made[key] = [own] if lined else _readings(own, n, known, strict=bool(codebook))
        readings = made[key]
        found.append(readings[0] if len(readings) == 1 else [])
        unclear += [at] if len(readings) != 1 else []
    return found, unclear


def _parts(cell: str) -> list[str]:
    lines = [line.strip() for line in cell.strip().split("\n") if line.strip()]
    return lines if len(lines) != 1 else [part.strip() for part in lines[0].split(MARK)]


def _readings(parts: list[str], n: float, known: set[str], *, strict: bool) -> list[list[str]]:
    """Return up to two ways in which the parts are codes; where their number is right and no codebook says otherwise, one."""
    if not parts:
        return [[]] if n != n or n == 0 else []
    if n == len(parts) and not strict:
        return [parts]
    if n == 1 and not strict:
        return [[MARK.join(parts)]]
    if n != n and len(parts) == 1 and not strict:
        return [parts]
    if len(parts) > MOST_PARTS:
        return []
    ways = _ways(parts, n, known, n_unknown=int(strict and n == n))
    fewest = min((unknown for _, _, unknown in ways), default=0)
    return [codes for codes, _, unknown in ways if unknown == fewest][:2]


def _ways(parts: list[str], n: float, known: set[str], n_unknown: int) -> list[tuple[list[str], int, int]]:
    """Return the ways to join neighbouring parts to n codes, at most so many of them unknown: codes, their number, the unknown."""
    ways: list[list[tuple[list[str], int, int]]] = [[([], 0, 0)]]
    for end in range(1, len(parts) + 1):
        here: dict[tuple[int, int], list[list[str]]] = {}
        for start in range(end):
            code = MARK.join(parts[start:end])
            strange = int(code not in known)
            for codes, m, unknown in ways[start]:
                if unknown + strange <= n_unknown and (n != n or m < n):
                    here.setdefault((m + 1, unknown + strange), []).append([*codes, code])
        ways.append([(codes, m, unknown) for (m, unknown), found in here.items() for codes in found[:2]])
    return [way for way in ways[-1] if n != n or way[1] == n]
