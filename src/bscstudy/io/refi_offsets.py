"""Where does a coded passage stand? Programs count characters in different ways and do not say which."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bscstudy.io.refi_positions import CONVENTIONS, NOWHERE, Evidence

#: least mean score, least lead over the next way, least passages with which a document decides alone and with which a project does
ENOUGH, LEAD, ALONE, FEWEST = 0.8, 0.2, 5, 3
#: origin of a project (its beginning) -> the way found in a real export of it, which then needs half the lead
KNOWN_ORIGINS = {"NVivo for Windows": "utf16"}
#: no known program counts the byte-order mark; that is believed only where the passages say so
MARK = "_bom"


@dataclass(frozen=True)
class Decision:
    """How the positions in one text were counted: `convention` is blank where nothing had to be decided or nothing could be.

    `basis`: ``document``, ``project``, ``config``, or blank; `score` and `lead` are the document's own, nan without evidence.
    """

    convention: str = ""
    score: float = float("nan")
    lead: float = float("nan")
    basis: str = ""


def decide(texts: list[Evidence], origin: str = "", forced: list[str] | None = None) -> list[Decision]:
    """Return how the positions in each text of one project were counted.

    Parameters
    ----------
    texts : list of Evidence
        One for each text.
    origin : str
        The program that wrote the project.
    forced : list of str
        Way of counting that the configuration sets for each text, blank where it sets none.

    Notes
    -----
    A text with at least `ALONE` passages that count decides alone: best mean score at least 0.8, lead at least 0.2 over the next
    way that places any passage differently (half of it for the way known of the program). Where all texts that decide agree on
    a way, the rest follow it unless their own passages speak against it by the lead; where no text decides alone, all are put together
    (at least `FEWEST` passages that count). A way that counts the byte-order mark needs twice the lead.

    Checked against: a project of NVivo 12.6 for Windows (by hand: UTF-16 with line ends as two, score .995, lead .554 over 303
    passages) and, in tests/unit/test_io_refi_dialects.py, passages of known place written in every way of counting.
    """
    prior = next((way for start, way in KNOWN_ORIGINS.items() if origin.startswith(start)), "")
    forced = forced or [""] * len(texts)
    found: list[Decision | None] = [_own(text, prior, way) for text, way in zip(texts, forced, strict=True)]
    common = _common(texts, found, prior)
    for number, text in enumerate(texts):
        if found[number] is None:
            found[number] = _followed(text, common)
    return found


def resolve(text: Evidence, decision: Decision) -> tuple[np.ndarray, np.ndarray]:
    """Return (n, 2) places and the status of each passage of a text.

    Status ``exact``: every way of counting gives the same place (ways that count the byte-order mark aside, where none of them was
    decided on). ``converted``: the ways differ and one was decided on. ``forced``: the configuration sets it. ``ambiguous``: nothing
    decides; as received. ``out_of_range``: no place in the text; as received.
    """
    ways = [found for way, found in text.places.items() if decision.convention.endswith(MARK) or not way.endswith(MARK)]
    same = np.logical_and.reduce([(found == ways[0]).all(axis=1) for found in ways])
    chosen = text.places[text.reduced[decision.convention]] if decision.convention else ways[0]
    status = np.where(same, "exact", "converted" if decision.convention else "ambiguous").astype(object)
    if decision.basis == "config":
        status[~same] = "forced"
    known = same | bool(decision.convention)
    nowhere = (chosen == NOWHERE).any(axis=1) & known
    status[nowhere] = "out_of_range"
    return np.where((known & ~nowhere)[:, None], chosen, text.received), status


def is_open(text: Evidence, decision: Decision) -> bool:
    """Whether the place of any passage of a text hangs on a way of counting that could not be decided on."""
    return not decision.convention and bool((resolve(text, decision)[1] == "ambiguous").any())


def _best(texts: list[Evidence], prior: str, least: int) -> str:
    """The way that clearly fits some texts best, or blank. Ways that place every passage alike are one way."""
    total = sum(text.n_scored for text in texts)
    if total < least:
        return ""
    distinct: dict[tuple, tuple[float, float, str]] = {}
    for way in sorted(CONVENTIONS, key=lambda way: way != prior):
        same = tuple(text.places[text.reduced[way]].tobytes() for text in texts)
        mean = sum(text.scores[text.reduced[way]] for text in texts) / total
        distinct.setdefault(same, (mean - LEAD * way.endswith(MARK), mean, way))
    ranked = sorted(distinct.values(), key=lambda entry: -entry[0])
    weight, mean, way = ranked[0]
    enough = LEAD / 2 if way == prior else LEAD
    return way if mean >= ENOUGH and (len(ranked) == 1 or weight - ranked[1][0] >= enough - 1e-9) else ""


def _own(text: Evidence, prior: str, forced: str) -> Decision | None:
    """The decision that a text makes alone; None where it needs the others."""
    if forced:
        return Decision(forced, *_standing(text, forced), "config")
    if len({found.tobytes() for found in text.places.values()}) == 1:
        return Decision()
    way = _best([text], prior, ALONE)
    return Decision(text.reduced[way], *_standing(text, way), "document") if way else None


def _standing(text: Evidence, way: str) -> tuple[float, float]:
    """A way's mean score in a text, and its lead over the best other way that places any passage differently."""
    if not text.n_scored:
        return float("nan"), float("nan")
    own = text.places[text.reduced[way]]
    others = [text.scores[w] / text.n_scored for w, found in text.places.items() if (found != own).any()]
    score = text.scores[text.reduced[way]] / text.n_scored
    return score, score - max(others) if others else 1.0


def _common(texts: list[Evidence], found: list[Decision | None], prior: str) -> str:
    """The way that holds for the whole project, or blank."""
    decided = [(t, d) for t, d in zip(texts, found, strict=True) if d is not None and d.basis == "document"]
    if not decided:
        return _best([t for t, d in zip(texts, found, strict=True) if d is None], prior, FEWEST)
    order = sorted(CONVENTIONS, key=lambda way: way != prior)
    return next((way for way in order if all(_same_places(t, way, d.convention) for t, d in decided)), "")


def _same_places(text: Evidence, one: str, other: str) -> bool:
    return bool((text.places[text.reduced[one]] == text.places[text.reduced[other]]).all())


def _followed(text: Evidence, common: str) -> Decision:
    """The decision of a text that needs the others: theirs, unless its own passages speak against it."""
    if not common:
        best = max(text.scores, key=text.scores.get)
        return Decision("", *_standing(text, best))
    score, lead = _standing(text, common)
    against = text.n_scored and lead <= -LEAD + 1e-9
    return Decision("" if against else text.reduced[common], score, lead, "" if against else "project")
