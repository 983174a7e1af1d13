"""A proposal in words."""

from __future__ import annotations

import json

from bscstudy.waves.codebook_edits import ITEMS
from bscstudy.waves.matching import Match, columns_in_force, nearest_items
from bscstudy.waves.proposal import KINDS, Delivered, Proposal
from bscstudy.waves.records import Changes


def proposal_text(proposal: Proposal, study: dict) -> str:
    """Return what a delivery would change, file by file, with everything that fits nothing."""
    wave = proposal.wave
    named = json.dumps(wave, ensure_ascii=False).replace('"', "")
    lines = [f"Wave {wave['id']}" + (f", new: {named}" if proposal.new_wave else f" ({wave['label']}), which the study has"), ""]
    lines.append("Files")
    for delivered in proposal.files:
        lines += [
            f"  {delivered.file.name}: {_kind(delivered)}",
            *(f"    {line}" for line in _details(delivered, study, proposal.edits.added[ITEMS])),
        ]
    for heading, told in (
        ("Codebook", proposal.edits.said),
        ("Partial, or to be looked at", proposal.notes),
        ("Copied to", [f"{path.name} -> {to}" for path, to in proposal.copies]),
        ("Kept as superseded", [f"{old} -> {kept}" for old, kept in proposal.moves]),
        ("Configuration that changes", list(proposal.texts)),
    ):
        lines += ["", heading, *(f"  {line}" for line in told)] if told else []
    if proposal.faults:
        lines += ["", "What stands in the way", *(f"  {line}" for fault in proposal.faults for line in str(fault).splitlines())]
    return "\n".join(lines)


def _kind(delivered: Delivered) -> str:
    if delivered.kind == "new":
        return f"source {delivered.source['id']}, read as {delivered.like['id']} is ({delivered.source['reader']})"
    if delivered.kind in ("extended", "corrected"):
        return f"{KINDS[delivered.kind]}: {delivered.like['id']}"
    return KINDS[delivered.kind] + (f": {delivered.told}" if delivered.told else "")


def _details(delivered: Delivered, study: dict, added: list[dict]) -> list[str]:
    match = delivered.match
    if match is None or not delivered.used:
        return []
    lines = [
        f"{match.n_known} of {match.n_columns} columns are known; {match.n_found} of {match.n_expected} columns of "
        f"{match.source['id']} are there"
    ]
    decided = {row["column"]: row["item"] for row in added if row["sources"] == delivered.source["id"] or not row["sources"]}
    lines += [
        f"column '{column}' is taken for {decided[column]}" if column in decided else _unknown(column, match, study)
        for column in match.unknown
    ]
    lines += [_absent(item, column, delivered) for item, column in match.absent.items() if item not in decided.values()]
    lines += [f"column '{column}' of a key, the wave or the filter is not in the file" for column in match.keys_absent]
    return lines + (_changes(delivered.changes) if delivered.changes else [])


def _unknown(column: str, match: Match, study: dict) -> str:
    instrument, label = match.source["instrument"], match.raw.labels.get(column, "")
    said = f"column '{column}' is not in the codebook"
    lacking = nearest_items(column, match.absent, study, instrument, label)
    if lacking:
        return f"{said}; if it is {' or '.join(lacking)}: --renamed {lacking[0]}={column}"
    near = nearest_items(column, columns_in_force(match.source, study), study, instrument, label, least=0.7)
    return said + (f"; nearest: {', '.join(near)}" if near else "")


def _absent(item: str, column: str, delivered: Delivered) -> str:
    said = f"item '{item}'{f', column {column},' if column != item else ''} is not in the file"
    return said + (f"; if it was not asked: --not-asked {item}" if delivered.kind == "new" else "")


def _changes(found: Changes) -> list[str]:
    lines = [
        f"{found.n_before} records before, {found.n_after} now: {found.n_added} added, {found.n_removed} gone, "
        f"{found.n_changed} of {found.n_common} in both changed"
    ]
    return lines + [f"{column}: {n} cell{'' if n == 1 else 's'} changed" for column, n in sorted(found.cells.items())]
