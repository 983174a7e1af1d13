"""What an observation instrument's settings refer to, and need of each other, is judged before anything runs."""

import copy

import pytest

from bscstudy.errors import BscError
from bscstudy.loading import load_study
from bscstudy.references import check_references


@pytest.fixture(scope="module")
def demonstration_study(repository):
    return load_study(repository / "config")


def found(study, instrument=0, part=None, **settings):
    """Return what is said of the demonstration's observation with changed settings, None taking one away; blank where nothing is."""
    changed = {**study, "observation": copy.deepcopy(study["observation"])}
    entry = changed["observation"][instrument]
    entry.update(settings)
    changed["observation"][instrument] = entry = {name: value for name, value in entry.items() if value is not None}
    if part:
        entry["parts" if "parts" in entry else "scores"].append(part)
    try:
        check_references(changed)
    except BscError as fault:
        return f"{fault.code} {fault}"
    return ""


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"interview": {"fr1": "fr11"}}, "item 'fr11' does not exist"),
        ({"interview": {"fr11": "fr1"}}, "item 'fr11' does not exist"),
        ({"visit_date": "visit_dat"}, "Did you mean 'visit_date'?"),
        ({"double_coded": "primary", "primary_rater": None}, "`double_coded: primary` needs `primary_rater`"),
        ({"double_coded": "consensus"}, "`double_coded: consensus` needs `consensus_rater`"),
        ({"drift_by": "month"}, "`drift_by: month` needs `visit_date`"),
        ({"drift_by": "training", "visit_date": "visit_date"}, "needs `training_dates`"),
        ({"certification": {"source": "observation", "certified_on": "visit_date"}}, "needs `visit_date`"),
        ({"certification": {"source": "raters", "certified_on": "day"}, "visit_date": "visit_date"}, "source 'raters' does not exist"),
        ({"certification": {"source": "attendance", "certified_on": "day"}, "visit_date": "visit_date"}, "needs the key 'rater_id'"),
        ({"minimum_segments": 2}, "`minimum_segments` is for ratings only"),
        ({"instrument": 1, "interview": {"warmth": "guidance"}}, "`interview` is for indicators only"),
        ({"source": "pdsa", "double_coded": "mean"}, "`double_coded` needs the key 'rater_id' of the source 'pdsa'"),
        ({"training_dates": ["2024-02-30"]}, "'2024-02-30' is no day"),
        ({"part": {"id": "new", "label": "New", "items": ["-sr9"]}}, "item 'sr9' does not exist"),
        ({"part": {"id": "all", "label": "All", "items": ["sr1", "rf1"], "better": "higher"}}, "name it '-rf1' in one"),
    ],
)
def test_a_setting_that_leads_nowhere_is_named(demonstration_study, settings, said):
    assert said in found(demonstration_study, **settings)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"double_coded": "primary", "primary_rater": {"order": ["K1"]}},
        {"drift_by": "training", "visit_date": "visit_date", "training_dates": ["2024-01-01"]},
        {"certification": {"source": "observation", "certified_on": "visit_date"}, "visit_date": "visit_date"},
        {"part": {"id": "all", "label": "All", "items": ["sr1", "-rf1"], "better": "higher"}},
        {"interview": {"fr1": "fr2"}},
    ],
)
def test_settings_that_fit_pass(demonstration_study, settings):
    assert found(demonstration_study, **settings) == ""
