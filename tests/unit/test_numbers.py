"""Every number a reader sees goes through one formatter."""

import numpy as np
import pandas as pd
import pytest

from bscstudy import numbers


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.1234, "0.12"), (-0.126, "−0.13"), (-0.001, "0.00"), (1234.5, "1,234.50"), (None, "–"), (pd.NA, "–"), (np.nan, "–"), (np.inf, "∞")],
)
def test_estimate(value, shown):
    assert numbers.estimate(value) == shown


def test_signed_estimates_have_a_sign_unless_they_round_to_zero():
    assert [numbers.estimate(v, signed=True) for v in (0.5, -0.5, 0.001, -0.001)] == ["+0.50", "−0.50", "0.00", "0.00"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0004, "< .001"),
        (0.001, ".001"),
        (0.0496, ".050"),
        (0.5, ".500"),
        (0.9996, "> .999"),
        (1.0, "> .999"),
        (0.0, "< .001"),
        (None, "–"),
    ],
)
def test_p_value(value, shown):
    assert numbers.p_value(value) == shown


def test_p_value_in_running_text():
    assert [numbers.p_value(v, prefix=True) for v in (0.0001, 0.032, None)] == ["p < .001", "p = .032", "–"]


@pytest.mark.parametrize(
    ("share", "digits", "shown"),
    [(0.0, 0, "0%"), (0.004, 0, "<1%"), (0.0004, 1, "<0.1%"), (0.996, 0, ">99%"), (0.43, 0, "43%"), (1.0, 0, "100%"), (None, 0, "–")],
)
def test_percent_never_calls_a_few_none_or_most_all(share, digits, shown):
    assert numbers.percent(share, digits) == shown


def test_counts():
    shown = [
        numbers.count(1351.0),
        numbers.count("<10"),
        numbers.count(None),
        numbers.count_of(12, 23),
        numbers.count_of(0, 0),
        numbers.count_of("<5", 23),
    ]
    assert shown == ["1,351", "<10", "–", "12 of 23 (52%)", "0 of 0", "<5 of 23"]


@pytest.mark.parametrize(
    "refused",
    [
        lambda: numbers.p_value(1.2),
        lambda: numbers.percent(1.2),
        lambda: numbers.percent(-0.1),
        lambda: numbers.count(3.5),
        lambda: numbers.count(-1),
        lambda: numbers.interval(0.3, 0.1),
    ],
)
def test_impossible_numbers_are_refused(refused):
    with pytest.raises(ValueError):
        refused()


@pytest.mark.parametrize(("value", "shown"), [(22, "22"), (22.004, "22"), (22.37, "22.4"), (np.inf, "∞"), (None, "–")])
def test_degrees_of_freedom(value, shown):
    assert numbers.degrees_of_freedom(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(12345.6, "12,346"), (0.01234, "0.0123"), (9.0, "9"), (4.5, "4.5"), (100.0, "100"), (0, "0"), (-2.5, "−2.5")]
)
def test_measure(value, shown):
    assert numbers.measure(value) == shown


def test_estimate_with_interval():
    assert numbers.estimate_with_interval(-0.3, -0.5, -0.1) == "−0.30 (−0.50 to −0.10)"
    assert numbers.estimate_with_interval(0.3, None, 0.5) == "0.30"


def test_words():
    assert numbers.listed(["a"]) == "a" and numbers.listed(["a", "b", "c"]) == "a, b and c" and numbers.listed([]) == ""
    assert numbers.plural(1, "entry", "entries") == "1 entry" and numbers.plural(2, "entry", "entries") == "2 entries"
