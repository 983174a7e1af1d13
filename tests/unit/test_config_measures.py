"""Faults in what measures.yaml and scales.csv declare of prorating, agreement, informant gaps and factor models."""

import shutil

import pytest

from bscstudy.errors import BscError
from bscstudy.loading import load_study
from bscstudy.new_study import TEMPLATE

GAP = (
    "informant_gaps: [{{id: g, label: G, leader: {{scale: {leader}, roles: [{role}]}}, "
    "staff: {{scale: leadership_buy_in, roles: [teacher]}}}}]\n"
)


@pytest.fixture
def study(tmp_path):
    shutil.copytree(TEMPLATE, tmp_path / "study")
    return tmp_path / "study"


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        (GAP.format(leader="leadership", role="director"), "BSC-CFG-003", "the scale 'leadership' does not exist"),
        (GAP.format(leader="leadership_buy_in", role="dean"), "BSC-CFG-003", "the role 'dean' does not exist"),
        ("factor_models: [{id: m, label: M, scales: [calm]}]\n", "BSC-CFG-003", "the scale 'calm' does not exist"),
        ("factor_models: [{id: m, label: M, scales: [leadership_buy_in], across: [center]}]\n", "BSC-CFG-002", "center"),
        ("aggregation: {null_distribution: skewed}\n", "BSC-CFG-002", "skewed"),
    ],
)
def test_what_does_not_exist_is_found(study, text, code, said):
    (study / "config" / "measures.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(BscError) as caught:
        load_study(study / "config")
    assert caught.value.code == code and said in str(caught.value)


def test_only_sums_are_prorated_and_only_answers_are_factored(study):
    path = study / "config" / "codebook" / "scales.csv"
    header, row, *rest = path.read_text(encoding="utf-8").splitlines()
    assert ",mean," in row
    path.write_text("\n".join([f"{header},prorate", f"{row},yes", *rest]) + "\n", encoding="utf-8")
    with pytest.raises(BscError, match="only sums are prorated"):
        load_study(study / "config")
    path.write_text("\n".join([f"{header},prorate", f"{row.replace(',mean,', ',sum,')},yes", *rest]) + "\n", encoding="utf-8")
    (study / "config" / "measures.yaml").write_text("factor_models: [{id: m, label: M, scales: [leadership_buy_in]}]\n", encoding="utf-8")
    assert load_study(study / "config")["scales"][0]["prorate"] == "yes"
    path.write_text("\n".join([header, row.replace(",mean,", ",count_correct,"), *rest]) + "\n", encoding="utf-8")
    with pytest.raises(BscError, match="counts answers"):
        load_study(study / "config")
