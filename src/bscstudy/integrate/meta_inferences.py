"""Meta-inferences: what each rests on, and whether that still is what it was when the inference was signed.

A meta-inference is a statement of people on what both strands say together of a construct. It refers to published results and
themes; their values, rounded as published, are kept with the signature. Once one of them differs the inference is stale.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from bscstudy.errors import BscError

PROPOSED, SIGNED, STALE, REFERS_TO_NOTHING = STATES = ("proposed", "signed", "stale", "refers_to_nothing")
SIGNATURE = ("author", "date", "rests_on")
#: published values of one reference, value name -> text; None where the reference leads to nothing
Published = dict[str, str] | None


@dataclass(frozen=True)
class ComparedValue:
    """One published value: when the inference was signed and now; None where it was not there, or not signed."""

    reference: str
    value: str
    then: str | None
    now: str | None


@dataclass(frozen=True)
class Judgement:
    """State of a meta-inference (one of `STATES`), the digest of the values now, and all values it rests on or rested on."""

    state: str
    digest: str
    values: tuple[ComparedValue, ...]

    @property
    def changed(self) -> tuple[ComparedValue, ...]:
        """Values that are not what they were when it was signed; none where nothing was signed."""
        signed = any(value.then is not None for value in self.values)
        return tuple(value for value in self.values if signed and value.then != value.now)


def reference_text(reference: dict) -> str:
    """Return a reference in words, such as ``model change_climate, contrast change_post``; the same whatever the order of its keys."""
    if "run_chart" in reference:
        return f"run_chart {reference['run_chart']}, group {reference.get('group', 'all')}"
    order = ("model", "contrast", "term", "fidelity", "observation", "theme")
    return ", ".join(f"{name} {reference[name]}" for name in order if name in reference)


def references_of(inference: dict) -> dict[str, dict]:
    """Return the references of a meta-inference, in words -> as declared: results first, then themes."""
    references = [*inference["results"], *({"theme": theme} for theme in inference["themes"])]
    return {reference_text(reference): reference for reference in references}


def digest_of(values: dict[str, Published]) -> str:
    """Return the digest of published values (16 hexadecimal digits); the order in which they are named does not count."""
    return hashlib.sha256(json.dumps(values, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:16]


def is_signed(inference: dict) -> bool:
    """Return whether author, date and digest are there; without one of them it is a proposal."""
    return all(inference.get(name) for name in SIGNATURE)


def judge(inference: dict, now: dict[str, Published]) -> Judgement:
    """Compare what a meta-inference rested on when it was signed with what is published now.

    Parameters
    ----------
    inference : dict
        An entry of config/meta_inferences.yaml.
    now : dict
        Reference in words -> its published values, for each of `references_of`.

    Returns
    -------
    Judgement
        `refers_to_nothing` where a reference leads nowhere, else `proposed` without a signature, `stale` where a value that it
        refers to or referred to differs from the one signed, and `signed` where all are the same.
    """
    then = inference.get("rested_on") or {} if is_signed(inference) else {}
    values = [
        ComparedValue(reference, value, then.get(reference, {}).get(value), (now.get(reference) or {}).get(value))
        for reference in sorted({*now, *then})
        for value in dict.fromkeys([*then.get(reference, {}), *(now.get(reference) or {})]) or ["result"]
    ]
    digest = digest_of(now)
    if any(published is None for published in now.values()):
        return Judgement(REFERS_TO_NOTHING, digest, tuple(values))
    if not is_signed(inference):
        return Judgement(PROPOSED, digest, tuple(values))
    return Judgement(SIGNED if digest == inference["rests_on"] else STALE, digest, tuple(values))


def check_signatures(inferences: list[dict]) -> None:
    """Refuse signatures that cannot be relied on.

    Raises
    ------
    BscError
        BSC-QUA-070 where a digest stands without author, date, fit, statement or the values themselves; BSC-QUA-071 where it is not
        the digest of the values beside it.
    """
    needed = ("author", "date", "fit", "statement", "rested_on")
    signed = [inference for inference in inferences if inference.get("rests_on")]
    lacking = [(i["id"], [name for name in needed if not i.get(name)]) for i in signed]
    if any(names for _, names in lacking):
        raise BscError(
            "BSC-QUA-070",
            "A signature of a meta-inference is not whole.",
            tuple(f"config/meta_inferences.yaml, {name}: without {', '.join(names)}" for name, names in lacking if names),
            "It could not be said who signed what, or what the statement rested on.",
            "Delete rests_on and rested_on, complete the entry, and sign it with `bscstudy sign-inference`.",
        )
    edited = [inference["id"] for inference in signed if digest_of(inference["rested_on"]) != inference["rests_on"]]
    if edited:
        raise BscError(
            "BSC-QUA-071",
            "The values kept with a signature are not those that were signed.",
            tuple(f"config/meta_inferences.yaml, {name}: rests_on is not the digest of rested_on" for name in edited),
            "An inference could pass as resting on numbers that its author never saw.",
            "Put the entry back as it was signed, or sign it anew with `bscstudy sign-inference`.",
        )
