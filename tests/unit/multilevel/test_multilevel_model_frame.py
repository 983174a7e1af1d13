"""Formula and table -> Design, against formulaic's own matrices and lme4's numbers of random effects."""

import time
from pathlib import Path

import formulaic
import numpy as np
import pandas as pd
import pytest

from bscstudy.errors import BscError
from bscstudy.multilevel.covariance import covariance_layout
from bscstudy.multilevel.model_frame import build_design

DATA = Path(__file__).resolve().parents[2] / "reference" / "data" / "mixed"


@pytest.fixture
def frame():
    random = np.random.default_rng(11)
    n = 240
    center = np.repeat(np.arange(12), n // 12)
    table = pd.DataFrame(
        {
            "y": random.normal(size=n),
            "x": random.normal(size=n),
            "k": random.integers(0, 4, n),
            "flag": random.random(n) < 0.5,
            "role": pd.Categorical(random.choice(["teacher", "aide", "lead"], n), categories=["teacher", "lead", "aide"]),
            "wave": random.choice(["T1", "T3", "T4"], n),
            "center": [f"c{i:02d}" for i in center],
            "person": np.tile(np.repeat(np.arange(5), 4), 12) + 100,
            "rater": random.choice(["r1", "r2", "r3", "r4", "r5", "r6"], n),
            "odd name": random.normal(size=n),
            "z.1": random.normal(size=n),
            "successes": random.integers(0, 5, n),
            "trials": random.integers(5, 9, n),
            "exposure": random.uniform(1, 2, n),
            "w": random.uniform(0.5, 2, n),
            "yes": random.integers(0, 2, n),
            "count": random.poisson(2, n),
            "likert": pd.Categorical(random.choice(["no", "some", "yes"], n), categories=["no", "some", "yes"], ordered=True),
        }
    )
    table["failures"] = table.trials - table.successes
    return table


FIXED = [
    "1",
    "x",
    "0 + x",
    "x + k + flag",
    "x * k",
    "2.5:x + k",
    "wave",
    "0 + wave",
    "wave * role",
    "wave:role",
    "0 + wave:role",
    "x + wave:role",
    "wave + wave:role",
    "role + wave:role:x",
    "x:wave",
    "wave * x * role",
    "wave / role",
    "role %in% wave",
    "(x + k + wave)**2 - x:k",
    "`odd name` + z.1",
    "`odd name` * wave",
    "C(k)",
    "C(k) * role",
    "C(role, contr.treatment('aide'))",
    "C(wave, contr.sum) * x",
    "bs(x, df=4) * wave",
    "cr(x, df=3, constraints='center')",
    "0 + cr(x, df=3)",
    "poly(x, 2) + scale(k)",
    "np.log(exposure) + I(x**2) + {x + k}",
    "center(x) + flag:role",
]


@pytest.mark.parametrize("fixed", FIXED)
def test_fixed_columns_are_those_of_formulaic(frame, fixed):
    design = build_design(f"y ~ {fixed} + (1 | center)", frame)
    matrix = formulaic.model_matrix(fixed, frame.drop(columns="center").iloc[design.rows], context={})
    assert design.fixed_names == tuple("(Intercept)" if name == "Intercept" else name for name in matrix.columns)
    # products may be taken in another order; standardised columns sum the rows in another order
    np.testing.assert_allclose(design.fixed, matrix.to_numpy(float), rtol=1e-13, atol=1e-13)
    slow = any(name in fixed for name in ("bs(", "cr(", "poly", "log", "center("))
    assert (design.information.fixed.products is None) == slow  # all others are worked out without formulaic
    assert design.fixed.flags.c_contiguous and design.fixed.dtype == np.float64
    assert sorted(i for columns in design.information.terms.values() for i in columns) == list(range(design.p))


@pytest.mark.parametrize("fixed", FIXED)
def test_new_rows_get_the_same_columns(frame, fixed):
    design = build_design(f"y ~ {fixed} + (1 + x | center/person)", frame)
    some = frame.iloc[design.rows[40:80]]
    information = design.information
    np.testing.assert_allclose(information.columns_for(some), design.fixed[40:80], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(information.columns_for(information.data), design.fixed, rtol=1e-12, atol=1e-12)
    for factor, codes, columns in zip(design.factors, information.codes_for(some), information.random_columns_for(some), strict=True):
        np.testing.assert_array_equal(codes, factor.codes[40:80])
        np.testing.assert_array_equal(columns, factor.columns[40:80])


RANDOM = {
    "(1 | center)": [("center", 12, ["(Intercept)"], 1)],
    "(1 + x | center/person)": [("center:person", 60, ["(Intercept)", "x"], 3), ("center", 12, ["(Intercept)", "x"], 3)],
    "(1 | center:person)": [("center:person", 60, ["(Intercept)"], 1)],
    "(1 | center) + (1 | rater)": [("center", 12, ["(Intercept)"], 1), ("rater", 6, ["(Intercept)"], 1)],
    "(x | center)": [("center", 12, ["(Intercept)", "x"], 3)],
    "(0 + x | center)": [("center", 12, ["x"], 1)],
    "(1 + x + k || center)": [("center", 12, ["(Intercept)", "x", "k"], 3)],
    "(1 | center) + (0 + x | center)": [("center", 12, ["(Intercept)", "x"], 2)],
    "(1 + x | center) + (0 + k | center)": [("center", 12, ["(Intercept)", "x", "k"], 4)],
    "(1 + wave | center)": [("center", 12, ["(Intercept)", "wave[T.T3]", "wave[T.T4]"], 6)],
    "(0 + wave | center)": [("center", 12, ["wave[T1]", "wave[T3]", "wave[T4]"], 6)],
    "(0 + wave || center)": [("center", 12, ["wave[T1]", "wave[T3]", "wave[T4]"], 6)],
    "(1 + wave || center)": [("center", 12, ["wave[T1]", "wave[T3]", "wave[T4]"], 6)],
    "(x + wave || center)": [("center", 12, ["x", "wave[T1]", "wave[T3]", "wave[T4]"], 7)],
    "(1 + `odd name` || center)": [("center", 12, ["(Intercept)", "odd name"], 2)],
    "(1 + I(x**2) || center)": [("center", 12, ["(Intercept)", "I(x ** 2)"], 2)],
    "(x * k || center)": [("center", 12, ["(Intercept)", "x", "k", "x:k"], 4)],
    "(1 | center:person) + (0 + x | person:center)": [("center:person", 60, ["(Intercept)", "x"], 2)],
}


@pytest.mark.parametrize("random", RANDOM)
def test_grouping_factors(frame, random):
    design = build_design(f"y ~ x + {random}", frame)
    found = []
    for factor in design.factors:
        found.append((factor.name, factor.n_levels, list(factor.effect_names), int(factor.free.sum())))
        assert factor.codes.dtype == np.int64 and not np.triu(factor.free, 1).any() and factor.columns.flags.c_contiguous
        np.testing.assert_array_equal(np.unique(factor.codes), np.arange(factor.n_levels))
        given = frame.iloc[design.rows]
        labels = given[factor.name.split(":")].astype(str).agg(":".join, axis=1)
        assert list(labels) == [factor.labels[code] for code in factor.codes]
        assert list(factor.labels) == sorted(factor.labels)
        for position, name in enumerate(factor.effect_names):
            if name in given:
                np.testing.assert_array_equal(factor.columns[:, position], given[name])
    assert found == RANDOM[random]
    assert covariance_layout(design).n_parameters == sum(row[3] for row in found)


def test_rows_stand_in_an_order_that_does_not_depend_on_the_data(frame):
    formula = "y ~ wave * x + bs(exposure, df=4) + scale(`z.1`) + (1 + x | center/person) + (1 | rater)"
    first = build_design(formula, frame, weights="w", offset="exposure")
    mixed = frame.sample(frac=1, random_state=5)
    second = build_design(formula, mixed, weights="w", offset=mixed.exposure.to_numpy())
    for a, b in ((first, second), *zip(first.factors, second.factors, strict=True)):
        for name in ("response", "fixed", "weights", "offset") if a is first else ("codes", "columns"):
            np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
    np.testing.assert_array_equal(frame.index[first.rows], mixed.index[second.rows])
    np.testing.assert_array_equal(first.response, frame.y.to_numpy()[first.rows])
    np.testing.assert_array_equal(first.information.group_labels("center"), frame.center.to_numpy()[first.rows])


def test_missing_rows_are_counted_by_column_and_left_out(frame):
    lost = frame.assign(offsets=frame.exposure, unused=np.nan, person=frame.person.astype(object))
    lost.loc[[0, 1], "y"] = np.nan
    lost.loc[[1, 2], "wave"] = None
    lost.loc[[3], "center"] = None
    lost.loc[[4, 5], "offsets"] = np.nan
    lost.loc[[6], "role"] = np.nan
    lost.loc[[7], "person"] = None
    weights = frame.w.to_numpy().copy()
    weights[8] = np.nan
    design = build_design("y ~ x + wave + role + (1 | center/person)", lost, weights=weights, offset="offsets")
    assert design.n_missing == {"y": 2, "wave": 2, "role": 1, "center": 1, "person": 1, "weights": 1, "offsets": 2, "rows": 9}
    assert design.n == 231 and set(design.rows) == set(range(9, 240))
    np.testing.assert_array_equal(design.weights, weights[design.rows])
    assert build_design("y ~ x + (1 | center)", frame).n_missing == {"rows": 0}


def test_levels_that_lose_their_rows_leave_the_model(frame):
    frame.loc[frame.role == "teacher", "y"] = np.nan
    frame.loc[frame.center == "c03", "x"] = np.nan
    design = build_design("y ~ x + role + (1 | center)", frame)
    assert design.fixed_names == ("(Intercept)", "x", "role[T.aide]")
    assert design.information.factors == {"role": ("lead", "aide")} and design.factors[0].n_levels == 11


@pytest.mark.parametrize(
    ("as_type", "level"),
    [("Int64", 101), ("float64", 101), ("str", "101"), ("object", 101), ("category", 101)],
)
def test_group_labels_do_not_depend_on_the_type_of_the_column(frame, as_type, level):
    design = build_design("y ~ x + (1 | person)", frame.assign(person=frame.person.astype(as_type)))
    assert design.factors[0].labels == ("100", "101", "102", "103", "104")
    codes = design.information.codes_for(pd.DataFrame({"person": [level, 999]}))[0]
    assert list(codes) == [1, -1]


@pytest.mark.parametrize("as_type", ["Int64", "object", "float32", "int8"])
def test_numbers_of_any_type_are_numbers(frame, as_type):
    design = build_design("y ~ k + (1 | center)", frame.assign(k=frame.k.astype(as_type)))
    np.testing.assert_array_equal(design.fixed, build_design("y ~ k + (1 | center)", frame).fixed)


def test_responses(frame):
    counts = [build_design(f"{left} ~ x + (1 | center)", frame, family="binomial") for left in LEFT_SIDES]
    for design in counts:
        given = frame.iloc[design.rows]
        np.testing.assert_array_equal(design.response, given.successes)
        np.testing.assert_array_equal(design.trials, given.trials)
    for column in ("yes", "flag"):
        design = build_design(f"{column} ~ x + (1 | center)", frame, family="binomial")
        assert design.trials is None and set(design.response) == {0.0, 1.0}
    log = build_design("np.log(exposure) ~ x + (1 | center)", frame)
    np.testing.assert_array_equal(log.response, np.log(frame.exposure.to_numpy()[log.rows]))
    assert log.response_name == "np.log(exposure)"
    ratio = build_design("successes / trials ~ x + (1 | center)", frame)
    np.testing.assert_array_equal(ratio.response, (frame.successes / frame.trials).to_numpy()[ratio.rows])


LEFT_SIDES = ("cbind(successes, failures)", "cbind(successes, trials - successes)", "successes / trials")


@pytest.mark.parametrize("fixed", ["x + role", "0 + x + role", "x + role - 1"])
def test_ordered_outcomes_have_codes_and_no_constant(frame, fixed):
    design = build_design(f"likert ~ {fixed} + (1 | center)", frame, family="cumulative")
    assert design.fixed_names == ("x", "role[T.lead]", "role[T.aide]")
    assert design.information.categories == ("no", "some", "yes")
    np.testing.assert_array_equal(design.response, frame.likert.cat.codes.to_numpy()[design.rows])
    np.testing.assert_array_equal(design.information.columns_for(frame.iloc[design.rows]), design.fixed)
    numbers = build_design("k ~ C(wave, contr.sum) + (1 | center)", frame, family="ordinal")
    assert numbers.information.categories == ("0", "1", "2", "3") and numbers.p == 2
    assert build_design("k ~ 1 + (1 | center)", frame, family="ordinal").p == 0


def test_information_for_reference_grids(frame):
    information = build_design("y ~ wave * x + C(k) + role + (1 | center)", frame).information
    assert information.factors == {"wave": ("T1", "T3", "T4"), "k": (0, 1, 2, 3), "role": ("teacher", "lead", "aide")}
    assert information.terms["wave:x"] == tuple(i for i, n in enumerate(information.fixed.names) if "wave" in n and ":x" in n)
    assert information.means == {"x": pytest.approx(frame.x.mean(), rel=1e-12)}
    assert list(information.data.columns) == ["wave", "x", "k", "role"] and len(information.data) == 240
    assert isinstance(information.fixed.spec, formulaic.ModelSpec)


CODES = [
    ("BSC-LMM-001", "y ~ lag(x) + (1 | center)", {}),
    ("BSC-LMM-001", "y ~ I(k ^ 2) + (1 | center)", {}),
    ("BSC-LMM-001", "y ~ factor(k) + (1 | center)", {}),
    ("BSC-LMM-001", "y ~ open('a') + (1 | center)", {}),
    ("BSC-LMM-001", "y ~ {x.__class__} + (1 | center)", {}),
    ("BSC-LMM-001", "y ~ x + 3 + (1 | center)", {}),
    ("BSC-LMM-002", "y ~ waves + np.log(exposur) + (1 | centre)", {"weights": "ww"}),
    ("BSC-LMM-003", "cbind(successes, failures) ~ x + (1 | center)", {}),
    ("BSC-LMM-003", "yes ~ x + (1 | center)", {"family": "beta_binomial"}),
    ("BSC-LMM-004", "wave ~ x + (1 | center)", {}),
    ("BSC-LMM-004", "wave ~ x + (1 | center)", {"family": "binomial"}),
    ("BSC-LMM-005", "k ~ x + (1 | center)", {"family": "binomial"}),
    ("BSC-LMM-005", "y ~ x + (1 | center)", {"family": "poisson"}),
    ("BSC-LMM-005", "trials / successes ~ x + (1 | center)", {"family": "beta_binomial"}),
    ("BSC-LMM-006", "y ~ np.log(k) + (1 | center)", {}),
    ("BSC-LMM-006", "y ~ x + (0 + np.log(x) | center)", {}),
    ("BSC-LMM-126", "y ~ x + (1 | center)", {"weights": "k"}),
    ("BSC-LMM-008", "y ~ x + (1 | center)", {"weights": "wave"}),
    ("BSC-LMM-125", "y ~ x + (1 | center)", {"offset": np.ones(3)}),
    ("BSC-LMM-125", "y ~ x + (1 | center)", {"offset": pd.Series(np.ones(240), index=np.arange(240)[::-1])}),
    ("BSC-LMM-010", "y ~ x + (1 | row)", {}),
    ("BSC-LMM-010", "y ~ x + (0 + wave + x + k | center:person)", {}),
    ("BSC-LMM-011", "y ~ x + k + double + (1 | center)", {}),
    ("BSC-LMM-012", "y ~ level1 + level2 + level3 + level4 + (1 | site)", {}),
    ("BSC-LMM-013", "y ~ x + (1 | center) + (x | center)", {}),
    ("BSC-LMM-014", "y ~ x + (1 | center) + (0 + wave | center)", {}),
    ("BSC-LMM-014", "y ~ x + (1 | center) + (1 | same)", {}),
    ("BSC-LMM-015", "y ~ day + (1 | center)", {}),
    ("BSC-LMM-021", "y ~ 0 + (1 | center)", {}),
    ("BSC-LMM-017", "y ~ bs(wave, df=4) + (1 | center)", {}),
    ("BSC-LMM-017", "y ~ C(wave, levels=['T1', 'T3']) + (1 | center)", {}),
]


@pytest.mark.parametrize(("code", "formula", "how"), CODES)
def test_refusals(frame, code, formula, how):
    site = frame.center.str[1:].astype(int) // 2  # 6 sites carry 3 covariates
    more = frame.assign(
        row=np.arange(240), double=2 * frame.k - 3 * frame.x, day=pd.Timestamp("2024-01-01"), site=site, same=frame.center + "!"
    )
    random = np.random.default_rng(2)
    for i in range(1, 5):
        more[f"level{i}"] = random.normal(size=6)[site]
    with pytest.raises(BscError) as error:
        build_design(formula, more, **how)
    assert error.value.code == code
    if code == "BSC-LMM-012":
        assert "6 levels carry 3, the model has 4" in error.value.where[0]
        build_design(formula.replace("+ level4", ""), more, **how)


@pytest.mark.parametrize(
    ("code", "change", "formula"),
    [
        ("BSC-LMM-006", {"x": np.inf}, "y ~ x + (1 | center)"),
        ("BSC-LMM-007", {"x": np.nan}, "y ~ x + (1 | center)"),
        ("BSC-LMM-009", {"center": "c1"}, "y ~ x + (1 | center)"),
        ("BSC-LMM-016", {"wave": "T1"}, "y ~ x + wave + (1 | center)"),
        ("BSC-LMM-016", {"k": 3}, "y ~ x + C(k) + (1 | center)"),
        ("BSC-LMM-019", {"y": 1.5}, "y ~ x + (1 | center)"),
    ],
)
def test_refusals_of_values(frame, code, change, formula):
    with pytest.raises(BscError) as error:
        build_design(formula, frame.assign(**change))
    assert error.value.code == code


def test_refusals_of_size_and_names(frame):
    for code, data in (("BSC-LMM-007", frame.iloc[:0]), ("BSC-LMM-020", frame.iloc[[0, 40, 80]])):
        with pytest.raises(BscError) as error:
            build_design("y ~ x + z.1 + (0 + w | center)", data)
        assert error.value.code == code
    with pytest.raises(BscError, match="BSC-LMM-127"):
        build_design("y ~ x + (1 | center)", pd.concat([frame, frame[["x"]]], axis=1))
    with pytest.raises(BscError, match="BSC-LMM-070"):
        build_design("y ~ x + (1 | center)", frame, family="gausian")


def test_findings_of_a_kind_come_together_and_name_what_is_wrong(frame):
    with pytest.raises(BscError) as unknown:
        build_design("y ~ waves + np.log(exposur) + (1 | centre)", frame)
    assert [place.split(". ")[1] for place in unknown.value.where] == [f"Did you mean '{n}'?" for n in ("wave", "exposure", "center")]
    scaled = frame.assign(tiny=1e-9 * frame.x + 1e-7 * frame.k, huge=1e9 * frame.exposure + 1e6)
    with pytest.raises(BscError) as dependent:
        build_design("y ~ x + k + tiny + exposure + huge + (1 | center)", scaled)
    assert dependent.value.where == ("tiny is a combination of x, k", "huge is a combination of (Intercept), exposure")


def test_units_do_not_make_columns_dependent(frame):
    year = 2015 + frame.k
    scaled = frame.assign(tiny=1e-12 * frame.x, huge=1e12 * frame.exposure, year=year, square=year.astype(float) ** 2)
    assert build_design("y ~ tiny + huge + year + square + (1 | center)", scaled).p == 5


def test_new_rows_are_refused_where_the_model_knows_nothing(frame):
    information = build_design("y ~ x * wave + C(k) + (1 | center)", frame).information
    for change in ({"wave": "T2"}, {"wave": None}, {"k": 9}, {"x": np.nan}, {"x": "a"}):
        with pytest.raises(BscError, match="BSC-LMM-018"):
            information.columns_for(frame.iloc[:3].assign(**change))
    with pytest.raises(BscError, match="BSC-LMM-018"):
        information.columns_for(frame.drop(columns="wave"))
    with pytest.raises(BscError, match="exposure.*undefined"):
        build_design("y ~ np.log(exposure) + (1 | center)", frame).information.columns_for(frame.assign(exposure=-1.0))
    assert list(information.codes_for(pd.DataFrame({"center": ["c03", "c99", None]}))[0]) == [3, -1, -1]


def test_two_levels_are_no_refusal(frame):
    build_design("y ~ x + (1 | half)", frame.assign(half=frame.center < "c06"))


def test_levels_of_equal_value_but_other_type_keep_their_names(frame):
    whole = build_design("y ~ group + (1 | center)", frame.assign(group=pd.Categorical(frame.k)))
    decimal = build_design("y ~ group + (1 | center)", frame.assign(group=pd.Categorical(frame.k.astype(float))))
    assert whole.fixed_names[1:] == ("group[T.1]", "group[T.2]", "group[T.3]")
    assert decimal.fixed_names[1:] == ("group[T.1.0]", "group[T.2.0]", "group[T.3.0]")


@pytest.mark.parametrize(
    ("table", "formula", "factors"),
    [
        ("sleepstudy", "Reaction ~ Days + (1 + Days | Subject)", {"Subject": 18}),
        ("pastes", "strength ~ 1 + (1 | batch/cask)", {"batch:cask": 30, "batch": 10}),
        ("penicillin", "diameter ~ 1 + (1 | plate) + (1 | sample)", {"plate": 24, "sample": 6}),
        ("sim3", "y ~ wave * arm + role + (1 | center/pid)", {"center:pid": 105, "center": 7}),
        ("cake", "angle ~ recipe * temperature + (1 | recipe:replicate)", {"recipe:replicate": 45}),
    ],
)
def test_classics_have_the_levels_that_lme4_finds(table, formula, factors):
    given = pd.read_csv(DATA / f"{table}.csv")
    design = build_design(formula, given)
    assert {factor.name: factor.n_levels for factor in design.factors} == factors
    for factor in design.factors:
        labels = given.iloc[design.rows][factor.name.split(":")].astype(str).agg(":".join, axis=1)
        assert list(labels) == [factor.labels[code] for code in factor.codes]
    for factor, codes in zip(design.factors, design.information.codes_for(given.iloc[design.rows]), strict=True):
        np.testing.assert_array_equal(codes, factor.codes)


def test_a_small_design_takes_about_a_millisecond():
    table = pd.read_csv(DATA / "sim3.csv")
    build_design("y ~ wave * arm + role + (1 | center/pid)", table)
    times = []
    for _ in range(20):
        start = time.perf_counter()
        build_design("y ~ wave * arm + role + (1 | center/pid)", table)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.004  # 0.6 ms on an idle machine; the bound allows for a busy one


@pytest.mark.slow
def test_a_million_rows():
    random = np.random.default_rng(1)
    n = 1_000_000
    person = np.arange(n) // 20
    table = pd.DataFrame({"y": random.normal(size=n), "x": random.normal(size=n), "center": person // 25, "person": person})
    start = time.perf_counter()
    design = build_design("y ~ x + (1 | center/person)", table)
    assert time.perf_counter() - start < 20  # 2 s on an idle machine
    assert [factor.n_levels for factor in design.factors] == [50_000, 2_000]
