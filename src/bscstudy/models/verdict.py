"""The verdict on a reported model: the engine's own, the second engine's, and what must be said beside the numbers."""

from __future__ import annotations

from bscstudy.multilevel.verdict import ESTIMATED, STATES, Verdict

__all__ = ["CLEAR", "ESTIMATED", "MAIN_CONTRAST", "NO_RANDOM_SLOPE", "STATES", "NotEstimable", "Verdict", "joint_verdict"]

NO_RANDOM_SLOPE = "no random slope is fitted"
CLEAR = 0.05  # a change is called clear if its interval leaves out zero and its adjusted p lies below this
MAIN_CONTRAST = "change_post"  # the contrast that displays and sentences show where a model declares it


class NotEstimable(Exception):
    """A model that the data at hand cannot answer; carries the reasons, becomes a verdict `failed`."""

    def __init__(self, *reasons: str):
        super().__init__("; ".join(reasons))
        self.reasons = reasons


def joint_verdict(own: Verdict, differing: tuple[str, ...], lacking_df: list[str], flags: list[str]) -> Verdict:
    """Join the engine's verdict with what the second engine found.

    Parameters
    ----------
    own : Verdict
        Of the engine on its own fit: ok or boundary.
    differing : tuple of str
        Faults found by the second engine, see `second_engine.SecondEngine.faults`.
    lacking_df : list of str
        Terms and contrasts without any degree of freedom left.
    flags : list of str
        Sentences that do not forbid the numbers but must stand beside them (a reworded item).

    Returns
    -------
    Verdict
        `unreliable` with every fault, where there is one; else the engine's state with its reasons and the flags.
    """
    faults = [*differing, *(f"no degrees of freedom are left for {term}" for term in lacking_df)]
    if faults:
        return Verdict("unreliable", tuple(faults), own.numbers)
    return Verdict(own.state, (*own.reasons, *flags), own.numbers)
