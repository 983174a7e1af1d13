"""Where the coded passages of a QualCoder project stand in its texts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bscstudy.io.coding_rows import NAN
from bscstudy.io.coding_table import CERTAIN
from bscstudy.io.raw import cell_text
from bscstudy.io.refi_offsets import ENOUGH, Decision, resolve
from bscstudy.io.refi_positions import Evidence, Text, weigh

#: how Qt, in which QualCoder is written, counts
PRIOR = "utf16"
_LINE_ENDS = ("\r\n", "\r", "\u2029", "\u2028")


@dataclass(frozen=True)
class PlacedTexts:
    """Codings of texts with their places (and `fid`, `cid`), and what is known of each text by the number of its document."""

    codings: pd.DataFrame
    evidence: dict[int, Evidence]
    decisions: dict[int, Decision]
    n_ambiguous: dict[int, int]
    n_differing: int
    n_outside: int

    @property
    def n_characters(self) -> dict[int, int]:
        """Characters of each text."""
        return {number: known.n_characters for number, known in self.evidence.items()}

    def of_document(self, number: int) -> dict:
        """Return what the table of documents says of one text."""
        if number not in self.evidence:
            return {"n_ambiguous": 0}
        known, decision = self.evidence[number], self.decisions[number]
        row = {"n_characters": known.n_characters, "n_words": known.n_words, "text_sha256": known.sha256}
        row |= {"offset_convention": decision.convention, "offset_score": decision.score, "offset_lead": decision.lead}
        return {**row, "offset_basis": decision.basis, "n_ambiguous": self.n_ambiguous.get(number, 0)}


def place_texts(sources: pd.DataFrame, codings: pd.DataFrame, forced: dict[int, str]) -> PlacedTexts:
    """Return the codings of texts with their places.

    Parameters
    ----------
    sources : DataFrame
        ``id`` and ``fulltext`` (None where a document has no text).
    codings : DataFrame
        ``cid, fid, seltext, pos0, pos1, owner``; positions as the program counts.
    forced : dict
        Document -> way of counting that the configuration sets, blank where none.
    """
    ends = codings[["pos0", "pos1"]].apply(pd.to_numeric, errors="coerce").fillna(-1).astype(np.int64).clip(-1, 2**31).to_numpy()
    kept = np.array([_plain(cell_text(text)) for text in codings["seltext"]], dtype=object)
    of = codings.groupby("fid", sort=False).indices
    texts = {n: Text(text) for n, text in zip(sources["id"], sources["fulltext"], strict=True) if isinstance(text, str)}
    nothing = np.array([], dtype=int)
    evidence = {n: weigh(text, ends[of.get(n, nothing)].tolist(), None) for n, text in texts.items()}
    plain = {n: _plain(text.stored) for n, text in texts.items()}
    decisions = {n: _decided(evidence[n], plain[n], kept[of.get(n, nothing)], forced.get(n, "")) for n in texts}
    places, status = ends.astype(float), np.full(len(codings), "no_text", dtype=object)
    differing = 0
    for number, at in of.items():
        if number not in evidence:
            continue
        found, said = resolve(evidence[number], decisions[number])
        pairs = zip(found.tolist(), kept[at], np.isin(said, CERTAIN), strict=True)
        other = np.array([bool(t) and sure and plain[number][a:b] != t for (a, b), t, sure in pairs])
        differing += int(other.sum())
        said[other] = "ambiguous"
        places[at], status[at] = found, said
    return _gathered(codings, places, status, evidence, decisions, differing)


def _plain(text: str) -> str:
    """Return a text with every line end as one, those of Qt among them."""
    for end in _LINE_ENDS:
        text = text.replace(end, "\n")
    return text


def _decided(evidence: Evidence, plain: str, kept: np.ndarray, forced: str) -> Decision:
    """Return the way of counting by which most passages stand where the program keeps them; Qt's own, where several do."""
    if len({places.tobytes() for places in evidence.places.values()}) == 1 and not forced:
        return Decision()
    shares = {}
    for way, places in evidence.places.items():
        fits = [plain[a:b] == text for (a, b), text in zip(places.tolist(), kept, strict=True) if text]
        shares[way] = sum(fits) / max(len(fits), 1)
    prior = evidence.reduced[PRIOR]
    best = evidence.reduced[forced] if forced else max(shares, key=lambda way: (shares[way], way == prior))
    own = evidence.places[best]
    others = [shares[way] for way, places in evidence.places.items() if (places != own).any()]
    lead = shares[best] - max(others, default=0.0)
    if forced:
        return Decision(forced, shares[best], lead, "config")
    return Decision(best, shares[best], lead, "document") if shares[best] >= ENOUGH and (lead > 0 or best == prior) else Decision()


def _gathered(
    codings: pd.DataFrame, places: np.ndarray, status: np.ndarray, evidence: dict, decisions: dict, differing: int
) -> PlacedTexts:
    said = {n: (d.convention, d.score, d.lead, evidence[n].sha256) for n, d in decisions.items()}
    columns = list(zip(*[said.get(n, ("", NAN, NAN, "")) for n in codings["fid"]], strict=True)) or [[], [], [], []]
    frame = pd.DataFrame({"fid": codings["fid"], "cid": codings["cid"], "coder_id": codings["owner"].map(cell_text)}, dtype=object)
    frame["start"], frame["end"], frame["offset_status"] = places[:, 0], places[:, 1], status
    frame["unit"], frame["part"] = "characters", "text"
    frame["quotable"] = (np.isin(status, CERTAIN) & (places[:, 1] > places[:, 0])).astype(int)
    for name, values in zip(("offset_convention", "offset_score", "offset_lead", "text_sha256"), columns, strict=True):
        frame[name] = list(values)
    unclear = codings["fid"][status == "ambiguous"].value_counts().to_dict()
    return PlacedTexts(frame, evidence, decisions, unclear, differing, int((status == "out_of_range").sum()))
