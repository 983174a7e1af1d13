"""Generalizability: balanced designs equal the analysis of variance; decision studies follow from the components."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest

from bscstudy.measures.generalizability import CROSSED, MAIN, coefficients, generalizability_study, occasions_needed


def balanced(seed=11, sizes=(9, 4, 5), spreads=(1.5, 0.8, 0.9, 0.7, 0.9, 0.6, 0.8)):
    random, (p, r, o) = np.random.default_rng(seed), sizes
    shapes = [(p, 1, 1), (1, r, 1), (1, 1, o), (p, r, 1), (p, 1, o), (1, r, o), (p, r, o)]
    return sum(spread * random.normal(size=shape) for spread, shape in zip(spreads, shapes, strict=True))


def as_rows(values):
    p, r, o = values.shape
    rows = [(f"c{i}", f"r{j}", f"o{k}", values[i, j, k]) for i, j, k in itertools.product(range(p), range(r), range(o))]
    return pd.DataFrame(rows, columns=["classroom", "rater", "occasion", "value"])


def anova(values):
    """Return the components from expected mean squares (Brennan 2001, table 3.3), worked out with plain sums of squares."""
    sizes = dict(zip("pro", values.shape, strict=True))
    squares = {}
    for size in range(4):
        for name in itertools.combinations("pro", size):
            axes = tuple(k for k, letter in enumerate("pro") if letter not in name)
            squares[name] = (values.mean(axis=axes, keepdims=True) ** 2).sum() * math.prod(
                sizes[letter] for letter in "pro" if letter not in name
            )
    mean = {}
    for name in [n for n in squares if n]:
        total = sum((-1) ** (len(name) - len(part)) * squares[part] for part in squares if set(part) <= set(name))
        mean["".join(name)] = total / math.prod(sizes[letter] - 1 for letter in name)
    p, r, o = values.shape
    return {
        "classroom": (mean["p"] - mean["pr"] - mean["po"] + mean["pro"]) / (r * o),
        "rater": (mean["r"] - mean["pr"] - mean["ro"] + mean["pro"]) / (p * o),
        "occasion": (mean["o"] - mean["po"] - mean["ro"] + mean["pro"]) / (p * r),
        "classroom:rater": (mean["pr"] - mean["pro"]) / o,
        "classroom:occasion": (mean["po"] - mean["pro"]) / r,
        "rater:occasion": (mean["ro"] - mean["pro"]) / p,
        "residual": mean["pro"],
    }


def test_a_balanced_study_equals_the_analysis_of_variance():
    values = balanced()
    expected = anova(values)
    assert min(expected.values()) > 0, "the closed form holds only without negative estimates"
    study = generalizability_study(as_rows(values))
    assert study.variances == pytest.approx(expected, rel=2e-4)  # the optimiser stops within 1e-4 of a flat likelihood
    assert [c.name for c in study.components] == [*MAIN, *CROSSED, "residual"] and study.note == ""
    assert sum(c.share for c in study.components) == pytest.approx(1, abs=1e-9)
    g, phi = coefficients(study.variances, 4, 5)
    p, pr, po, residual = (expected[n] for n in ("classroom", "classroom:rater", "classroom:occasion", "residual"))
    relative = pr / 4 + po / 5 + residual / 20
    absolute = relative + expected["rater"] / 4 + expected["occasion"] / 5 + expected["rater:occasion"] / 20
    assert [g, phi] == pytest.approx([p / (p + relative), p / (p + absolute)], rel=1e-3)


def test_g_of_all_raters_and_occasions_is_the_reliability_of_their_mean():
    """With one facet, G of the mean is ICC(3,k): here raters only, occasions as copies of a visit that add nothing."""
    variances = {"classroom": 4.0, "rater": 1.0, "residual": 3.0}
    assert coefficients(variances, 5, 1) == pytest.approx((4 / (4 + 3 / 5), 4 / (4 + 4 / 5)), abs=1e-12)  # closed form


@pytest.mark.parametrize("absolute", [False, True])
@pytest.mark.parametrize("n_raters", [1, 2, 3])
def test_occasions_needed_is_the_first_that_reaches_the_target(n_raters, absolute):
    variances = {"classroom": 2.0, "rater": 0.1, "occasion": 0.4, "classroom:rater": 0.2, "classroom:occasion": 1.1, "residual": 0.8}
    needed = occasions_needed(variances, n_raters, 0.8, absolute=absolute)
    tried = [n for n in range(1, 500) if coefficients(variances, n_raters, n)[absolute] >= 0.8]
    assert needed == tried[0]


def test_what_no_number_of_occasions_reaches():
    variances = {"classroom": 1.0, "classroom:rater": 1.0, "residual": 1.0}
    assert occasions_needed(variances, 1, 0.8, absolute=False) == math.inf
    assert occasions_needed({"classroom": 0.0, "residual": 1.0}, 3, 0.8, absolute=False) == math.inf
    assert occasions_needed({"classroom": 1.0, "residual": 0.1}, 1, 0.8, absolute=True) == 1
    assert math.isnan(occasions_needed({}, 1, 0.8, absolute=True))


def test_pairs_that_the_design_cannot_tell_from_the_residual_are_named():
    """Each classroom meets a rater once: what the two do together is as many levels as scores."""
    rows = as_rows(balanced())
    number = {name: rows[name].str[1:].astype(int) for name in MAIN}
    latin = rows[(number["rater"] - number["occasion"] - number["classroom"]).mod(4).lt(2) & (number["occasion"] < 2)]
    latin = latin.drop_duplicates(["classroom", "rater"])
    study = generalizability_study(latin)
    assert "classroom:rater" not in study.variances and "classroom:rater" in study.note


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda rows: rows[rows["rater"] == "r0"], "fewer than two raters"),
        (lambda rows: rows[rows["occasion"] == "o0"], "fewer than two occasions"),
        (lambda rows: rows.drop_duplicates(["classroom", "occasion"]).assign(rater=["r0", "r1", "r2"] * 15), "scored by two raters"),
        (lambda rows: rows.assign(value=2.0), "the same"),
        (lambda rows: rows.assign(occasion=rows["occasion"].replace("o1", "o0")), "twice on one occasion"),
        (lambda rows: rows[(rows["occasion"] == "o0") | (rows["classroom"] < "c2")], "fewer than three classrooms were seen on two"),
        (lambda rows: rows.assign(value=np.nan), "fewer than three classrooms"),
    ],
)
def test_what_cannot_be_divided_says_why(change, reason):
    study = generalizability_study(change(as_rows(balanced())))
    assert study.components == () and reason in study.note
