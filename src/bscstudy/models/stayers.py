"""Stayers: the people who answered in every wave of a model's sample, so that its change is that of the same people."""

from __future__ import annotations

import numpy as np
import pandas as pd


def stayer_rows(frame: pd.DataFrame, waves: list[str]) -> np.ndarray:
    """Return which rows (n,) belong to a person with an outcome in every one of the waves.

    Parameters
    ----------
    frame : DataFrame
        Rows of a model's sample with ``person_id``, ``wave`` and ``score``; a missing person is nobody's.
    waves : list of str
        The waves of the sample.
    """
    answered = frame[frame["score"].notna() & frame["wave"].astype(str).isin(waves)]
    n_waves = answered.groupby("person_id")["wave"].nunique()
    return frame["person_id"].isin(n_waves.index[n_waves == len(waves)]).to_numpy()


def stayers_note(kept: pd.DataFrame, everyone: pd.DataFrame, waves: list[str]) -> str:
    """Return what the model must say: how many people stayed and how many rows of others are not in its sample."""
    n_all = everyone.loc[everyone["score"].notna(), "person_id"].nunique()
    return (
        f"stayers only: {kept['person_id'].nunique()} of {n_all} people have the outcome in every wave ({', '.join(waves)}), "
        f"and {len(everyone) - len(kept)} rows of others are outside the sample"
    )
