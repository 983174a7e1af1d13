"""How many stayed, left and came between two waves, as it may be shown: numbers where none is small, else ranges or nothing."""

from __future__ import annotations

from dataclasses import dataclass

from bscstudy.privacy import is_small


@dataclass(frozen=True)
class Gap:
    """What a reader knows of the movements between two waves: the people in both, and who stayed as a range (None: not shown)."""

    before: int
    now: int
    stayed: tuple[int, int] | None

    @property
    def exact(self) -> bool:
        """Whether the numbers themselves are shown."""
        return self.stayed is not None and self.stayed[0] == self.stayed[1]

    @property
    def left(self) -> tuple[int, int] | None:
        """Who was there in the wave before and not in this one."""
        return None if self.stayed is None else (self.before - self.stayed[1], self.before - self.stayed[0])

    @property
    def came(self) -> tuple[int, int] | None:
        """Who is there in this wave and was not in the wave before: joined or returned."""
        return None if self.stayed is None else (self.now - self.stayed[1], self.now - self.stayed[0])

    def words(self, name: str, less: int = 0) -> int | str | None:
        """Return `stayed`, `left` or `came`, less a number, as shown: a number, ``3 to 7``, or None."""
        ends = getattr(self, name)
        if ends is None:
            return None
        low, high = (max(0, end - less) for end in ends)
        return low if low == high else f"{low} to {high}"


def gap_of(before: int, now: int, stayed: int, min_cell: int) -> Gap:
    """Return the movements between two waves as they may be shown beside the numbers of people in both.

    Parameters
    ----------
    before, now : int
        People in the wave before and in this one; known to every reader.
    stayed : int
        People in both.
    min_cell : int
        Smallest count shown.

    Notes
    -----
    Given the people of both waves all three movements follow from one of them. Numbers are shown if none is from 1 to `min_cell` - 1.
    Else so many stayed that fewer than `min_cell` of the smaller wave did not: that is shown, as ranges `min_cell` numbers wide; or so
    few that the range is 1 to `min_cell` - 1. Waves so small that a range would tell of both ends (the smaller has fewer
    than 2 `min_cell` - 1 people) show nothing. Whoever knows this rule and both numbers of people can exclude no value from 1
    to `min_cell` - 1 that the numbers of people alone leave possible.

    Checked against
    ---------------
    Going through all waves and all numbers that stayed (tests/unit/test_people_flow.py).
    """
    if not any(is_small(n, min_cell) for n in (stayed, before - stayed, now - stayed)):
        return Gap(before, now, (stayed, stayed))
    smaller = min(before, now)
    if smaller < 2 * min_cell - 1:
        return Gap(before, now, None)
    most_stayed = smaller - stayed < min_cell
    return Gap(before, now, (smaller - min_cell + 1, smaller) if most_stayed else (1, min_cell - 1))
