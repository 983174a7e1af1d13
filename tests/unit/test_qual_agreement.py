"""Coder agreement against published and independently computed values."""

import math

import pandas as pd
import pytest

from bscstudy.qual.agreement import agreement_table, pair_agreement, pooled_kappa


def test_the_kappa_paradox():
    # [[118, 5], [2, 0]]: po = 118/125 = .944, kappa -.023 (Gwet; reference values of the project)
    found = pair_agreement(118, 5, 2, 0)
    assert round(found.percent, 3) == 0.944 and round(found.kappa, 3) == -0.023
    assert found.positive == pytest.approx(236 / 243) and found.negative == 0
    assert found.prevalence == pytest.approx((123 + 120) / 250) and found.note == "kappa_unstable"


@pytest.mark.parametrize("cells", [(20, 5, 10, 15), (3, 1, 0, 6), (1, 9, 9, 1)])
def test_kappa_agrees_with_statsmodels(cells):
    from statsmodels.stats.inter_rater import cohens_kappa

    both, first, second, neither = cells
    expected = cohens_kappa([[both, first], [second, neither]], return_results=False)
    assert pair_agreement(*cells).kappa == pytest.approx(expected, abs=1e-12)  # same formula, double precision


@pytest.mark.parametrize(
    ("cells", "note"),
    [((4, 0, 0, 0), "kappa_not_defined"), ((0, 0, 0, 4), "kappa_not_defined"), ((0, 0, 0, 0), "no_double_coded_document")],
)
def test_kappa_is_left_out_where_it_is_not_defined(cells, note):
    found = pair_agreement(*cells)
    assert math.isnan(found.kappa) and found.note == note


def test_pooled_kappa_pools_observed_and_expected_agreement():
    # tables (2,0,0,2) po 1 pe .5 and (1,1,1,1) po .5 pe .5: (.75 - .5) / .5 = .5
    assert pooled_kappa([pair_agreement(2, 0, 0, 2), pair_agreement(1, 1, 1, 1)]) == pytest.approx(0.5)


def test_only_documents_of_both_coders_are_compared():
    codings = pd.DataFrame(
        [
            ("d1", "main", "leaders"), ("d1", "second", "leaders"), ("d1", "second", "leaders"),  # both; twice counts once
            ("d2", "main", "leaders"), ("d2", "second", None),  # main only; the second coder used an ignored code
            ("d3", "main", "time"), ("d3", "second", "time"),  # neither found leaders
            ("d4", "main", "leaders"),  # not double-coded
        ],
        columns=["document_id", "coder_role", "theme"],
    )  # fmt: skip
    frame = agreement_table(codings, [{"theme": "leaders"}, {"theme": "time"}]).set_index("theme")
    counts = ["n_units", "n_both", "n_only_first", "n_only_second", "n_neither"]
    assert frame.loc["leaders", counts].tolist() == [3, 1, 1, 0, 1]
    assert frame.loc["time", counts].tolist() == [3, 1, 0, 0, 2]
    assert frame.loc["all", "n_units"] == 6 and frame.loc["all", "statistic"].startswith("pooled")


def test_without_a_second_coder_there_is_no_agreement():
    assert agreement_table(pd.DataFrame({"document_id": ["d1"], "coder_role": ["main"], "theme": ["time"]}), [{"theme": "time"}]).empty
