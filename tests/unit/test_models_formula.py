"""What a formula means, and what is refused."""

import pandas as pd
import pytest

from bscstudy.errors import BscError
from bscstudy.models.design_matrix import design_matrix
from bscstudy.models.formula import parse_formula


@pytest.mark.parametrize(
    ("text", "fixed", "groupings"),
    [
        ("score ~ wave * core + (1 | center/person)", "wave * core", (("center_id",), ("center_id", "person_id"))),
        ("score ~ 1 + (1|school)", "1", (("school",),)),
        ("score ~ (1 | a/b/c)", "1", (("a",), ("a", "b"), ("a", "b", "c"))),
        ("score ~ x + (1 | center) + (1 | person)", "x", (("center_id",), ("person_id",))),
        ("score ~ x + (1 | a) + (1 | a:b) + z", "x + z", (("a",), ("a", "b"))),
        ("score ~ x + y:z", "x + y:z", ()),
        ("score ~ 1 + a * (b + c)+(1|center)", "1 + a * (b + c)", (("center_id",),)),
    ],
)
def test_formula_is_split(text, fixed, groupings):
    parsed = parse_formula(text, "f")
    assert (parsed.fixed, parsed.groupings) == (fixed, groupings)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("y ~ wave", "BSC-MOD-010"),
        ("score ~ wave + (1 | center", "BSC-MOD-010"),
        ("score ~ wave + (1 | center/", "BSC-MOD-010"),
        ("score ~ wave + (1 | center/)", "BSC-MOD-010"),
        ("score ~ wave role", "BSC-MOD-010"),
        ("score ~ wave (1 | center)", "BSC-MOD-010"),
        ("score ~ wave * (1 | center)", "BSC-MOD-010"),
        ("score ~ wave * (role + (1 | center))", "BSC-MOD-010"),
        ("score ~ wave +", "BSC-MOD-010"),
        ("score ~ wave + (role", "BSC-MOD-010"),
        ("score ~ wave + 2", "BSC-MOD-010"),
        ("score ~ wave + @", "BSC-MOD-010"),
        ("score ~ score + wave", "BSC-MOD-010"),
        ("score ~", "BSC-MOD-010"),
        ("score ~ wave + (1 | 2x)", "BSC-MOD-010"),
        ("score ~ wave ^ 2", "BSC-MOD-010"),
        ("score ~ wave + (wave | center)", "BSC-MOD-011"),
        ("score ~ wave + (1 + wave || center)", "BSC-MOD-011"),
        ("score ~ 0 + wave", "BSC-MOD-011"),
        ("score ~ wave - 1", "BSC-MOD-011"),
        ("score ~ log(x)", "BSC-MOD-011"),
    ],
)
def test_what_cannot_be_fitted_is_refused(text, code):
    with pytest.raises(BscError) as caught:
        parse_formula(text, "config/models/m.yaml")
    assert caught.value.code == code


def test_design_matrix_uses_the_stated_reference():
    frame = pd.DataFrame({"wave": ["T1", "T2", "T2"], "x": [1.0, 2.0, 4.0]})
    design = design_matrix("wave * x", frame, {"wave": ["T2", "T1"]})
    assert design.names == ("(Intercept)", "wave[T1]", "x", "wave[T1]:x")
    assert design.values.tolist() == [[1, 1, 1, 1], [1, 0, 2, 0], [1, 0, 4, 0]]
    assert design.terms == {"(Intercept)": (0,), "wave": (1,), "x": (2,), "wave:x": (3,)}
    assert design.parts[3] == (("wave", "T1"), ("x", None))
