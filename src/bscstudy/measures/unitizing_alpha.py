"""Krippendorff's alpha for unitizing: whether coders mark the same stretches of texts with a code."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: bootstrap samples worked out at a time, which bounds the memory
CHUNK = 50


@dataclass(frozen=True)
class Unitizing:
    """What the coders did with the texts and one code.

    Attributes
    ----------
    observed : ndarray, g texts
        Sum of squared differences of the coders' stretches in each text, over ordered pairs of coders.
    stretches, stretch_text : ndarray, u
        Length in characters of every marked stretch (all coders), and the text it lies in (0 to g - 1).
    gaps, gap_text : ndarray, h
        Length of every unmarked stretch, longest first, and its text.
    lengths : ndarray, g
        Characters of the texts.
    n_coders : int
    """

    observed: np.ndarray
    stretches: np.ndarray
    stretch_text: np.ndarray
    gaps: np.ndarray
    gap_text: np.ndarray
    lengths: np.ndarray
    n_coders: int


def merged(spans: np.ndarray, *, touching: bool = True) -> np.ndarray:
    """Return stretches in order, those of one text that overlap as one; empty ones are left out.

    Parameters
    ----------
    spans : ndarray, k x 3
        Text (a whole number), start, end (exclusive, finite).
    touching : bool
        Whether those are one, too, of which one starts where the other ends.
    """
    spans = np.asarray(spans, float).reshape(-1, 3)
    spans = spans[spans[:, 2] > spans[:, 1]]
    spans = spans[np.lexsort((spans[:, 1], spans[:, 0]))]
    if not len(spans):
        return spans
    apart = spans[:, 0] * (spans[:, 2].max() + 1)  # each text in a range of its own
    reach = np.maximum.accumulate(spans[:, 2] + apart)
    beyond = np.greater if touching else np.greater_equal
    first = np.append(True, beyond(spans[1:, 1] + apart[1:], reach[:-1]))
    last = np.append(np.flatnonzero(first)[1:] - 1, len(spans) - 1)
    return np.column_stack([spans[first, :2], (reach - apart)[last]])


def unitizing(spans: list[np.ndarray], lengths: np.ndarray) -> Unitizing:
    """Compare the stretches that coders marked with one code.

    Parameters
    ----------
    spans : list of m ndarrays, one for each coder, each k x 3
        Text (0 to g - 1), start and end: characters from 0, end exclusive, inside the text. Overlapping stretches of a coder count as one.
    lengths : array, g
        Characters of each text.

    Notes
    -----
    Source: see `unitizing_disagreement`.
    """
    lengths = np.asarray(lengths, float)
    base = np.concatenate([[0.0], np.cumsum(lengths + 1)])[: len(lengths)]  # texts behind each other, never touching
    own = [merged(part) for part in spans]
    placed = [part[:, 1:] + base[part[:, 0].astype(int), None] for part in own]
    text = [part[:, 0].astype(int) for part in own]
    observed = np.zeros(len(lengths))
    for i in range(len(own)):
        for j in range(i):
            observed += 2 * _differences(placed[i], placed[j], text[i], text[j], len(lengths))
    empty = [_gaps(part, base, base + lengths) for part in placed]
    gaps, gap_text = (np.concatenate([part[k] for part in empty]) if empty else np.zeros(0) for k in (0, 1))
    order = np.lexsort((gap_text, -gaps))
    stretches = np.concatenate([part[:, 1] - part[:, 0] for part in placed]) if placed else np.zeros(0)
    stretch_text = np.concatenate(text) if text else np.zeros(0, int)
    return Unitizing(observed, stretches, stretch_text, gaps[order], gap_text[order].astype(int), lengths, len(own))


def unitizing_disagreement(units: Unitizing, times: np.ndarray | None = None) -> np.ndarray:
    """Return the observed and expected disagreement of one code; alpha_U is 1 - observed / expected.

    Parameters
    ----------
    units : Unitizing
    times : ndarray, b x g, optional
        How often each text counts in each of b bootstrap samples; each once if None.

    Returns
    -------
    ndarray, b x 2 (or 2 where times is None)
        Observed and expected. Over several codes alpha_U is 1 - sum(observed) / sum(expected). The expected one is 0 where nobody marked
        anything; both are NaN without a text or with fewer than two coders.

    Notes
    -----
    Source: Krippendorff (1995), Sociological Methodology 25, 47-76; Krippendorff (2004), Content analysis, 2nd ed., section 11.6. Several
    texts are joined to one continuum; unmarked stretches end where a text ends, so that the order of texts does not matter.
    Checked against Krippendorff (2004), p. 254, and against the definition slid along short texts:
    tests/unit/test_measures_unitizing_alpha.py.
    """
    samples = np.ones((1, len(units.lengths))) if times is None else np.atleast_2d(times)
    if units.n_coders < 2 or not len(units.lengths):
        return np.full((len(samples), 2) if times is not None else 2, np.nan)
    found = [_disagreement(units, samples[k : k + CHUNK]) for k in range(0, len(samples), CHUNK)]
    return found[0][0] if times is None else np.concatenate(found)


def _disagreement(units: Unitizing, times: np.ndarray) -> np.ndarray:
    length, m, x = times @ units.lengths, units.n_coders, units.stretches
    length = np.where(length > 0, length, np.nan)
    n, g = times[:, units.stretch_text], times[:, units.gap_text]
    roomy = np.searchsorted(-units.gaps, -x, side="right")  # how many gaps are at least as long as each stretch
    before = np.zeros((len(times), 1))
    enough, space = (np.hstack([before, np.cumsum(part, axis=1)])[:, roomy] for part in (g, g * (units.gaps + 1)))
    among = (n.sum(axis=1) - 1) / 3 * (n @ (2 * x**3 - 3 * x**2 + x))
    within = ((space - x * enough) * n) @ x**2
    places = m * length * (m * length - 1) - n @ (x * (x - 1))
    expected = np.where(n.sum(axis=1) > 0, 2 / length * (among + within) / places, 0 * length)
    return np.column_stack([times @ units.observed / (m * (m - 1) * length**2), expected])


def _differences(first: np.ndarray, second: np.ndarray, text1: np.ndarray, text2: np.ndarray, n_texts: int) -> np.ndarray:
    """Return the squared differences of two coders' stretches (start, end; in order) in each text."""
    low, high = np.searchsorted(second[:, 1], first[:, 0], side="right"), np.searchsorted(second[:, 0], first[:, 1], side="left")
    met = np.maximum(high - low, 0)
    left = np.repeat(np.arange(len(first)), met)
    right = np.arange(met.sum()) - np.repeat(np.cumsum(met) - met, met) + np.repeat(low, met)
    apart = ((first[left] - second[right]) ** 2).sum(axis=1)
    found = np.zeros(n_texts)
    np.add.at(found, text1[left], apart)
    alone = np.bincount(right, minlength=len(second)) == 0
    for spans, text, kept in ((first, text1, met == 0), (second, text2, alone)):
        np.add.at(found, text[kept], (spans[kept, 1] - spans[kept, 0]) ** 2)
    return found


def _gaps(spans: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the lengths of the unmarked stretches of one coder, and their texts."""
    first, last = np.sort(np.append(starts, spans[:, 1])), np.sort(np.append(ends, spans[:, 0]))
    kept = last > first
    return (last - first)[kept], np.searchsorted(starts, first[kept], side="right") - 1
