"""The deny list of a study: names, places and centers that no quote may hold, read from a file that need not lie in the project."""

from __future__ import annotations

import base64
import csv
import hmac
from collections.abc import Iterable
from pathlib import Path

from bscstudy.errors import BscError, rows_said
from bscstudy.qual.folding import spellings
from bscstudy.qual.scrub import KINDS, Denied, DenyList

COLUMNS = ("term", "kind")
LEAST_KEY_BYTES = 16
#: ids shorter than this are denied only where they have a letter and a digit: `12` or `of` would be taken from every sentence
LEAST_ID = 4


def read_key(path: Path | None, study: Path) -> bytes:
    """Return the key of pseudonyms and digests, nothing where the study has none.

    Raises
    ------
    BscError
        BSC-CFG-296 a key inside the study's folder; BSC-CFG-297 a key that is missing or has fewer than 16 bytes.
    """
    if path is None:
        return b""
    if Path(path).resolve().is_relative_to(Path(study).resolve()):
        raise BscError(
            "BSC-CFG-296",
            "The key of the pseudonyms lies inside the study's folder.",
            "config/qual.yaml: quotes, key",
            "Whoever is given the study could find out which name a pseudonym stands for.",
            "Keep the key in a folder of its own, outside of the study, and name it in `key`.",
        )
    key = Path(path).read_bytes().strip() if Path(path).is_file() else b""
    if len(key) < LEAST_KEY_BYTES:
        raise BscError(
            "BSC-CFG-297",
            f"The key of the pseudonyms is missing or has fewer than {LEAST_KEY_BYTES} bytes.",
            "config/qual.yaml: quotes, key",
            "A short key can be guessed, and with it the names.",
            "Write a random key, such as `python -c 'import secrets; print(secrets.token_hex(32))'` prints, into the file.",
        )
    return key


def read_deny_list(path: Path, key: bytes, ids: Iterable[str]) -> DenyList:
    """Read a deny list and add the study's own ids.

    Parameters
    ----------
    path : Path
        A CSV table in UTF-8: `term`, `kind` (name, place, center, organisation), `same_as` (optional: the term that this one is an
        alias, nickname or second spelling of).
    key : bytes
        With a key, markers carry a pseudonym (the same for a term and its aliases); blank: they say the kind alone.
    ids : iterable of str
        Ids of people, centers, documents and coders. Short ones without a letter and a digit are left out (`LEAST_ID`).

    Raises
    ------
    BscError
        BSC-CFG-294 a file that is missing or is no such table; BSC-CFG-295 rows that cannot be used, by number only.
    """
    rows = _rows(path)
    kinds = {row["term"]: row["kind"] for row in rows}
    faults = [number for number, row in enumerate(rows, start=2) if not _is_usable(row, kinds)]
    if faults:
        raise BscError(
            "BSC-CFG-295",
            f"{len(faults)} row(s) of the deny list cannot be used.",
            f"{path}{rows_said(faults)}",
            "What they are to keep out of quotes would come through.",
            f"Give each row a `term`, a `kind` ({', '.join(KINDS[:-1])}), and in `same_as` nothing or another term of the list.",
        )
    named = [Denied(row["term"], row["kind"], _marker(row, kinds, key)) for row in rows]
    return DenyList([*named, *(Denied(name, "id", "id") for name in sorted(set(ids)) if _is_telling(name))])


def _rows(path: Path) -> list[dict]:
    fault = None
    try:
        with open(path, encoding="utf-8-sig", newline="") as handle:
            reader = csv.DictReader(handle, restval="")
            rows = [{name: (row.get(name) or "").strip() for name in (*COLUMNS, "same_as")} for row in reader]
            fault = None if set(COLUMNS) <= set(reader.fieldnames or ()) else "has no columns `term` and `kind`"
    except FileNotFoundError:
        fault = "does not exist"
    except (OSError, UnicodeDecodeError, csv.Error):
        fault = "cannot be read as CSV in UTF-8"
    if fault:
        raise BscError(
            "BSC-CFG-294",
            f"The deny list {fault}.",
            f"config/qual.yaml: quotes, deny_list ({path})",
            "Without it names would come through in quotes.",
            "Write a CSV table with the columns term, kind and same_as, and name it in `deny_list`.",
        )
    return rows


def _is_usable(row: dict, kinds: dict[str, str]) -> bool:
    known = not row["same_as"] or row["same_as"] in kinds
    return bool(spellings(row["term"])) and row["kind"] in KINDS[:-1] and known


def _marker(row: dict, kinds: dict[str, str], key: bytes) -> str:
    """Return the kind and, with a key, eight letters and digits that stand for the term and its aliases."""
    meant = row["same_as"] or row["term"]
    kind = kinds[meant]
    if not key:
        return kind
    text = f"{kind}|{' '.join(spellings(meant)[0])}".encode()
    return f"{kind} {base64.b32encode(hmac.digest(key, text, 'sha256')).decode()[:8]}"


def _is_telling(name: str) -> bool:
    text = str(name)
    mixed = any(c.isalpha() for c in text) and any(c.isdigit() for c in text)
    return bool(spellings(text)) and (len(text) >= LEAST_ID or (len(text) > 1 and mixed))
