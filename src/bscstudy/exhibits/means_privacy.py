"""Which cells of a table of means must be withheld: the small ones, and those that would give a small one away."""

from __future__ import annotations

from bscstudy.privacy import COMPLEMENT, is_small, sum_is_safe


def withheld_cells(
    cells: list[str], counts: list[float], min_cell: int, besides: list[bool] | None = None
) -> tuple[list[bool], list[object]]:
    """Return which cells are withheld, and each cell's count as shown.

    Parameters
    ----------
    cells : list of str
        Levels of the factors joined by ``:``; all cells of one set of means.
    counts : list of float
        Rows in each cell; missing counts as nothing known and is shown as such.
    min_cell : int
        Smallest count shown.
    besides : list of bool, optional
        Cells that are withheld for another reason; their count is hidden.

    Notes
    -----
    A small cell is withheld. Along every factor, where a single cell of a line (or of the whole set) is withheld, or the withheld ones
    could not be any small number beside a margin shown elsewhere (`bscstudy.privacy.sum_is_safe`), the next smallest that is not empty
    is withheld too, until nothing changes. Where a line has no more to withhold, its small counts are ``hidden`` too.
    """
    small = [is_small(n, min_cell) for n in counts]
    withheld = [s or b for s, b in zip(small, besides or [False] * len(small), strict=True)]
    lines = _lines([cell.split(":") for cell in cells])
    changed = True
    while changed:
        changed = False
        for line in lines:
            inside = [i for i in line if withheld[i]]
            rest = sorted(
                (i for i in line if not withheld[i] and counts[i] == counts[i] and counts[i] > 0), key=lambda i: (counts[i], cells[i])
            )
            if not _safe(inside, small, counts, min_cell) and rest:
                withheld[rest[0]] = changed = True
    told = [s and all(i not in line or len(line) == 1 or _safe([j for j in line if withheld[j]], small, counts, min_cell) for line in lines)
            for i, s in enumerate(small)]  # fmt: skip
    shown = [
        f"<{min_cell}" if t else COMPLEMENT if w else None if n != n else int(n) for t, w, n in zip(told, withheld, counts, strict=True)
    ]
    return withheld, shown


def _safe(inside: list[int], small: list[bool], counts: list[float], min_cell: int) -> bool:
    """Return whether the withheld cells of a line can be told by no margin."""
    known = [i for i in inside if counts[i] == counts[i]]
    few, others = ([int(counts[i]) for i in known if small[i] == wanted] for wanted in (True, False))
    return len(inside) != 1 and (len(known) < len(inside) or sum_is_safe(few, others, min_cell))


def _lines(levels: list[list[str]]) -> list[list[int]]:
    """Return the sets of cells that add up to a margin: all of them, and those that agree in all factors but one, or in one alone."""
    found = {("all",): list(range(len(levels)))}
    for factor in range(max(len(level) for level in levels)):
        for i, level in enumerate(levels):
            if factor < len(level) and len(level) > 1:
                found.setdefault(("one", factor, level[factor]), []).append(i)
                found.setdefault(("rest", factor, *level[:factor], *level[factor + 1 :]), []).append(i)
    return list(found.values())
