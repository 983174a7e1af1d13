"""Do the value labels of a .sav file belong to variables it has? A damaged number among them ends the parser's whole process."""

from __future__ import annotations

from pathlib import Path

from bscstudy.io.statistical_size import unreadable

_START, _NAME_END = 176, 32
_VARIABLE, _LABELS, _LABELLED, _DOCUMENT, _EXTENSION = 2, 3, 4, 6, 7


def check_labelled_variables(path: Path, content: bytes, order: str) -> None:
    """Check that every record of value labels names variables of the file.

    Parameters
    ----------
    path : Path
        For messages only.
    content : bytes
        The whole .sav or .zsav file.
    order : {"little", "big"}
        Its order of bytes.

    Raises
    ------
    BscError
        BSC-SRC-006 where a number is that of no variable. A dictionary that cannot be followed for another reason is left to the parser.

    Notes
    -----
    Source: PSPP developers' manual, appendix "System File Format" (dictionary records; variables are counted with the parts of long
    texts, from 1).
    """

    def number(at: int) -> int:
        return int.from_bytes(content[at : at + 4], order, signed=True)

    at, n_variables = _START, 0
    while at + 8 <= len(content):
        kind = number(at)
        if kind == _LABELLED:
            count = number(at + 4)
            if not 1 <= count <= n_variables or any(not 1 <= number(at + 8 + 4 * k) <= n_variables for k in range(count)):
                raise unreadable(path, "Its value labels belong to variables that it does not have.")
            at += 8 + 4 * count
            continue
        step = _length(content, at, kind, number)
        if step is None:
            return
        n_variables += kind == _VARIABLE
        at += step


def _length(content: bytes, at: int, kind: int, number) -> int | None:
    """Return how many bytes a dictionary record takes, None at the end of the dictionary or where it cannot be followed."""
    if kind == _VARIABLE:
        label = 4 + -4 * (-number(at + _NAME_END) // 4) if number(at + 8) == 1 else 0
        step = _NAME_END + label + 8 * abs(number(at + 12))
    elif kind == _LABELS:
        step = 8
        for _ in range(min(max(number(at + 4), 0), len(content))):
            if at + step + 8 >= len(content):
                return None
            step += 8 + 8 * (content[at + step + 8] // 8 + 1)
    elif kind == _DOCUMENT:
        step = 8 + 80 * number(at + 4)
    elif kind == _EXTENSION:
        step = 16 + number(at + 8) * number(at + 12)
    else:
        return None
    return step if step > 0 else None
