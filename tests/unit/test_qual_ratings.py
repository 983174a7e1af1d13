"""Ratings of constructs: what is refused, how they settle, and how raters agree."""

import numpy as np
import pandas as pd
import pytest

from bscstudy.config import read_study
from bscstudy.errors import BscError
from bscstudy.qual.rater_reliability import rater_reliability
from bscstudy.qual.ratings import check_evidence, compared_values, read_ratings, settle_ratings
from bscstudy.references_ratings import rating_references

CONSTRUCTS = [{"id": "leaders"}, {"id": "cost"}]
COLUMNS = ["center_id", "construct", "rater_id", "stage", "rating", "mixed", "n_informants", "evidence", "blind"]
SOUND = [
    ("c1", "leaders", "r1", "independent", "+2", 0, 1, "d1", 1),
    ("c1", "leaders", "r2", None, "1", 0, 1, "d1 d2", 1),
    ("c1", "leaders", None, "consensus", "2.0", 1, 1, "d1;d2", 1),
    ("c2", "leaders", "r1", "independent", "\N{MINUS SIGN}1", 0, 4, "d3", 1),
    ("c2", "leaders", "r2", "independent", "1", 0, 4, "d3", 0),
    ("c3", "leaders", "r1", "independent", "x", 0, 4, "d3", 1),
    ("c3", "leaders", "r2", "independent", "X", 0, 4, "d3", np.nan),
    ("c4", "leaders", "r1", "independent", "m", 0, 0, None, 1),
]


def rows(*changed):
    table = pd.DataFrame([*SOUND, *changed], columns=COLUMNS)
    return table.assign(row=range(2, len(table) + 2))


def test_ratings_settle_by_consensus_or_where_raters_agree():
    settled = settle_ratings(read_ratings(rows(), CONSTRUCTS, "ratings")).set_index("center_id")
    assert settled["kind"].to_dict() == {"c1": "number", "c2": "not_settled", "c3": "mixed", "c4": "missing"}
    assert settled.loc["c1", ["value", "mixed", "stage", "n_raters", "lowest", "highest", "n_evidence"]].tolist() == [
        2,
        1,
        "consensus",
        2,
        1,
        2,
        2,
    ]
    assert settled["value"].notna().tolist() == [True, False, False, False], "no mean of raters who differ, and X and M are not 0"
    assert settled["note"].tolist() == ["few_informants", "", "", ""]
    assert settled["blind"].fillna(-1).tolist() == [1, 0, -1, 1], "of c3 one rater does not say"
    assert set(settled["wave"]) == {"all"}
    assert compared_values(settled).fillna(-9).tolist() == [2, -9, 0, -9]
    assert compared_values(settled, "missing").fillna(-9).tolist() == [2, -9, -9, -9]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (("c5", "leaders", "r1", "independent", "3", 0, 1, None, 1), "BSC-QUA-040"),
        (("c5", "leaders", "r1", "independent", "0.5", 0, 1, None, 1), "BSC-QUA-040"),
        (("c5", "leaders", "r1", "independent", None, 0, 1, None, 1), "BSC-QUA-040"),
        (("c5", "leaders", None, "independent", "1", 0, 1, None, 1), "BSC-QUA-041"),
        ((None, "leaders", "r1", "independent", "1", 0, 1, None, 1), "BSC-QUA-041"),
        (("c5", "leaders", "r1", "final", "1", 0, 1, None, 1), "BSC-QUA-041"),
        (("c5", "leader", "r1", "independent", "1", 0, 1, None, 1), "BSC-QUA-042"),
        (("c1", "leaders", "r1", "independent", "1", 0, 1, None, 1), "BSC-QUA-043"),
        (("c1", "leaders", "r9", "consensus", "1", 0, 1, None, 1), "BSC-QUA-043"),
    ],
)
def test_what_is_refused(row, code):
    with pytest.raises(BscError, match=code) as refused:
        read_ratings(rows(row), CONSTRUCTS, "ratings")
    assert "c5" not in str(refused.value), "no center in a message"


def test_evidence_must_exist():
    read = read_ratings(rows(), CONSTRUCTS, "ratings")
    check_evidence(read, {"d1", "d2", "d3"}, "ratings")
    with pytest.raises(BscError, match="BSC-QUA-044") as refused:
        check_evidence(read, {"d1", "d2"}, "ratings")
    assert str(refused.value).count("row") >= 4


def pairs(values):
    """Return rows of two raters, a center for each pair."""
    table = [
        (f"c{i}", "leaders", rater, "independent", value) for i, pair in enumerate(values) for rater, value in zip("ab", pair, strict=True)
    ]
    return read_ratings(pd.DataFrame(table, columns=COLUMNS[:5]).assign(row=range(len(table))), CONSTRUCTS, "ratings")


PAIRS = [("2", "2"), ("1", "2"), ("0", "0"), ("-1", "-1"), ("-2", "-1"), ("1", "1"), ("0", "1"), ("X", "1"), ("M", "M")]


@pytest.mark.parametrize("weights", ["linear", "quadratic"])
def test_weighted_kappa_is_statsmodels_and_leaves_out_what_is_no_number(weights):
    from statsmodels.stats.inter_rater import cohens_kappa

    table = np.zeros((5, 5))
    for a, b in PAIRS[:7]:
        table[int(a) + 2, int(b) + 2] += 1
    found = rater_reliability(pairs(PAIRS), ["leaders"], weights, draws=200).set_index(["construct", "coefficient"])
    row = found.loc[("leaders", "weighted_kappa")]
    kind = {"linear": "linear", "quadratic": "quadratic"}[weights]
    assert row["estimate"] == pytest.approx(cohens_kappa(table, wt=kind).kappa, abs=1e-12)  # the same closed form
    assert (row["n_units"], row["n_not_numbers"]) == (7, 2)
    assert row["percent"] == pytest.approx(4 / 7)


def test_ordinal_alpha_is_krippendorffs():
    # four coders and twelve units of Krippendorff 2011: ordinal .8153875038, with categories 1 to 5 moved to -2 to 2
    coders = ["1 2 3 3 2 1 4 1 2 . . .", "1 2 3 3 2 2 4 1 2 5 . 3", ". 3 3 3 2 3 4 2 2 5 1 .", "1 2 3 3 2 4 4 1 2 5 1 ."]
    table = [
        (f"c{i}", "leaders", f"r{j}", "independent", str(int(v) - 3))
        for j, line in enumerate(coders)
        for i, v in enumerate(line.split())
        if v != "."
    ]
    read = read_ratings(pd.DataFrame(table, columns=COLUMNS[:5]).assign(row=range(len(table))), CONSTRUCTS, "ratings")
    found = rater_reliability(read, ["leaders"], draws=200).set_index(["construct", "coefficient"])
    assert found.loc[("leaders", "ordinal_alpha"), "estimate"] == pytest.approx(0.8153875038, abs=1e-10)  # as printed
    assert found.loc[("all", "ordinal_alpha"), "n_raters"] == 4


def test_without_two_raters_there_is_no_coefficient():
    found = rater_reliability(read_ratings(rows().query("rater_id != 'r2'"), CONSTRUCTS, "ratings"), ["leaders", "cost"], draws=200)
    assert found["estimate"].isna().all() and (found["n_units"] == 0).all()


FAULTS = [
    ({"source": "nowhere"}, "source 'nowhere'"),
    ({"outcome": "sel_practise"}, "sel_practice"),
    ({"waves": ["T1", "T9"]}, "T9"),
    ({"weak": 3}, "'weak' lies above 'strong'"),
    ({"constructs": [{"id": "a"}, {"id": "a"}]}, "'a' is given more than once"),
    ({"high": ["A01"], "low": ["A02"]}, "'groups' goes without"),
    ({"source": "documents"}, "needs the item 'rating'"),
]


@pytest.mark.parametrize(("changed", "said"), FAULTS, ids=[said for _, said in FAULTS])
def test_what_the_ratings_refer_to_must_exist(repository, changed, said):
    study = read_study(repository / "config")
    assert rating_references(study) == []
    study = {**study, "qual": {**study["qual"], "ratings": {**study["qual"]["ratings"], **changed}}}
    assert any(said in finding for finding in rating_references(study))
