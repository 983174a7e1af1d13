"""Coder agreement from codings: who is compared, in which units, in which documents, and how uncertain it is."""

import numpy as np
import pandas as pd
import pytest

from bscstudy.errors import BscError
from bscstudy.measures.rating_patterns import NO_RATING
from bscstudy.qual.agreement import agreement_table
from bscstudy.qual.agreement_texts import Texts, check_lengths, check_paragraphs, texts_of
from bscstudy.qual.agreement_units import UNITS, coding_record, pieces_of, theme_ratings
from bscstudy.qual.codes import counted_codings
from bscstudy.qual.presence import complete_documents, presence_table
from bscstudy.qual.reliability import OF_UNITS, ReliabilitySettings, reliability_settings

THEMES = [{"theme": "leaders", "topic": "leadership"}, {"theme": "time", "topic": ""}]
COUNTS = ["n_units", "n_both", "n_only_first", "n_only_second", "n_neither"]
ROLE_OF = {"ana": "main", "ben": "second", "cleo": "second", "all": "consensus"}
TEXTS = Texts({"d1": 100.0, "d2": 80.0}, {"d1": [(0, 50), (50, 100)], "d2": [(0, 40), (40, 80)]})


def codings(*rows):
    """Rows of document, coder, theme and, where placed, start and end."""
    full = [(*row, *[None] * (5 - len(row))) for row in rows]
    frame = pd.DataFrame(full, columns=["document_id", "coder_id", "theme", "start", "end"])
    status = ["document" if pd.isna(start) else "exact" for start in frame["start"]]
    ids = [f"source:{i}" for i in range(len(frame))]
    return frame.assign(coder_role=frame["coder_id"].map(ROLE_OF), offset_status=status, coding_id=ids)


def table(rows, settings=None, documents=None, asked=None, **more):
    documents = pd.DataFrame({"document_id": ["d1", "d2", "d3", "d4"]}) if documents is None else documents
    asked = {(d, "leadership") for d in documents["document_id"]} if asked is None else asked
    return agreement_table(codings(*rows), THEMES, documents, asked, settings or ReliabilitySettings(draws=200), **more)


#: both find leaders in d1 (ben twice), ana in d2 (ben used an ignored code), nobody in d3; d4 is coded once
ROWS = [
    ("d1", "ana", "leaders"), ("d1", "ben", "leaders"), ("d1", "ben", "leaders"), ("d2", "ana", "leaders"), ("d2", "ben", None),
    ("d3", "ana", "time"), ("d3", "ben", "time"), ("d4", "ana", "leaders"),
]  # fmt: skip


def test_only_documents_of_both_coders_are_compared():
    frame = table(ROWS).set_index(["theme", "coefficient"])
    assert frame.loc[("leaders", "cohen_kappa"), COUNTS].tolist() == [3, 1, 1, 0, 1]
    assert frame.loc[("time", "gwet_ac1"), COUNTS].tolist() == [3, 1, 0, 0, 2]
    assert frame.loc[("all", "pooled_kappa"), [*COUNTS, "n_documents", "unit"]].tolist() == [6, 2, 1, 0, 3, 3, "document x theme"]
    assert frame.loc[("leaders", "cohen_kappa"), ["n_coded", "n_documents", "n_coders"]].tolist() == [4, 3, 2]


def test_a_document_not_asked_about_a_theme_is_not_compared_on_it():
    frame = table(ROWS, asked={("d1", "leadership"), ("d2", "leadership")}).set_index(["theme", "coefficient"])
    assert frame.loc[("leaders", "cohen_kappa"), [*COUNTS, "n_not_asked"]].tolist() == [2, 1, 1, 0, 0, 1]
    assert frame.loc[("time", "cohen_kappa"), "n_units"] == 3, "a theme without a topic could come up anywhere"
    nobody = table(ROWS, asked=set()).set_index(["theme", "coefficient"]).loc[("leaders", "cohen_kappa")]
    assert nobody["note"] == "not_asked" and np.isnan(nobody["estimate"]) and nobody["n_units"] == 0


def test_a_document_read_without_finding_anything_counts_where_it_is_declared():
    documents = pd.DataFrame({"document_id": ["d1", "d2", "d3", "d4"], "coded": [1, 1, 1, 1], "coded_second": [1, 1, 1, 1]})
    frame = table(ROWS, documents=documents).set_index(["theme", "coefficient"])
    assert frame.loc[("leaders", "cohen_kappa"), COUNTS].tolist() == [4, 1, 2, 0, 1]


def test_consensus_is_counted_and_not_compared():
    rows = [*ROWS, ("d2", "all", "time")]
    frame = table(rows).set_index(["theme", "coefficient"])
    assert frame.loc[("leaders", "cohen_kappa"), [*COUNTS, "n_consensus"]].tolist() == [3, 1, 1, 0, 1, 1]
    documents = pd.DataFrame({"document_id": ["d1", "d2", "d3", "d4"]})
    counted = counted_codings(codings(*rows), documents)
    assert counted[["document_id", "coder_id"]].values.tolist() == [["d1", "ana"], ["d3", "ana"], ["d4", "ana"], ["d2", "all"]]
    emptied = counted_codings(codings(*rows), documents.assign(settled=[0, 0, 1, 0]))
    assert emptied["document_id"].tolist() == ["d1", "d4", "d2"], "a consensus that no code applies"
    themes = [{"theme": "time", "topic": ""}]
    listed = complete_documents(documents.assign(wave="T1", settled=[0, 0, 1, 0]), None, None)
    presence = presence_table(listed, set(), codings(*rows).assign(direction="neutral"), themes)
    assert presence.set_index("unit_id")["present"].tolist() == [0, 1, 0, 0]


def test_without_a_second_coder_or_with_another_approach_there_are_no_coefficients():
    assert table([("d1", "ana", "time")]).empty
    for approach in ("consensus", "reflexive", "none"):
        assert table(ROWS, ReliabilitySettings(approach=approach, reason="Because.")).empty


@pytest.mark.parametrize("unit", UNITS)
def test_coders_without_a_document_in_common(unit):
    settings = ReliabilitySettings(unit=unit, coefficients=("cohen_kappa", "krippendorff_alpha", "alpha_u"), draws=200)
    frame = table([("d1", "ana", "time", 0, 5), ("d2", "ben", "time", 0, 5)], settings, texts=TEXTS)
    assert frame["estimate"].isna().all() and (frame["n_units"] == 0).all()
    assert set(frame.loc[frame["theme"] != "all", "note"]) == {"no_double_coded_document"}


def test_settings_of_the_configuration():
    assert reliability_settings({}) == ReliabilitySettings()
    given = {"agreement_unit": "excerpt", "reliability": {"coefficients": ["alpha_u", "alpha_u"], "draws": 500}}
    assert reliability_settings(given) == ReliabilitySettings(coefficients=("alpha_u",), unit="excerpt", draws=500)


PLACED = [
    ("d1", "ana", "leaders", 0, 10), ("d1", "ben", "leaders", 5, 12), ("d1", "ben", "leaders", 60, 70), ("d1", "ana", "time", 65, 80),
    ("d2", "ana", "time", 0, 20), ("d2", "ben", "time", 0, 20), ("d2", "ben", "leaders", 20, 30),
]  # fmt: skip


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("document", [2, 1, 0, 1, 0]),
        ("paragraph", [4, 1, 0, 2, 1]),
        ("excerpt", [4, 1, 0, 2, 1]),  # d1: 0-12, 60-80; d2: 0-20 and 20-30, which only touch
        ("character", [180, 5, 5, 2 + 10 + 10, 148]),
    ],
)
def test_units(unit, expected):
    frame = table(PLACED, ReliabilitySettings(unit=unit, draws=200), texts=TEXTS).set_index(["theme", "coefficient"])
    assert frame.loc[("leaders", "cohen_kappa"), COUNTS].tolist() == expected


def test_characters_one_by_one():
    record = coding_record(codings(*PLACED), pd.DataFrame({"document_id": ["d1", "d2"]}))
    codes, clusters, times = theme_ratings(record, "leaders", np.array([True, True]), pieces_of(record, "character", TEXTS))
    stretched = np.repeat(codes, times.astype(int), axis=0)
    written = np.zeros((180, 2), int)
    for place, coder in enumerate(("ana", "ben")):
        for document, who, theme, start, end in PLACED:
            offset = {"d1": 0, "d2": 100}[document]
            if (who, theme) == (coder, "leaders"):
                written[offset + start : offset + end, place] = 1
    assert (stretched == written).all() and np.repeat(clusters, times.astype(int)).tolist() == [0] * 100 + [1] * 80


def test_a_document_with_a_passage_of_unknown_place_is_compared_only_as_a_whole():
    rows = [*PLACED, ("d2", "ana", "leaders")]
    for unit in UNITS:
        frame = table(rows, ReliabilitySettings(unit=unit, draws=200), texts=TEXTS).set_index(["theme", "coefficient"])
        found = frame.loc[("leaders", "cohen_kappa"), ["n_documents", "n_not_comparable"]].tolist()
        assert found == ([2, 0] if unit == "document" else [1, 1])


def test_persons_who_left_documents_out():
    rows = [*PLACED, ("d2", "cleo", "time", 0, 5)]
    record = coding_record(codings(*rows), pd.DataFrame({"document_id": []}), "person")
    assert record.coders == ("ana", "ben", "cleo")
    codes, _, _ = theme_ratings(record, "leaders", np.array([True, True]), pieces_of(record, "document", Texts()))
    assert codes.tolist() == [[1, 1, NO_RATING], [0, 1, 0]]
    settings = ReliabilitySettings(coefficients=("krippendorff_alpha", "alpha_u"), coders="person", draws=200)
    frame = table(rows, settings, texts=TEXTS).set_index(["theme", "coefficient"])
    assert frame.loc[("leaders", "krippendorff_alpha"), ["n_coders", "n_documents"]].tolist() == [3, 2]
    assert frame.loc[("leaders", "alpha_u"), ["n_documents", "n_not_comparable"]].tolist() == [1, 1], "all must have read the text"
    assert frame.loc["leaders", "n_only_first"].isna().all()


def test_alpha_u_of_krippendorffs_example():
    spans = {
        ("ana", "leaders"): [(75, 145), (220, 250)], ("ben", "leaders"): [(70, 150), (205, 225), (250, 270)],
        ("ana", "time"): [(30, 90), (150, 200)], ("ben", "time"): [(30, 90), (150, 200)],
    }  # fmt: skip
    rows = [("d1", coder, theme, *span) for (coder, theme), own in spans.items() for span in own]
    frame = table(rows, ReliabilitySettings(coefficients=("alpha_u",), draws=200), texts=Texts({"d1": 300.0}))
    found = frame.set_index("theme")["estimate"]
    assert found["all"] == pytest.approx(0.8587, abs=5e-5)  # Krippendorff (2004), p. 254, four digits
    assert found["leaders"] == pytest.approx(1 - 0.0144 / 0.0532, abs=2e-3) and found["time"] == 1  # from four printed digits
    assert frame["low"].isna().all(), "one document cannot tell how uncertain it is"


def drawn_study(n, seed, agree=0.9):
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(n):
        there = rng.random() < 0.5
        for coder in ("ana", "ben"):
            rows.append((f"d{i:03d}", coder, "time"))
            rows += [(f"d{i:03d}", coder, "leaders")] if there == (rng.random() < agree) else []
    return rows, pd.DataFrame({"document_id": [f"d{i:03d}" for i in range(n)]})


@pytest.mark.parametrize("kind", OF_UNITS)
def test_interval_is_repeatable_holds_the_estimate_and_forgets_the_order_of_rows(kind):
    rows, documents = drawn_study(40, 1)
    settings = ReliabilitySettings(coefficients=(kind,), draws=300)
    first = table(rows, settings, documents, seed=7)
    again = table(rows[::-1], settings, documents.iloc[::-1], seed=7)
    pd.testing.assert_frame_equal(first, again)
    found = first[first["theme"] == "leaders"].iloc[0]
    assert found["low"] < found["estimate"] < found["high"]


@pytest.mark.slow
def test_interval_covers_the_kappa_of_the_process():
    """Two coders who each see the truth in 90 % of 60 documents: kappa is (.82 - .5) / .5 = .64."""
    inside = []
    for seed in range(200):
        rows, documents = drawn_study(60, seed)
        found = table(rows, ReliabilitySettings(coefficients=("cohen_kappa",), draws=400), documents, seed=seed)
        low, high = found.loc[found["theme"] == "leaders", ["low", "high"]].iloc[0]
        inside.append(low <= 0.64 <= high)
    assert 0.90 <= np.mean(inside) <= 0.99  # 95 % of 200 is within 3 points; percentile intervals of kappa are a little narrow


def test_coders_and_texts_that_cannot_be_used():
    three = ReliabilitySettings(coefficients=("cohen_kappa",), coders="person", draws=200)
    with pytest.raises(BscError, match="BSC-QUA-121"):
        table([*ROWS, ("d1", "cleo", "time")], three)
    nameless = codings(*ROWS).assign(coder_id=None)
    with pytest.raises(BscError, match="BSC-QUA-120"):
        coding_record(nameless, pd.DataFrame({"document_id": []}), "person")
    spans = {"d1": [(0.0, 10.0)], "d2": [(75.0, 90.0)]}
    with pytest.raises(BscError, match="BSC-QUA-117") as unknown:
        check_lengths(spans, ["d1", "d9"], TEXTS)
    assert "d9" in str(unknown.value) and "d1" not in str(unknown.value)
    with pytest.raises(BscError, match="BSC-QUA-118"):
        check_lengths(spans, ["d1", "d2"], TEXTS)
    bad = {"no": [], "back": [(5, 5)], "over": [(0, 10), (9, 20)], "out": [(20, 30)], "fine": [(0, 10), (10, 20)]}
    with pytest.raises(BscError, match="BSC-QUA-119") as found:
        check_paragraphs({"out": [(0, 5)], "fine": [(8, 12)]}, sorted(bad), Texts(paragraphs=bad))
    assert [name for name in bad if f"'{name}'" in str(found.value)] == ["no", "back", "over", "out"]


def test_texts_of_the_sources():
    documents = pd.DataFrame({"document_id": ["d1", "d2"], "characters": [100, None]})
    paragraphs = pd.DataFrame({"document_id": ["d1", "d1"], "start": [50, 0], "end": [100, 50]})
    assert texts_of(documents, paragraphs) == Texts({"d1": 100.0}, {"d1": [(0.0, 50.0), (50.0, 100.0)]})
