"""A SQLite database that a program for coding text keeps, opened for reading only and with distrust."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

import pandas as pd

from bscstudy.errors import BscError
from bscstudy.io.raw import check_file, places

MOST_BYTES = 1_000_000_000
MOST_VALUE_BYTES = 50_000_000
MOST_ROWS = 5_000_000
#: virtual-machine steps, in thousands, after which a query is given up; a sound project of 200,000 codings needs a few thousand
MOST_STEPS = 2_000_000
_HEAD = b"SQLite format 3\x00"
_ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_PRAGMA}


class Database:
    """A checked database; `table` hands over one of its tables."""

    def __init__(self, path: Path, connection: sqlite3.Connection):
        self.path = path
        self._connection = connection
        found = connection.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
        triggers = sum(kind == "trigger" for kind, _, _ in found)
        virtual = sum((sql or "").lower().split()[:2] == ["create", "virtual"] for _, _, sql in found)
        if triggers or virtual:
            raise refused(f"{path}: {triggers} trigger(s), {virtual} virtual table(s)")
        self._tables = {name.lower(): name for kind, name, _ in found if kind == "table"}

    def table(self, name: str, columns: tuple[str, ...]) -> pd.DataFrame:
        """Return the columns of a table, None where it is blank; a table or column that is absent has no row or value."""
        if name not in self._tables:
            return pd.DataFrame({column: pd.Series(dtype=object) for column in columns})
        with unreadable(self.path):
            cursor = self._connection.execute(f'SELECT * FROM "{self._tables[name]}" LIMIT 0')  # noqa: S608 - a name from the list above
            present = {entry[0] for entry in cursor.description}
            wanted = ", ".join(f'"{column}"' if column in present else "NULL" for column in columns)
            rows = self._connection.execute(f'SELECT {wanted} FROM "{self._tables[name]}" ORDER BY rowid').fetchmany(MOST_ROWS + 1)
        if len(rows) > MOST_ROWS:
            raise refused(f"{self.path}: a table with more than {MOST_ROWS:,} rows")
        return pd.DataFrame(rows, columns=list(columns), dtype=object)

    def has(self, name: str) -> bool:
        """Whether the database has a table."""
        return name in self._tables


@contextmanager
def open_database(path: Path) -> Iterator[Database]:
    """Open a SQLite file; nothing is written, not even beside it.

    Raises
    ------
    BscError
        BSC-QUA-028 no SQLite file, damaged, or too slow to read; -029 one that a program has open; -030 triggers, virtual tables, or
        far too much.
    """
    check_file(path)
    path = Path(path)
    with open(path, "rb") as handle:
        head = handle.read(100)
    if not head.startswith(_HEAD) or len(head) < 100:
        raise _no_database(path)
    if path.stat().st_size > MOST_BYTES:
        raise refused(f"{path}: the file is larger than any project")
    _check_closed(path, journal_ahead=2 in head[18:20])
    with unreadable(path), closing(_connect(path, "immutable=1")) as connection:
        if connection.execute("PRAGMA quick_check(1)").fetchall() != [("ok",)]:
            raise _no_database(path)
        yield Database(path, connection)


def _connect(path: Path, how: str) -> sqlite3.Connection:
    connection = sqlite3.connect(f"file:{quote(str(path.resolve()))}?mode=ro&{how}", uri=True, timeout=0, isolation_level=None)
    connection.execute("PRAGMA query_only=1")
    connection.execute("PRAGMA trusted_schema=0")
    connection.execute("PRAGMA cell_size_check=1")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MOST_VALUE_BYTES)
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    steps = iter(range(MOST_STEPS))
    connection.set_progress_handler(lambda: next(steps, None) is None, 1000)
    connection.set_authorizer(lambda action, *_: sqlite3.SQLITE_OK if action in _ALLOWED else sqlite3.SQLITE_DENY)
    return connection


def _check_closed(path: Path, *, journal_ahead: bool) -> None:
    """Refuse a database whose last changes lie beside it, or that a program is just writing."""
    beside = [name for name in (f"{path}-wal", f"{path}-journal") if Path(name).exists() and Path(name).stat().st_size]
    if beside:
        raise _in_use(path)
    if journal_ahead:
        return  # a look for locks would write beside the file
    with closing(_connect(path, "cache=private")) as connection:
        try:
            connection.execute("SELECT name FROM sqlite_master").fetchall()
        except sqlite3.OperationalError as fault:
            if "locked" in str(fault):
                raise _in_use(path) from None
            raise _no_database(path) from None
        except sqlite3.DatabaseError:
            raise _no_database(path) from None


@contextmanager
def unreadable(path: Path) -> Iterator[None]:
    """Turn what a damaged database raises into BSC-QUA-028."""
    try:
        yield
    except (sqlite3.Error, UnicodeDecodeError, OverflowError, MemoryError):
        raise _no_database(path) from None


def _no_database(path: Path) -> BscError:
    return BscError(
        "BSC-QUA-028",
        "The database cannot be read: it is cut off or damaged, or is no SQLite file.",
        str(path),
        "No code of the project can be counted.",
        "Copy data.qda out of the project's folder again while the program is closed.",
    )


def _in_use(path: Path) -> BscError:
    return BscError(
        "BSC-QUA-029",
        "A program has the database open, or its last changes lie beside it.",
        str(path),
        "Codings of today would be missing.",
        "Close the program and copy data.qda again.",
    )


def refused(*where: str) -> BscError:
    """Return the error of a database that holds what no program for coding text writes."""
    return BscError(
        "BSC-QUA-030",
        "The database holds something that is not read.",
        places(list(where)),
        "What it says could depend on who reads it.",
        "Do not use this file; ask for a fresh copy.",
    )
