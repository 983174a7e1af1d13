"""Every refusal of the engine, provoked: the right code, the four parts, nothing of the data beyond columns, counts and levels."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
CODES = re.findall(r"^\| (BSC-LMM-\d{3}) \|", (ROOT / "docs" / "errors.md").read_text(encoding="utf-8"), flags=re.MULTILINE)


@pytest.fixture(scope="module")
def refusals():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "benchmarks"))
        import refusals

        yield refusals


def test_each_code_of_the_page_has_a_case(refusals):
    assert list(refusals.CASES) == CODES


@pytest.mark.filterwarnings("ignore:overflow encountered", "ignore:invalid value encountered")  # 055 is about such outcomes
@pytest.mark.parametrize("code", CODES)
def test_the_case_is_refused_with_its_code_and_shows_no_data(refusals, code):
    refusal = refusals.refusal(code)
    assert refusal.code == code
    assert refusal.exit_code == 4
    assert all(part for part in (refusal.what, refusal.where, refusal.why, refusal.todo))
    said, data = f"{refusal.what} {refusal.where}", refusals.table()
    assert not [person for person in data.person.unique() if person in said]
    numbers = {f"{value:.2f}" for column in ("score", "experience") for value in data[column]}
    assert not [number for number in re.findall(r"-?\d+\.\d{2,}", said) if f"{float(number):.2f}" in numbers]
