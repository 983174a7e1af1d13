"""Shares among the asked: Jeffreys limits against closed forms and statsmodels, groups counted by hand."""

import math

import pandas as pd
import pytest

from bscstudy.qual.shares import count_units, net_direction, share_among_asked, theme_by_center, theme_summary

EXACT = 1e-12  # closed forms, double precision


@pytest.mark.parametrize(("present", "asked"), [(1, 3), (7, 23), (22, 23)])
def test_jeffreys_limits_agree_with_statsmodels(present, asked):
    from statsmodels.stats.proportion import proportion_confint

    found = share_among_asked(present, asked)
    assert (found.low, found.high) == pytest.approx(proportion_confint(present, asked, method="jeffreys"), abs=EXACT)


def test_jeffreys_limits_of_one_of_two_in_closed_form():
    # Beta(3/2, 3/2) is a scaled semicircle: its distribution function is 1/2 + (u sqrt(1-u^2) + asin u) / pi with u = 2x - 1
    found = share_among_asked(1, 2)
    u = 2 * found.high - 1
    assert 0.5 + (u * math.sqrt(1 - u * u) + math.asin(u)) / math.pi == pytest.approx(0.975, abs=EXACT)
    assert found.low == pytest.approx(1 - found.high, abs=EXACT)


def test_shares_at_the_boundaries_reach_zero_and_one():
    none, everyone = share_among_asked(0, 1), share_among_asked(1, 1)
    # Beta(1/2, 3/2): the upper limit at 0 of 1 mirrors the lower limit at 1 of 1
    assert (none.share, none.low, everyone.share, everyone.high) == (0, 0, 1, 1)
    assert 0 < none.high < 1 and everyone.low == pytest.approx(1 - none.high, abs=EXACT)


def test_nobody_asked_is_not_zero():
    found = share_among_asked(0, 0)
    assert found.n_asked == 0 and all(math.isnan(value) for value in (found.share, found.low, found.high))
    with pytest.raises(ValueError):
        share_among_asked(2, 1)


@pytest.mark.parametrize(("facilitator", "barrier", "expected"), [(3, 1, 0.5), (0, 2, -1), (2, 2, 0)])
def test_net_direction(facilitator, barrier, expected):
    assert net_direction(facilitator, barrier) == expected


def test_net_direction_of_nothing_is_missing():
    assert math.isnan(net_direction(0, 0))


PRESENCE = pd.DataFrame(
    # unit, unit_id, center, role, wave, asked, present, facilitator, barrier codings
    [
        ("session", "s1", "c1", "director", "T2", 1, 1, 9, 0),  # nine codings, one session
        ("session", "s2", "c1", "teacher", "T2", 1, 1, 1, 1),
        ("session", "s3", "c1", "teacher", "T4", 1, 0, 0, 0),
        ("session", "s4", "c1", "director", "T4", 0, 1, 0, 5),  # unprompted: in no count but its own
        ("session", "s5", "c2", "director", "T4", 1, None, 0, 0),  # not coded
        ("session", "s6", "c2", "director", "T4", 0, None, 0, 0),  # not asked
        ("person", "p1", "c1", "director", "T2", 1, 1, 9, 0),
    ],
    columns=["unit", "unit_id", "center_id", "role", "wave", "asked", "present", "n_facilitator", "n_barrier"],
).assign(theme="leaders", collaborative="alder", coded=1, n_mixed=0, n_codings=1, present=lambda frame: frame["present"].astype("Int64"))


def test_units_are_counted_not_codings_and_only_the_asked():
    row = count_units(PRESENCE[PRESENCE["center_id"] == "c1"].query("unit == 'session'"), ["theme"]).iloc[0]
    # asked: s1 s2 s3; raised: s1 s2; facilitator: s1 s2; barrier: s2; net (2 - 1) / 3
    assert (row["n_asked"], row["n_present"], row["n_facilitator"], row["n_barrier"]) == (3, 2, 2, 1)
    assert row["net_direction"] == pytest.approx(1 / 3)
    assert row["n_unprompted"] == 1


def test_centers_are_counted_in_sessions_and_unasked_centers_have_no_share():
    frame = theme_by_center(PRESENCE).set_index(["center_id", "wave"])
    assert frame.loc[("c1", "all"), "n_asked"] == 3  # the person is not added to the sessions
    assert frame.loc[("c2", "all"), "n_asked"] == 0 and math.isnan(frame.loc[("c2", "all"), "share"])
    assert frame.loc[("c2", "all"), "n_not_coded"] == 1
    assert "role" not in theme_by_center(PRESENCE).columns


def test_summary_keeps_units_apart_and_adds_all_waves_and_roles():
    frame = theme_summary(PRESENCE).set_index(["wave", "role", "unit"])
    assert frame.loc[("all", "all", "session"), "n_asked"] == 3
    assert frame.loc[("all", "all", "person"), "n_asked"] == 1
    assert frame.loc[("T2", "teacher", "session"), "n_present"] == 1
    assert frame.loc[("all", "all", "session"), "n_centers"] == 1
