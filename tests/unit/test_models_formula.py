"""What a model's formula names, and what is refused with the configuration."""

import pytest

from bscstudy.errors import BscError
from bscstudy.models.formula_words import read_formula


@pytest.mark.parametrize(
    ("text", "fixed", "slopes", "groupings"),
    [
        ("score ~ wave * core + (1 | center/person)", ("wave", "core"), (), (("center_id",), ("center_id", "person_id"))),
        ("score ~ 1 + (1|school)", (), (), (("school",),)),
        ("score ~ x + (1 | center) + (1 | rater)", ("x",), (), (("center_id",), ("rater_id",))),
        ("score ~ wave + (1 | center/person) + (1 | center:wave)", ("wave",), (), (("center_id",), ("center_id", "person_id"), ("center_id", "wave"))),  # noqa: E501
        ("score ~ x + (1 + post || center)", ("x",), ("post",), (("center_id",),)),
        ("score ~ np.log(x) + bs(age, df=3) + C(role, Treatment('teacher'))", ("x", "age", "role"), (), ()),
        ("score ~ center_size + (1 | center)", ("center_size",), (), (("center_id",),)),
    ],
)  # fmt: skip
def test_formula_names_its_columns(text, fixed, slopes, groupings):
    found = read_formula(text, "f")
    assert (found.fixed_names, found.slope_names, found.groupings) == (fixed, slopes, groupings)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("y ~ wave", "BSC-MOD-010"),
        ("score ~ wave + (1 | center", "BSC-MOD-010"),
        ("score ~ wave + (1 | center/)", "BSC-MOD-010"),
        ("score ~ wave role", "BSC-MOD-010"),
        ("score ~ wave (1 | center)", "BSC-MOD-010"),
        ("score ~ wave * (1 | center)", "BSC-MOD-010"),
        ("score ~ wave +", "BSC-MOD-010"),
        ("score ~ wave + (role", "BSC-MOD-010"),
        ("score ~ wave + 2", "BSC-MOD-010"),
        ("score ~ score + wave", "BSC-MOD-010"),
        ("score ~", "BSC-MOD-010"),
        ("score ~ 0 + wave", "BSC-MOD-011"),
        ("score ~ wave - 1", "BSC-MOD-011"),
    ],
)
def test_what_would_be_another_model_is_refused(text, code):
    with pytest.raises(BscError) as caught:
        read_formula(text, "config/models/m.yaml")
    assert caught.value.code == code and caught.value.where == "config/models/m.yaml"
