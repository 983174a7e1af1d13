"""Visits by raters without a certificate on that day."""

import pytest
from check_frames import source

from bscstudy.checks.raters import AFTER, BEFORE, NO_DATE, NOT_LISTED, uncertified_rater

LISTED = {
    "source": "certificates",
    "certified_on": "certified_on",
    "expires_on": "expires_on",
    "instrument_item": "form",
    "instrument_code": "TPOT",
}
CONFIG = {"observation": [{"id": "tpot", "source": "visits", "visit_date": "day", "certification": LISTED, "consensus_rater": "both"}]}


def findings(visits, certificates=None, config=CONFIG):
    held = certificates or [
        ("K1", "TPOT", "2024-01-01", "2024-06-30"),
        ("K1", "TPOT", "2024-09-01", None),
        ("K2", "CLASS", "2024-01-01", None),
    ]
    rows = [{"row": k, "rater_id": r, "form": f, "certified_on": a, "expires_on": e} for k, (r, f, a, e) in enumerate(held, start=2)]
    seen = [{"row": k, "observation_id": f"v{k}", "rater_id": r, "day": d, "wave": "T1"} for k, (r, d) in enumerate(visits, start=2)]
    tables = {"certificates": source("certificates", rows), "visits": source("visits", seen)}
    return [(f.row, f.message, f.source, f.column) for f in uncertified_rater(tables, config)]


@pytest.mark.parametrize(
    ("rater", "day", "reason"),
    [
        ("K1", "2024-01-01", None),
        ("K1", "2024-06-30", None),
        ("K1", "2025-05-01", None),
        ("K1", "2023-12-31", BEFORE),
        ("K1", "2024-07-01", AFTER),
        ("K1", None, NO_DATE),
        ("K2", "2024-02-01", NOT_LISTED),
        ("K3", "2024-02-01", NOT_LISTED),
        ("both", "2024-02-01", None),
    ],
)
def test_the_certificate_must_cover_the_day(rater, day, reason):
    assert findings([(rater, day)]) == ([(2, reason, "visits", "rater_id")] if reason else [])


def test_a_visit_in_segments_is_one_finding_and_no_rater_is_named():
    tables = {
        "certificates": source(
            "certificates", [{"row": 2, "rater_id": "K1", "form": "TPOT", "certified_on": "2024-01-01", "expires_on": None}]
        ),
        "visits": source(
            "visits",
            [{"row": r, "observation_id": "v1", "rater_id": "K7", "segment": str(r), "day": "2024-02-01", "wave": "T1"} for r in (2, 3)],
        ),
    }
    (found,) = uncertified_rater(tables, CONFIG)
    assert "K7" not in found.message and (found.n, found.unit, found.wave) == (1, "rows", "T1")


def test_an_excluded_certificate_does_not_count_and_without_a_list_nothing_is_asked():
    kept = [{"row": 2, "rater_id": "K1", "form": "TPOT", "certified_on": "2024-01-01", "expires_on": None, "excluded": "forged"}]
    visits = source("visits", [{"row": 2, "observation_id": "v1", "rater_id": "K1", "day": "2024-02-01", "wave": "T1"}])
    tables = {"certificates": source("certificates", kept), "visits": visits}
    assert [f.message for f in uncertified_rater(tables, CONFIG)] == [NOT_LISTED]
    assert uncertified_rater(tables, {"observation": [{"id": "tpot", "source": "visits"}]}) == []
    assert uncertified_rater({"visits": visits}, CONFIG) == [] and uncertified_rater(tables, {}) == []
