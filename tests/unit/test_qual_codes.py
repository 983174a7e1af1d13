"""Codings meet the code map; what it does not list stops the run."""

import pandas as pd
import pytest

from bscstudy.errors import BscError
from bscstudy.qual.codes import check_documents, collect_codings, join_codes

THEMES = [{"theme": "leaders"}, {"theme": "time"}]
CODE_MAP = [
    {"code_path": "Help\\Leaders", "theme": "leaders", "direction": "facilitator"},
    {"code_path": "Hindrance\\Leaders", "theme": "leaders", "direction": "barrier"},
    {"code_path": "Other", "theme": "ignore", "direction": ""},
]


def codings_of(*paths: str) -> pd.DataFrame:
    source = pd.DataFrame({"row": range(1, len(paths) + 1), "document_id": "d1", "coder_id": "k1", "code_path": list(paths)})
    return collect_codings({"main_codes": source}, {"main_codes": "main"})


def test_codes_are_known_by_their_full_path_and_ignored_ones_have_no_theme():
    joined = join_codes(codings_of("Help\\Leaders", "Hindrance\\Leaders", "Other"), CODE_MAP, THEMES)
    assert joined["coding_id"].tolist() == ["main_codes:1", "main_codes:2", "main_codes:3"]
    assert joined["theme"].tolist()[:2] == ["leaders", "leaders"] and joined["theme"].isna().tolist() == [False, False, True]
    assert joined["direction"].tolist()[:2] == ["facilitator", "barrier"]


def test_all_unmapped_codes_come_in_one_error_with_the_nearest_spelling():
    with pytest.raises(BscError) as caught:
        join_codes(codings_of("Help\\Leader", "Zebra", "Zebra", "Other"), CODE_MAP, THEMES)
    assert caught.value.code == "BSC-QUA-101" and caught.value.exit_code == 3
    assert caught.value.where == ("'Help\\Leader' (1 codings). Did you mean 'Help\\Leaders'?", "'Zebra' (2 codings).")


@pytest.mark.parametrize(
    ("row", "part"),
    [
        ({"code_path": "A", "theme": "leader", "direction": ""}, "Did you mean 'leaders'?"),
        ({"code_path": "A", "theme": "time", "direction": "barriers"}, "direction 'barriers'"),
        ({"code_path": "Other", "theme": "time", "direction": ""}, "has 2 rows"),
    ],
)
def test_a_faulty_code_map_is_refused(row, part):
    with pytest.raises(BscError, match="BSC-QUA-102") as caught:
        join_codes(codings_of("Other"), [*CODE_MAP, row], THEMES)
    assert part in str(caught.value)


def test_codings_without_document_or_without_a_main_coder_are_refused():
    source = pd.DataFrame({"row": [7], "document_id": [None], "code_path": ["Other"]})
    with pytest.raises(BscError, match="BSC-QUA-105") as caught:
        collect_codings({"codes": source}, {"codes": "main"})
    assert caught.value.where == ("source codes, row 7",)
    with pytest.raises(BscError, match="BSC-QUA-106"):
        collect_codings({"codes": source}, {"codes": "second"})


def test_documents_that_are_repeated_or_not_listed_are_all_named():
    documents = pd.DataFrame({"document_id": ["d1", "d2", "d2"]})
    with pytest.raises(BscError, match="BSC-QUA-103") as caught:
        check_documents(documents, pd.DataFrame({"document_id": ["d1", "d9"]}), pd.DataFrame({"document_id": ["x"]}))
    assert len(caught.value.where) == 3
