"""Reading lme4 formulas."""

import pytest

from bscstudy.errors import BscError
from bscstudy.multilevel.formula import RandomTerm, ResponsePart, parse_mixed_formula
from bscstudy.multilevel.formula_parts import formula_part

READ = {
    "y ~ x * z + (1 + x | center/person) + (1 | rater)": (
        "x * z",
        [("1 + x", ("center",), True), ("1 + x", ("center", "person"), True), ("1", ("rater",), True)],
    ),
    "y ~ (1 | g) + x": ("x", [("1", ("g",), True)]),
    "y ~ 1 + (1 | g)": ("1", [("1", ("g",), True)]),
    "y ~ (1|g)": ("1", [("1", ("g",), True)]),
    "y ~ 0 + x - z + (0 + x | g)": ("0 + x - z", [("0 + x", ("g",), True)]),
    "y~x-1+(1+x+z||g)": ("x - 1", [("1+x+z", ("g",), False)]),
    "y ~ (a + b)**2 + I(a*(b+1)) + (x | a:b)": ("(a + b)**2 + I(a*(b+1))", [("x", ("a", "b"), True)]),
    "y ~ x + (1 | a/b/c)": ("x", [("1", ("a",), True), ("1", ("a", "b"), True), ("1", ("a", "b", "c"), True)]),
    "y ~ x + (1 | a/(b:c))": ("x", [("1", ("a",), True), ("1", ("a", "b", "c"), True)]),
    "y ~ `a b` + z.1 + (`a b` | `the group`)": ("`a b` + z.1", [("`a b`", ("the group",), True)]),
    "y ~ C(x, contr.treatment('b|c')) + bs(t, df=4) + (1 | g)": (
        "C(x, contr.treatment('b|c')) + bs(t, df=4)",
        [("1", ("g",), True)],
    ),
    "y ~ x": ("x", []),
}


@pytest.mark.parametrize("text", READ)
def test_parts(text):
    fixed, random = READ[text]
    found = parse_mixed_formula(text)
    assert (found.fixed, found.random) == (fixed, tuple(RandomTerm(*term) for term in random))
    assert found.response == ResponsePart("y", column="y")


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        ("`my score`", {"column": "my score"}),
        ("np.log(y + 1)", {}),
        ("cbind(yes, no)", {"successes": "yes", "failures": "no"}),
        ("cbind(yes, n - yes)", {"successes": "yes", "trials": "n"}),
        ("yes / n", {"successes": "yes", "trials": "n", "is_ratio": True}),
    ],
)
def test_left_side(left, expected):
    assert parse_mixed_formula(f"{left} ~ x + (1 | g)").response == ResponsePart(left, **expected)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "needs one ~"),
        ("y + x", "needs one ~"),
        ("~ x", "needs one ~"),
        ("y ~ x ~ z", "needs one ~"),
        ("y ~ x +", "A term is missing"),
        ("y ~ x + + z", "A term is missing"),
        ("y ~", "A term is missing"),
        ("y ~ x + 1 | g", "brackets of its own"),
        ("y ~ x * (1 | g)", "brackets of its own"),
        ("y ~ (1 | g):x", "brackets of its own"),
        ("y ~ x - (1 | g)", "cannot be taken away"),
        ("y ~ x + (1 | )", "one bar"),
        ("y ~ x + ( | g)", "one bar"),
        ("y ~ x + (1 ||| g)", "one bar"),
        ("y ~ x + (1 | a + b)", "two random parts"),
        ("y ~ x + (1 | a*b)", "joined by / or :"),
        ("y ~ x + (1 | log(a))", "joined by / or :"),
        ("y ~ x + (1 | g", "')' missing"),
        ("y ~ x) + (1 | g)", "')' too many"),
        ("y ~ `x + (1 | g)", "'`' missing"),
        ("cbind(a, b, c) ~ x", "Counts are written"),
        ("cbind(a, n - b) ~ x", "Counts are written"),
    ],
)
def test_unreadable(text, says):
    with pytest.raises(BscError) as error:
        parse_mixed_formula(text)
    assert error.value.code == "BSC-LMM-001" and says in error.value.what
    assert error.value.what.endswith(".")


def test_what_formulaic_says_becomes_a_sentence():
    with pytest.raises(BscError) as error:
        formula_part("x & z", "y ~ x & z")
    assert error.value.what == "The formula cannot be read. 'x & z': Unknown operator '&'."


def test_an_empty_formula_has_a_place_too():
    with pytest.raises(BscError) as error:
        parse_mixed_formula("")
    assert error.value.where


def test_text_is_read_once():
    assert parse_mixed_formula("y ~ x + (1 | g)") is parse_mixed_formula("y ~ x + (1 | g)")
