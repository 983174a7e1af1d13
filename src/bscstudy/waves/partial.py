"""What a delivery lacks, and what a person should look at before it is written: counts and places, no values."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from bscstudy.errors import BscError
from bscstudy.waves.codebook_edits import MAP, Decisions, maps_to_decide, waves_of_instrument
from bscstudy.waves.comparing import read_now
from bscstudy.waves.proposal import Delivered, Proposal


def notes_of(proposal: Proposal, study: dict, staged: dict, folder: Path, decisions: Decisions) -> list[str]:
    """Return, in words, instruments and centers that are missing, codes that do not fit, and what the checks would stop at."""
    centers = read_now(study["register"]["centers"], study, folder)
    known = set() if centers is None else set(centers["center_id"].dropna())
    scaled = {(row["instrument"], row["item"]) for row in staged["items"] if row["response_scale"]}
    notes = [line for delivered in proposal.used for line in _notes_of_file(delivered, known, scaled)]
    notes += _single_sources(proposal, study) + _missing_instruments(proposal, study, staged)
    notes += _to_be_decided(proposal, study, decisions)
    return notes + _stopping(proposal, study, staged, folder)


def _notes_of_file(delivered: Delivered, known: set[str], scaled: set[tuple[str, str]]) -> list[str]:
    if delivered.frame is None:
        return []
    name, frame = delivered.source["id"], delivered.frame
    lines = []
    if "center_id" in frame.columns and known:
        found = set(frame["center_id"].dropna()) & known
        lines.append(f"{name}: {len(frame)} records from {len(found)} of {len(known)} centers" + ("" if found >= known else " (partial)"))
    kinds = Counter((p["item"], p["kind"]) for p in delivered.extra.get("problems", []))
    for (item, kind), n in sorted(kinds.items()):
        outside = kind in ("unknown_code", "out_of_range") and (delivered.source["instrument"], item) in scaled
        lines.append(f"{name}, {item}: {n} {'outside the response scale' if outside else kind.replace('_', ' ')}")
    unasked = delivered.extra.get("answered_not_asked") or {}
    return lines + [f"{name}, {item}: {n} answers of roles or waves that are not asked" for item, n in sorted(unasked.items())]


def _single_sources(proposal: Proposal, study: dict) -> list[str]:
    """Name new sources beside one that the configuration names by its id: they are read, but not used there."""
    named = {name for name in study["register"].values() if name}
    named |= {part["source"] for part in (*study["observation"], *study["fidelity"], *study["derive"]) if "source" in part}
    named |= {part["source"] for part in (study["run_charts"], study["attendance"], study["costs"]) if part}
    qual = study["qual"] or {"codings": []}
    named |= {qual.get("documents"), qual.get("asked"), *(coding["source"] for coding in qual["codings"])}
    named |= {(qual.get("ratings") or {}).get("source")}
    return [
        f"{d.source['id']}: the configuration names {d.like['id']} by its id, so that the new file is read and checked but not scored; "
        "ask for one export of all waves"
        for d in proposal.used
        if d.kind == "new" and d.like["id"] in named
    ]


def _missing_instruments(proposal: Proposal, study: dict, staged: dict) -> list[str]:
    if not proposal.used:
        return []
    wave = proposal.wave["id"]
    order = [str(entry["id"]) for entry in sorted(staged["waves"], key=lambda entry: entry["order"])]
    earlier = order[: order.index(wave)] if wave in order else order
    lines = []
    for instrument in sorted({source["instrument"] for source in study["sources"].values()}):
        before = [w for w in waves_of_instrument(instrument, study) if w in earlier]
        if before and wave not in waves_of_instrument(instrument, staged):
            lines.append(f"{instrument}: nothing for {wave} yet (last in {before[-1]})")
    return lines


def _to_be_decided(proposal: Proposal, study: dict, decisions: Decisions) -> list[str]:
    """Name what lists its waves or sources: whether the new one belongs there is a decision."""
    wave, new = proposal.wave["id"], {d.like["id"]: d.source["id"] for d in proposal.used if d.kind == "new"}
    models = [name for name, model in study["models"].items() if model.get("sample", {}).get("waves")]
    models = models if proposal.new_wave and proposal.used else []
    lines = [f"{len(models)} models name their waves and leave {wave} out until it is added to them (config/models)"] if models else []
    listing = {f"reported, {part['id']}": part["sources"] for part in study["reported"]}
    listing |= {"peer_network": study["peer_network"]["sources"]} if study["peer_network"] else {}
    for name, source in new.items():
        places = "; ".join(place for place, sources in listing.items() if name in sources)
        lines += [f"config/measures.yaml ({places}): leaves {source} out until it is added to the sources named"] if places else []
    for instrument in sorted({delivered.source["instrument"] for delivered in proposal.used}):
        for scale, row in maps_to_decide(instrument, study, wave).items():
            if scale not in decisions.map_holds:
                told = f"scores of {scale} in {study['harmonisation'][row]['waves']} become those of its other waves; a map is a decision"
                lines.append(f"{MAP}, row {row + 2}: {told}: if it holds for {wave} too, --map-holds {scale}")
    return lines


def _stopping(proposal: Proposal, study: dict, staged: dict, folder: Path) -> list[str]:
    """Say what the checks would stop the run at, counted by check and column."""
    from bscstudy.checks.quality import run_checks
    from bscstudy.checks.registry import Source

    tables = {}
    for name in [n for n in study["register"].values() if n]:
        frame = read_now(name, study, folder)
        tables |= {} if frame is None else {name: Source(name, frame, study["sources"][name])}
    for d in proposal.used:
        if d.frame is not None:
            tables[d.source["id"]] = Source(d.source["id"], d.frame, staged["sources"].get(d.source["id"], d.source), d.extra)
    new = {d.source["id"] for d in proposal.used}
    try:
        findings = run_checks(tables, staged, severe_only=True).findings
    except BscError:
        return []
    severe = findings[(findings["severity"] == "stop") & findings["source"].isin(new)]
    counts = severe.fillna({"column": ""}).groupby(["source", "check", "column"], sort=True)["n"].sum()
    stops = "the check {} would stop the run ({})"
    return [f"{source}, {column or 'rows'}: {stops.format(check, int(n))}" for (source, check, column), n in counts.items()]
