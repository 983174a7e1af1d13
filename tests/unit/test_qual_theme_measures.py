"""Measures of themes beyond presence, coders in turn, pairs of themes: counted by hand, and intervals against drawn shares."""

import math

import numpy as np
import pandas as pd
import pytest

from bscstudy.qual.clustered_shares import clustered_share
from bscstudy.qual.co_occurrence import co_occurrence
from bscstudy.qual.coder_sensitivity import coder_sensitivity
from bscstudy.qual.presence import presence_table
from bscstudy.qual.shares import share_among_asked
from bscstudy.qual.theme_measures import covered_length, theme_measures

EXACT = 1e-12  # closed forms, double precision
THEMES = [{"theme": "time", "topic": "resources"}, {"theme": "lead", "topic": "leaders"}, {"theme": "free", "topic": ""}]
DOCUMENTS = pd.DataFrame(
    [
        ("d1", "T1", None, None, "c1", "director", "p1"),
        ("d2", "T1", None, None, "c1", "teacher", None),
        ("d3", "T2", None, None, "c2", "director", "p2"),
        ("d4", "T2", None, None, "c2", "teacher", None),
    ],
    columns=["document_id", "wave", "coded", "settled", "center_id", "role", "person_id"],
).assign(session_id=None, collaborative="x", coded=1)
LISTED = pd.DataFrame({"document_id": ["d1", "d2", "d3", "d4"], "words": [500, 300, 200, np.nan], "characters": [1000, 800, 500, 400]})
ASKED = {("d1", "resources"), ("d2", "resources"), ("d3", "resources"), ("d1", "leaders"), ("d2", "leaders"), ("d4", "leaders")}
COLUMNS = ["document_id", "coder_role", "coder_id", "theme", "direction", "start", "end", "weight"]
CODINGS = pd.DataFrame(
    [
        ("d1", "main", "a", "time", "barrier", 0, 100, 3.0),
        ("d1", "main", "a", "time", "facilitator", 0, 100, 5.0),  # the same place: one excerpt, named as both
        ("d1", "main", "a", "time", "barrier", 50, 150, np.nan),
        ("d2", "main", "a", "lead", "facilitator", 10, 20, np.nan),
        ("d3", "main", "a", "lead", "facilitator", 10, 20, np.nan),  # unprompted
        ("d4", "main", "a", "lead", "barrier", np.nan, np.nan, np.nan),  # place not known
        ("d1", "second", "b", "lead", "barrier", 0, 10, np.nan),
        ("d2", "second", "b", "time", "barrier", 0, 10, np.nan),
    ],
    columns=COLUMNS,
).assign(offset_status="exact", coding_id=[f"s:{i}" for i in range(8)], code_path="x")


def measured(unit="session"):
    presence = presence_table(DOCUMENTS, ASKED, CODINGS, THEMES, unit)
    table = theme_measures(presence, DOCUMENTS, LISTED, ASKED, CODINGS, THEMES)
    return table.set_index(["theme", "wave", "role", "unit"])


def test_measures_are_of_documents_that_were_asked():
    time = measured().loc[("time", "all", "all", "session")]
    assert time[["n_asked", "n_present", "n_documents", "n_excerpts", "n_facilitator_excerpts", "n_barrier_excerpts"]].tolist() == [
        3,
        1,
        3,
        2,
        1,
        2,
    ]
    assert time["density"] == pytest.approx(1000 * 2 / 1000)  # 500 + 300 + 200 words
    assert time["coverage"] == pytest.approx(150 / 2300)  # 0 to 150 once
    assert (time["intensity"], time["n_weighted"]) == (4.0, 2)
    assert time["net_valence"] == pytest.approx((1 - 2) / 3)
    lead = measured().loc[("lead", "all", "all", "session")]
    assert lead[["n_asked", "n_present", "n_excerpts"]].tolist() == [3, 2, 2], "the unprompted mention of d3 counts nowhere"
    assert lead["density"] == pytest.approx(1000 / 800), "d4 has no words, so its excerpt does not count there"
    assert lead["coverage"] == pytest.approx(10 / 1800), "in d4 the place of the passage is not known"
    assert math.isnan(lead["intensity"])


def test_one_passage_of_unknown_place_leaves_its_document_out_of_coverage():
    codings = pd.concat([CODINGS, CODINGS.head(1).assign(start=5, end=9, offset_status="ambiguous", coding_id="s:9")])
    presence = presence_table(DOCUMENTS, ASKED, codings, THEMES)
    found = theme_measures(presence, DOCUMENTS, LISTED, ASKED, codings, THEMES).set_index(["theme", "wave", "role"])
    assert found.loc[("time", "all", "all"), ["coverage", "n_excerpts"]].tolist() == [0.0, 3], "of d2 and d3 alone"


def test_a_theme_nobody_was_asked_about_is_blank_not_zero():
    row = measured().loc[("time", "T2", "teacher", "session")]
    assert row["n_asked"] == 0 and row[["share", "density", "coverage", "net_valence"]].isna().all()


def test_centers_and_persons_are_units_of_their_own():
    centers, persons = measured("center"), measured("person")
    assert centers.loc[("lead", "all", "all", "center"), ["n_asked", "n_present"]].tolist() == [2, 2]
    assert not [role for _, _, role, unit in centers.index if unit == "center" and role != "all"], "a center has no role"
    assert persons.loc[("time", "all", "all", "person"), ["n_asked", "n_present", "n_documents"]].tolist() == [2, 1, 2]
    assert (measured().loc[("lead", "all", "all", "session")]).equals(centers.loc[("lead", "all", "all", "session")])


@pytest.mark.parametrize("seed", range(3))
def test_covered_length_is_that_of_the_characters(seed):
    random = np.random.default_rng(seed)
    start = random.integers(0, 80, 12)
    end = start + random.integers(1, 30, 12)
    characters = set().union(*(range(a, b) for a, b in zip(start, end, strict=True)))
    stretches = pd.DataFrame({"document_id": "d", "start": start, "end": end})
    both = pd.concat([stretches, stretches.head(1).assign(document_id="e")])
    assert covered_length(both, ["document_id"]).to_dict() == {"d": len(characters), "e": end[0] - start[0]}


def test_each_other_coder_replaces_the_codings_counted():
    found = coder_sensitivity(DOCUMENTS, ASKED, CODINGS, THEMES).set_index(["coder", "theme", "wave", "role"])
    assert set(found.index.get_level_values("coder")) == {"counted", "second:b"}
    assert found.loc[("counted", "time", "all", "all"), "n_present"] == 1
    # b read d1 and d2: time is in d2 instead of d1, lead in d1 and d4 instead of d2 and d4
    assert found.loc[("second:b", "time", "all", "all"), ["n_documents", "n_present", "difference"]].tolist() == [2, 1, 0.0]
    assert found.loc[("second:b", "time", "T1", "teacher"), "n_present"] == 1
    only = CODINGS[CODINGS["coder_role"] == "main"]
    assert set(coder_sensitivity(DOCUMENTS, ASKED, only, THEMES)["coder"]) == {"counted"}


def test_with_a_consensus_the_main_coder_is_another_coder():
    consensus = CODINGS.head(1).assign(coder_role="consensus", coder_id="ab", theme="lead", coding_id="s:9")
    found = coder_sensitivity(DOCUMENTS, ASKED, pd.concat([CODINGS, consensus]), THEMES).set_index(["coder", "theme", "wave", "role"])
    assert found.loc[("counted", "time", "all", "all"), "n_present"] == 0
    assert found.loc[("main:a", "time", "all", "all"), "n_present"] == 1


def test_pairs_count_only_sessions_asked_about_both():
    found = co_occurrence(presence_table(DOCUMENTS, ASKED, CODINGS, THEMES)).set_index(["theme_1", "theme_2"])
    row = found.loc[("lead", "time")]
    assert row[["n_asked", "n_1", "n_2", "n_both", "n_centers"]].tolist() == [2, 1, 1, 0, 0]
    known = share_among_asked(0, 2)
    assert (row["share"], row["low"], row["high"]) == (0.0, known.low, known.high)


def test_design_effect_is_from_the_analysis_of_variance():
    from statsmodels.formula.api import ols
    from statsmodels.stats.anova import anova_lm

    present, asked = np.array([3, 0, 2, 4, 1]), np.array([4, 3, 2, 4, 5])
    units = pd.DataFrame(
        [(c, int(i < x)) for c, (x, n) in enumerate(zip(present, asked, strict=True)) for i in range(n)], columns=["c", "y"]
    )
    between, within = anova_lm(ols("y ~ C(c)", units).fit())["mean_sq"]
    n0 = (asked.sum() - (asked**2).sum() / asked.sum()) / 4
    found = clustered_share(present, asked)
    assert found.correlation == pytest.approx((between - within) / (between + (n0 - 1) * within), abs=1e-10)  # two ways to the same sums
    assert found.design_effect == pytest.approx(1 + ((asked**2).sum() / asked.sum() - 1) * found.correlation, abs=EXACT)


def test_units_that_tell_all_or_nothing_count_as_centers():
    found = clustered_share([4, 4, 0, 0, 4], [4] * 5)
    alone = share_among_asked(3, 5)
    assert (found.correlation, found.design_effect) == (1.0, 4.0)
    assert (found.low, found.high) == pytest.approx((alone.low, alone.high), abs=EXACT)


def test_one_unit_a_center_is_jeffreys_interval():
    found, alone = clustered_share([1, 0, 1, 1], [1] * 4), share_among_asked(3, 4)
    assert (found.design_effect, found.low, found.high) == pytest.approx((1.0, alone.low, alone.high), abs=EXACT)
    assert math.isnan(clustered_share([3], [5]).low)


def test_intervals_hold_the_share_where_centers_differ():
    """Beta-binomial, mean .4, correlation .3, 20 centers of 6 sessions: the interval for independent units misses far too often."""
    random = np.random.default_rng(11)
    a = 0.4 * (1 / 0.3 - 1)
    b = 0.6 * (1 / 0.3 - 1)
    held, alone = 0, 0
    for _ in range(2000):
        x = random.binomial(6, random.beta(a, b, 20))
        found, plain = clustered_share(x, np.full(20, 6)), share_among_asked(int(x.sum()), 120)
        held += found.low <= 0.4 <= found.high
        alone += plain.low <= 0.4 <= plain.high
    # an estimated correlation of 20 centers costs a little; four standard errors of 2,000 draws are .02
    assert 0.91 <= held / 2000 <= 0.97
    assert alone / 2000 < 0.85
