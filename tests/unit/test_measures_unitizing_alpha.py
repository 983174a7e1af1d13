"""Alpha for unitizing against Krippendorff's example and its definition slid along short texts."""

import numpy as np
import pytest

from bscstudy.measures.unitizing_alpha import merged, unitizing, unitizing_disagreement

#: Krippendorff (2004), p. 254: a continuum of 300 from 150; (begin, length) of two observers
C = [[(225, 70), (370, 30)], [(220, 80), (355, 20), (400, 20)]]
K = [[(180, 60), (300, 50)]] * 2


def spans(observers):
    return [[(begin - 150, begin - 150 + length) for begin, length in own] for own in observers]


def disagreement(texts, lengths, times=None):
    """Texts are lists of coders, these lists of (start, end)."""
    coders = [[(i, *span) for i, text in enumerate(texts) for span in text[coder]] for coder in range(len(texts[0]))]
    return unitizing_disagreement(unitizing([np.array(own, float).reshape(-1, 3) for own in coders], lengths), times)


def test_the_example_of_krippendorff():
    (observed_c, expected_c), (observed_k, expected_k) = (disagreement([spans(code)], [300]) for code in (C, K))
    assert [observed_c, expected_c, observed_k, expected_k] == pytest.approx([0.0144, 0.0532, 0, 0.0490], abs=5e-5)  # as printed
    assert 1 - (observed_c + observed_k) / (expected_c + expected_k) == pytest.approx(0.8587, abs=5e-5)  # four digits


def by_definition(coders, length):
    """Krippendorff's differences of all pairs of sections, as they lie, and slid along each other."""
    sections = []  # (coder, start, end, marked)
    for coder, own in enumerate(coders):
        edges = [0, *(edge for span in own for edge in span), length]
        kinds = [False] + [True, False] * len(own)
        sections += [(coder, a, b, marked) for a, b, marked in zip(edges[:-1], edges[1:], kinds, strict=True) if b > a]
    m, observed, slid = len(coders), 0.0, 0.0
    for coder, a, b, marked in sections:
        for other, c, d, marked_too in sections:
            if coder != other:
                observed += difference((a, b, marked), (c, d, marked_too))
    for i, (_, a, b, marked) in enumerate(sections):
        for j, (_, c, d, marked_too) in enumerate(sections):
            if i != j:
                places = range(-(b - a) + 1, d - c)  # every place in which the two still share a character
                slid += sum(difference((p, p + b - a, marked), (0, d - c, marked_too)) for p in places)
    own = sum((b - a) * (b - a - 1) for _, a, b, marked in sections if marked)
    return observed / (m * (m - 1) * length**2), slid / length / (m * length * (m * length - 1) - own)


def difference(first, second):
    (a, b, marked), (c, d, marked_too) = first, second
    if marked and marked_too:
        return (a - c) ** 2 + (b - d) ** 2 if a < d and c < b else 0
    if marked and c <= a and b <= d:
        return (b - a) ** 2
    return (d - c) ** 2 if marked_too and a <= c and d <= b else 0


@pytest.mark.parametrize("seed", range(8))
def test_short_texts_by_the_definition(seed):
    rng = np.random.default_rng(seed)
    length, m = int(rng.integers(12, 30)), int(rng.integers(2, 4))
    coders = []
    for _ in range(m):
        edges = sorted(rng.choice(np.arange(1, length), size=2 * int(rng.integers(1, 4)), replace=False).tolist())
        coders.append(list(zip(edges[::2], edges[1::2], strict=True)))
    assert disagreement([coders], [length]) == pytest.approx(by_definition(coders, length), rel=1e-12)  # double precision


def test_order_of_coders_and_texts_does_not_matter():
    texts, lengths = [spans(C), spans(K)], [300, 400]
    expected = disagreement(texts, lengths)
    assert disagreement(texts[::-1], lengths[::-1]) == pytest.approx(expected, rel=1e-12)
    assert disagreement([text[::-1] for text in texts], lengths) == pytest.approx(expected, rel=1e-12)


def test_a_text_drawn_twice_counts_like_two_texts():
    texts, lengths = [spans(C), spans(K)], [300, 400]
    twice = disagreement([texts[0], texts[0], texts[1]], [300, 300, 400])
    samples = disagreement(texts, lengths, np.array([[2.0, 1.0], [1.0, 1.0]]))
    assert samples[0] == pytest.approx(twice, rel=1e-12) and samples[1] == pytest.approx(disagreement(texts, lengths), rel=1e-12)


def test_same_stretches_agree_fully_and_random_ones_by_chance():
    assert disagreement([spans(K)], [300])[0] == 0
    rng, found = np.random.default_rng(2), []
    for _ in range(400):
        texts = [[[(int(start), int(start) + 12)] for start in rng.integers(0, 188, 2)] for _ in range(6)]
        observed, expected = disagreement(texts, [200] * 6)
        found.append(1 - observed / expected)
    assert abs(np.mean(found)) < 0.06  # near 0, not exactly: expected disagreement lets stretches touch across the ends of a text


def test_stretches_of_one_coder_that_overlap_or_touch_are_one():
    spans = [(0, 5, 9), (0, 0, 3), (0, 3, 4), (0, 6, 7), (0, 8, 12), (0, 20, 20), (1, 0, 2), (1, 1, 9)]
    assert merged(np.array(spans)).tolist() == [[0, 0, 4], [0, 5, 12], [1, 0, 9]]
    nobody = disagreement([[[], []]], [50])
    assert nobody[0] == 0 and nobody[1] == 0
