"""Adjusted p-values against statsmodels and by hand."""

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from bscstudy.errors import BscError
from bscstudy.multilevel.multiplicity import adjust


@pytest.mark.parametrize(("method", "name"), [("holm", "holm"), ("benjamini_hochberg", "fdr_bh")])
def test_as_statsmodels_with_ties_and_in_any_order(method, name):
    p = np.array([0.03, 0.001, 0.03, 0.2, 0.0004, 0.9, 0.03, 0.049, 1.0, 0.0])
    for order in (np.arange(10), np.random.default_rng(1).permutation(10)):
        expected = multipletests(p[order], method=name)[1]
        np.testing.assert_allclose(adjust(p[order], method), expected, rtol=1e-14)  # the same few products
    assert len(set(adjust(p, method)[[0, 2, 6]])) == 1  # ties stay ties


def test_families_apart_and_missing_p_do_not_count():
    p = [0.01, np.nan, 0.04, 0.02, np.nan]
    family = ["change", "change", "change", "sustain", "empty"]
    # change: 2 known, 2 * .01 = .02 and .04; sustain: one alone
    np.testing.assert_allclose(adjust(p, "holm", family), [0.02, np.nan, 0.04, 0.02, np.nan])
    np.testing.assert_allclose(adjust(p, "none", family), p)
    assert adjust([], "holm").shape == (0,)


@pytest.mark.parametrize(("arguments", "code"), [(([0.1], "bonferoni"), "080"), (([1.2],), "081"), (([0.1, 0.2], "holm", ["a"]), "136")])
def test_refusals(arguments, code):
    with pytest.raises(BscError) as refusal:
        adjust(*arguments)
    assert refusal.value.code == f"BSC-LMM-{code}"
