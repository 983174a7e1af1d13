"""The ladder: each rung is its method's own answer, group by group estimates are least squares by hand, and refusals say why."""

import itertools

import numpy as np
import pandas as pd
import pytest

from bscstudy.errors import BscError
from bscstudy.multilevel import fit_mixed_model
from bscstudy.multilevel.group_estimates import group_estimates, independent_groups
from bscstudy.multilevel.ladder import RUNGS, ladder


def centers(count: int = 8, seed: int = 2, slope_sd: float = 0.3) -> pd.DataFrame:
    """Unequal centers of people in two waves; exposure of the center, 0 or 1; change differs between centers."""
    rng = np.random.default_rng(seed)
    rows = []
    for center in range(count):
        shift, slope = rng.normal(0, 0.4), 0.3 + rng.normal(0, slope_sd)
        for person in range(5 + center % 3):
            own = rng.normal(0, 0.4)
            for wave in (0.0, 1.0):
                if rng.random() < 0.9:
                    rows.append((f"C{center}", f"P{person}", wave, center % 2 * 1.0, 3 + shift + own + slope * wave + rng.normal(0, 0.3)))
    return pd.DataFrame(rows, columns=["center", "person", "wave", "exposure", "y"])


def by_rung(result, contrast, rungs=RUNGS, **more):
    found = ladder(result, np.asarray(contrast, float)[None], rungs, seed=11, **more)
    return {row.rung: row for row in found}


def test_every_rung_is_its_own_methods_answer():
    result = fit_mixed_model("y ~ wave + (1 + wave | center)", centers())
    rows = by_rung(result, [0, 1], draws=199)
    assert list(rows) == list(RUNGS)
    for name in ("satterthwaite", "kenward_roger", "cr2", "between_within", "likelihood_ratio", "wald"):
        frame = result.tests(name)
        assert rows[name].p_value == pytest.approx(frame.loc[1, "p_value"], rel=1e-12), name
        assert name in ("likelihood_ratio",) or rows[name].low < rows[name].estimate < rows[name].high
    assert rows["wald"].note and rows["likelihood_ratio"].note  # both are too liberal with 8 centers, and say so
    assert rows["parametric_bootstrap"].p_value == result.parametric_bootstrap(np.array([[0.0, 1.0]]), replicates=199, seed=11).p_value
    assert rows["parametric_bootstrap"].smallest_p == 1 / 200
    profile = result.profile().query("kind == 'coefficient' and term == 'wave'").iloc[0]
    assert rows["profile"].low == pytest.approx(profile["lower"], rel=1e-6)  # two searches for the same limit
    assert rows["exact"].n_clusters == rows["wild_cluster_bootstrap"].n_clusters == 8
    assert rows["exact"].smallest_p == 2 / 2**8


def test_rungs_of_a_model_of_counts():
    frame = centers()
    frame["met"] = (frame["y"] > frame["y"].median()).astype(float)
    result = fit_mixed_model("met ~ wave + (1 | center)", frame, family="binomial")
    rows = by_rung(result, [0, 1], ("exact", "wald", "likelihood_ratio", "parametric_bootstrap"), draws=49)
    drawn = result.parametric_bootstrap(np.array([[0.0, 1.0]]), replicates=49, seed=11)
    assert rows["parametric_bootstrap"].p_value == drawn.p_value and rows["parametric_bootstrap"].smallest_p == 1 / 50
    assert rows["parametric_bootstrap"].estimate == rows["wald"].estimate
    assert rows["exact"].note.startswith("does not apply") and np.isfinite(rows["likelihood_ratio"].p_value)


def test_sign_flips_are_of_each_centers_own_least_squares():
    frame = centers()
    result = fit_mixed_model("y ~ wave + (1 | center/person)", frame)
    found = by_rung(result, [0, 1], ["exact"])["exact"]
    own = np.array([np.polyfit(part["wave"], part["y"], 1)[0] for _, part in frame.groupby("center")])
    assert found.estimate == pytest.approx(own.mean(), rel=1e-10)
    sums = [abs(np.dot(signs, own)) for signs in itertools.product((-1, 1), repeat=8)]
    assert found.p_value == np.mean(np.array(sums) >= abs(own.sum()) - 1e-12)


def test_centers_of_two_kinds_are_permuted_by_their_means():
    frame = centers()
    found = by_rung(fit_mixed_model("y ~ exposure + (1 | center)", frame), [0, 1], ["exact"])["exact"]
    means = frame.groupby("center")["y"].mean().to_numpy()
    kind = np.arange(8) % 2 == 1
    splits = [set(s) for s in itertools.combinations(range(8), 4)]
    differences = np.array([means[list(s)].mean() - means[list(set(range(8)) - s)].mean() for s in splits])
    assert found.estimate == pytest.approx(means[kind].mean() - means[~kind].mean(), rel=1e-10)
    assert found.p_value == np.mean(np.abs(differences) >= abs(found.estimate) - 1e-12)


def test_a_difference_in_change_compares_the_centers_own_changes():
    frame = centers()
    result = fit_mixed_model("y ~ wave * exposure + (1 + wave | center)", frame)
    names = list(result.fit.design.fixed_names)
    found = by_rung(result, np.eye(4)[names.index("wave:exposure")], ["exact"])["exact"]
    own = np.array([np.polyfit(part["wave"], part["y"], 1)[0] for _, part in frame.groupby("center")])
    assert found.estimate == pytest.approx(own[1::2].mean() - own[::2].mean(), rel=1e-10)
    main = by_rung(result, np.eye(4)[names.index("exposure")], ["exact"])["exact"]
    assert np.isnan(main.p_value) and "interacts" in main.note


def test_what_does_not_apply_says_why():
    frame = centers().assign(size=lambda f: f["center"].str[1].astype(float))
    exact = by_rung(fit_mixed_model("y ~ exposure + size + (1 | center)", frame), [0, 1, 0], ["exact"])["exact"]
    assert np.isnan(exact.p_value) and "other properties of groups" in exact.note and "size" in exact.note
    plain = by_rung(fit_mixed_model("y ~ wave", frame), [0, 1], ["exact", "cr2", "satterthwaite", "parametric_bootstrap"])
    assert all(np.isnan(row.p_value) and row.note.startswith("does not apply") for row in plain.values())
    binary = frame.assign(yes=(frame["y"] > 3.2).astype(float))
    logit = by_rung(fit_mixed_model("yes ~ wave + (1 | center)", binary, family="binomial"), [0, 1])
    assert {name for name, row in logit.items() if row.method} >= {"between_within", "likelihood_ratio", "wald"}
    assert all("does not apply" in logit[name].note for name in ("exact", "satterthwaite", "cr2", "wild_cluster_bootstrap", "profile"))
    with pytest.raises(BscError) as caught:
        ladder(fit_mixed_model("y ~ wave + (1 | center)", frame), np.eye(2)[1:], ["exakt"], seed=1)
    assert caught.value.code == "BSC-LMM-110"


def test_independent_groups_are_joined_by_what_they_share():
    frame = centers().assign(rater=lambda f: np.where(f["center"].isin(["C0", "C1"]), "R0", "R" + f["center"]))
    design = fit_mixed_model("y ~ wave + (1 | center) + (1 | rater)", frame).fit.design
    assert independent_groups(design).max() == 6  # C0 and C1 share a rater: 7 groups of 8
    order = np.random.default_rng(1).permutation(len(frame))
    plain, mixed = (fit_mixed_model("y ~ wave + (1 | center/person)", f).fit.design for f in (frame, frame.iloc[order]))
    assert np.array_equal(independent_groups(plain), independent_groups(mixed))
    first, second = (group_estimates(d, independent_groups(d), np.array([0.0, 1.0])) for d in (plain, mixed))
    assert np.array_equal(first.values, second.values)
