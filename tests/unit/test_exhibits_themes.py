"""Exhibits of themes: not asked is not zero, ids never show, small cells stay hidden, centers in the order of the outcome."""

import pandas as pd
import pytest

from bscstudy.exhibits import center_themes, coder_agreement, joint_display, theme_heatmap
from bscstudy.exhibits.base import Context
from bscstudy.qual.agreement import agreement_table
from bscstudy.qual.shares import theme_by_center, theme_summary

CONFIG = {
    "study": {"seed": 5, "synthetic": True},
    "waves": [{"id": "T2", "label": "Midpoint", "order": 1}],
    "collaboratives": [{"id": "x", "label": "Alder"}],
    "roles": [{"id": "director", "label": "Director"}, {"id": "teacher", "label": "Teacher"}],
    "scales": [{"scale": "leave", "label": "Turnover intention", "better": "lower"}],
    "themes": [{"theme": "a", "label": "Time"}, {"theme": "b", "label": "Leaders"}],
    "theory_of_change": {"constructs": [{"id": "k", "scales": ["leave"]}]},
    "privacy": {"min_cell": 3, "show_centers": True},
}
CENTERS = ["center_one", "center_two", "center_three"]


def presence() -> pd.DataFrame:
    rows = []
    for place, center in enumerate(CENTERS):
        for role in ("director", "teacher", "teacher"):
            name = f"s{len(rows)}"
            rows.append((name, "a", center, role, 1, int(role == "teacher" or place == 0), 1, 0))
            rows.append((name, "b", center, role, int(place > 0), 0 if place else None, 0, 0))
    columns = ["unit_id", "theme", "center_id", "role", "asked", "present", "n_facilitator", "n_barrier"]
    frame = pd.DataFrame(rows, columns=columns).assign(unit="session", wave="T2", collaborative="x", coded=1, n_mixed=0, n_codings=1)
    return frame.assign(present=frame["present"].astype("Int64"))


@pytest.fixture(scope="module")
def tables():
    sessions = presence()
    by_center = theme_by_center(sessions)
    whole = by_center[by_center["wave"] == "all"]
    change = dict(zip(CENTERS, (0.4, -0.6, None), strict=True))
    merged = whole.assign(outcome="leave", collaborative="x", outcome_change=whole["center_id"].map(change))
    merged["outcome_rank"] = merged["center_id"].map({CENTERS[0]: 2, CENTERS[1]: 1})
    return {
        "qual/presence": sessions,
        "qual/theme_center": by_center,
        "qual/theme_summary": theme_summary(sessions),
        "integrate/center_themes": merged,
        "centers": pd.DataFrame({"center_id": CENTERS, "collaborative": "x"}),
    }


def context(**privacy) -> Context:
    return Context("E1", title="Title", config={**CONFIG, "privacy": {**CONFIG["privacy"], **privacy}})


def test_centers_stand_in_the_order_of_the_outcome_under_letters(tables):
    shown = center_themes.build(tables, context()).table
    assert shown["Change in Turnover intention"].tolist() == ["−0.60", "+0.40", "–"]  # lower is better; missing last
    assert sorted(shown["Center"]) == ["A", "B", "C"]
    assert shown["Leaders"].tolist() == ["0 of 3", "not asked", "0 of 3"]
    assert shown["Time"].tolist()[:2] == ["2 of 3 (+)", "3 of 3 (+)"]


@pytest.mark.parametrize("kind", [center_themes, theme_heatmap])
def test_no_center_id_is_shown(tables, kind):
    exhibit = kind.build(tables, context())
    text = exhibit.table.to_csv() + exhibit.data.to_csv() + " ".join(exhibit.sentences) + exhibit.alt + str(exhibit.notes)
    assert not [name for name in CENTERS if name in text]


def test_hidden_centers_become_collaboratives(tables):
    exhibit = center_themes.build(tables, context(show_centers=False))
    assert exhibit.table["Collaborative"].tolist() == ["Alder"] and exhibit.table["Time"].tolist() == ["7 of 9 (+)"]
    masked = center_themes.build(tables, context(show_centers=False, min_cell=20))
    assert masked.table["Time"].tolist() == ["<20 asked"]


def test_small_counts_of_a_role_are_hidden_and_cannot_be_found_by_subtraction(tables):
    shown = theme_heatmap.build(tables, context()).table.set_index("Theme")
    # theme a: 1 of 3 directors and 6 of 6 teachers, 7 of 9 in all; 1 is under 3, and 7 - 6 would give it away
    assert shown.loc["Time", ["All", "Director", "Teacher"]].tolist() == ["7 of 9", "<3 of 3", "hidden of 6"]
    assert shown.loc["Leaders", "Director"] == "<3 asked" and shown.loc["Leaders", "Teacher"] == "hidden asked"


def test_agreement_names_statistic_and_documents():
    rows = [("d1", "main", "a"), ("d1", "second", "a"), ("d2", "main", "a"), ("d2", "second", None)]
    frame = agreement_table(pd.DataFrame(rows, columns=["document_id", "coder_role", "theme"]), CONFIG["themes"])
    exhibit = coder_agreement.build({"qual/coder_agreement": frame}, context())
    assert exhibit.table["Theme"].tolist() == ["Time", "Leaders", "All themes"]
    assert "2 documents" in exhibit.caption and exhibit.table["Agreement"].tolist()[:2] == ["50%", "100%"]


@pytest.mark.parametrize("kind", [coder_agreement, center_themes, theme_heatmap, joint_display])
def test_a_study_without_these_data_gets_an_empty_exhibit(kind):
    assert list(kind.build({}, context()).table) == ["Not shown"]
