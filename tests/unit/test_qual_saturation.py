"""Saturation curves: all orders gone through one by one, sessions in the order they were held."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest

from bscstudy.qual.saturation import saturation_curve, saturation_table, sessions_in_order

FOUND = [{"a"}, {"a", "b"}, set(), {"c", "d", "a"}, {"b"}]


def test_the_mean_is_that_of_all_orders():
    curves = [np.cumsum([len(held - set().union(*order[:i])) for i, held in enumerate(order)]) for order in permutations(FOUND)]
    found = saturation_curve(FOUND, seed=1)
    assert found["expected"].to_numpy() == pytest.approx(np.mean(curves, axis=0), abs=1e-9)  # logarithms of factorials
    assert found["n_new"].tolist() == [1, 1, 0, 2, 0] and found["n_found"].tolist() == [1, 2, 2, 4, 4]
    low, high = np.quantile(curves, [0.025, 0.975], axis=0, method="inverted_cdf")
    assert found["low"].tolist() == low.tolist() and found["high"].tolist() == high.tolist()  # all places far from a border of 2.5%


def test_the_same_seed_draws_the_same_band():
    first, again = (saturation_curve(FOUND * 5, seed=4) for _ in range(2))
    assert first.equals(again)


def test_nothing_found_is_a_flat_curve():
    assert saturation_curve([set(), set()], seed=1)[["n_found", "expected", "low", "high"]].to_numpy().tolist() == [[0] * 4] * 2


DOCUMENTS = pd.DataFrame(
    [
        ("d1", "T2", "2024-05-01", 1),
        ("d2", "T2", "2024-04-01", 1),
        ("d3", "T1", None, 1),
        ("d4", "T1", "2023-02-01", 1),
        ("d5", "T1", None, None),
    ],
    columns=["document_id", "wave", "date", "coded"],
).assign(session_id=None, settled=None)


def test_sessions_stand_by_wave_then_date():
    assert sessions_in_order(DOCUMENTS, ["T1", "T2"])["session_id"].tolist() == ["d4", "d3", "d5", "d2", "d1"]
    assert sessions_in_order(DOCUMENTS, ["T2", "T1"])["session_id"].tolist()[:2] == ["d2", "d1"]


def test_only_coded_sessions_and_mapped_codes_count():
    codings = pd.DataFrame(
        [("d1", "time", "X\\time"), ("d4", "time", "Y\\time"), ("d4", None, "Other"), ("d2", "lead", "X\\lead")],
        columns=["document_id", "theme", "code_path"],
    ).assign(coder_role="main")
    found = saturation_table(DOCUMENTS, codings, ["T1", "T2"], seed=1)
    themes, codes = (found[found["kind"] == kind] for kind in ("theme", "code"))
    assert themes["session_id"].tolist() == ["d4", "d3", "d2", "d1"], "d5 was not coded, d3 was and held nothing"
    assert themes["n_found"].tolist() == [1, 1, 2, 2] and codes["n_found"].tolist() == [1, 1, 2, 3]
