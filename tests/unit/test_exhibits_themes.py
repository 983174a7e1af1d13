"""Exhibits of themes: not asked is not zero, ids never show, small cells stay hidden, centers in the order of the outcome."""

from dataclasses import replace

import pandas as pd
import pytest
from exhibit_study import fits as exhibit_fits

from bscstudy.exhibits import center_themes, coder_agreement, joint_display, theme_heatmap
from bscstudy.exhibits.base import Context
from bscstudy.qual.agreement import agreement_table
from bscstudy.qual.agreement_texts import texts_of
from bscstudy.qual.reliability import ReliabilitySettings
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
    merged = whole.assign(outcome="leave", collaborative="x", outcome_waves="T1 to T3", outcome_change=whole["center_id"].map(change))
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
    assert shown["Change in Turnover intention, T1 to T3"].tolist() == ["−0.60", "+0.40", "–"]  # lower is better; missing last
    assert sorted(shown["Center"]) == ["A", "B", "C"]
    assert shown["Leaders"].tolist() == ["0 of 3", "not asked", "0 of 3"]
    assert shown["Time"].tolist()[:2] == ["half or more (+)"] * 2  # 2 and 2 of 7 sessions would follow from a third count


def test_a_center_with_few_sessions_shows_a_half_or_nothing(tables):
    for kind in (center_themes, theme_heatmap):
        exhibit = kind.build(tables, context(min_cell=5))
        assert "less than half or at least half" in str(exhibit.notes)
    shown = center_themes.build(tables, context(min_cell=5)).table
    assert shown["Time"].tolist() == ["half or more (+)"] * 3 and shown["Leaders"].tolist() == ["less than half", "not asked"] + [
        "less than half"
    ]
    data = theme_heatmap.build(tables, context(min_cell=5)).data
    assert data.loc[data["n_asked"] != 0, ["n_asked", "n_present", "share", "net_direction"]].isna().all(axis=None)
    fewer = {**tables, "integrate/center_themes": tables["integrate/center_themes"].assign(n_asked=2, n_present=1)}
    assert set(center_themes.build(fewer, context(min_cell=5)).table["Time"]) == {"<5 asked"}


def test_what_few_sessions_raised_shows_neither_share_nor_direction(tables):
    shown = theme_heatmap.build(tables, context(min_cell=8))
    time = shown.table.set_index("Theme").loc["Time"]
    assert [time["All"], time["Share (95% interval)"], time["Direction"]] == ["<8 of 9", "–", "–"] and not shown.sentences


@pytest.mark.parametrize("kind", [center_themes, theme_heatmap])
def test_no_center_id_is_shown(tables, kind):
    exhibit = kind.build(tables, context())
    text = exhibit.table.to_csv() + exhibit.data.to_csv() + " ".join(exhibit.sentences) + exhibit.alt + str(exhibit.notes)
    assert not [name for name in CENTERS if name in text]


def test_the_heat_map_says_between_which_waves_the_outcome_changed(tables):
    exhibit = theme_heatmap.build(tables, context())
    strip = exhibit.figure.axes[0]
    assert "T1 to T3" in strip.get_title(loc="left") and "T1 to T3" in exhibit.alt and "T1 to T3" in exhibit.notes["Order of the figure"]
    assert "T1 to T3" in theme_heatmap.build(tables, context(show_centers=False)).alt


def test_the_heat_map_takes_the_order_of_the_outcome_it_is_told(tables):
    other = tables["integrate/center_themes"].assign(outcome="stay", outcome_rank=[3, 1, 2] * 2)
    both = {**tables, "integrate/center_themes": pd.concat([tables["integrate/center_themes"], other])}
    told = replace(context(), options={"outcome": "stay"})
    first = [kind.build(both, told).data["group"].iloc[0] for kind in (theme_heatmap, center_themes)]
    assert first[0] == first[1] != theme_heatmap.build(both, context()).data["group"].iloc[0]


JOINT_ROW = {
    "construct": "k", "label": "A construct with rather a long name indeed", "block": "practice", "place": 1, "model": "m",
    "outcome": "leave", "contrast_label": "T1 to T3", "contrast_waves": "T1 to T3", "change": 0.3, "low": 0.1, "high": 0.5,
    "change_state": "ok", "better": "lower", "observation_score": "key", "observation_waves": "T1 to T3", "observation_change": 0.2,
    "observation_low": 0.1, "observation_high": 0.3, "fidelity": None, "n_asked": 70, "n_present": 40, "share": 0.5,
    "net_direction": 0.05, "fit_proposed": "expand", "rule": "r",
}  # fmt: skip


@pytest.fixture(scope="module")
def joint(tables):
    blank = {"change": None, "low": None, "high": None, "change_state": "no_model", "net_direction": None}
    rows = [JOINT_ROW, {**JOINT_ROW, **blank, "place": 2}, {**JOINT_ROW, **blank, "n_asked": 0, "n_present": 0, "place": 3}]
    rows.append({**JOINT_ROW, "net_direction": 1.0, "place": 4})
    fits = pd.DataFrame([exhibit_fits().iloc[0].to_dict() | {"model": "m"}])
    return joint_display.build({"integrate/joint_display": pd.DataFrame(rows), "models/fits": fits, "qual/presence": presence()}, context())


def test_joint_display_says_the_waves_of_what_was_observed(joint):
    assert joint.table["Observed change (95% interval)"].tolist()[0].endswith("+0.20 (0.10 to 0.30), T1 to T3")
    assert "waves" in joint.notes["Observed change"]


def test_joint_display_says_in_words_which_change_rests_on_a_map(tables):
    fits = exhibit_fits().iloc[[0]].assign(model="m", outcome="leave", harmonised="leave: item x, version 1, is taken as version 2")
    shown = joint_display.build(
        {"integrate/joint_display": pd.DataFrame([JOINT_ROW]), "models/fits": fits, "qual/presence": presence()}, context()
    )
    assert "survey change (harmonised) +0.30" in shown.sentences[0] and "version 2" in shown.notes["Harmonised"]


def test_few_sessions_show_no_direction_in_the_joint_display(tables):
    row = {**JOINT_ROW, "n_present": 2, "net_direction": 1.0, "fit_proposed": "confirm", "rule": "themes: facilitators"}
    given = {"integrate/joint_display": pd.DataFrame([row]), "models/fits": exhibit_fits(), "qual/presence": presence()}
    shown = joint_display.build(given, context())
    assert shown.table.loc[0, ["Raised by", "Direction"]].tolist() == ["<3 of 70", "–"]
    assert shown.data[["n_asked", "n_present", "share", "net_direction"]].isna().all(axis=None)
    told = " ".join([*shown.table.iloc[0], *shown.sentences, shown.alt])
    assert "facilitators" not in told.split("panels")[0] and "raised in fewer than 3 of" in told and "1 withheld" in told


def test_joint_display_says_how_groups_weigh_and_that_both_strands_may_be_silent(tables):
    row = {**JOINT_ROW, "change": None, "change_state": "no_model", "n_asked": 0, "n_present": 0, "fit_proposed": "silent"}
    given = {"integrate/joint_display": pd.DataFrame([row]), "models/fits": exhibit_fits(), "qual/presence": presence()}
    shown = joint_display.build(given, context())
    assert "counts the same" in shown.notes["Survey change"]
    assert "mentions there, unprompted" in shown.notes["Exclusions"]  # mentions: there may be more of them than themes
    assert shown.sentences == (f"The survey, the interviews or both say nothing on {JOINT_ROW['label']}.",)


def shown_ticks(axis):
    low, high = axis.get_xlim()
    return [label for place, label in zip(axis.get_xticks(), axis.get_xticklabels(), strict=True) if low <= place <= high]


def test_nothing_in_the_joint_display_is_clipped_or_runs_into_something_else(joint):
    figure = joint.figure
    figure.canvas.draw()
    renderer, page = figure.canvas.get_renderer(), figure.bbox
    words = [text for axis in figure.axes for text in (*axis.texts, axis.xaxis.label, *axis.get_yticklabels(), *shown_ticks(axis))]
    boxes = {f"{place} {text.get_text()}": text.get_window_extent(renderer) for place, text in enumerate(words) if text.get_text()}
    assert not [name for name, b in boxes.items() if b.x0 < page.x0 or b.x1 > page.x1 or b.y0 < page.y0 or b.y1 > page.y1]
    names = list(boxes)
    meet = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :] if a[2:] != b[2:] and boxes[a].overlaps(boxes[b])]
    assert not meet
    zero = figure.axes[1].transData.transform((0, 0))[0]
    assert not [name for name, b in boxes.items() if name[-1].isdigit() and " of " in name and b.x0 <= zero <= b.x1]


def test_hidden_centers_become_collaboratives(tables):
    exhibit = center_themes.build(tables, context(show_centers=False))
    assert exhibit.table["Collaborative"].tolist() == ["Alder"] and exhibit.table["Time"].tolist() == ["7 of 9 (+)"]
    masked = center_themes.build(tables, context(show_centers=False, min_cell=20))
    assert masked.table["Time"].tolist() == ["<20 asked"]


def test_small_counts_of_a_role_are_hidden_and_cannot_be_found_by_subtraction(tables):
    shown = theme_heatmap.build(tables, context()).table.set_index("Theme")
    # theme a: 1 of 3 directors and 6 of 6 teachers, 7 of 9 in all; 1 is under 3, and 7 - 6 would give it away
    assert shown.loc["Time", ["All", "Director", "Teacher"]].tolist() == ["7 of 9", "hidden", "hidden"]
    assert shown.loc["Leaders", "Director"] == "<3 asked" and shown.loc["Leaders", "Teacher"] == "hidden"


def declared(**reliability) -> Context:
    return Context("E1", title="Title", config={**CONFIG, "qual": {"reliability": reliability}})


def agreement(settings=None, **reliability):
    rows = [(f"d{i}", role, "a" if (i * n) % 3 else None) for i in range(8) for n, role in enumerate(("main", "second"), start=1)]
    codings = pd.DataFrame([*rows, ("d1", "main", "b")], columns=["document_id", "coder_role", "theme"])
    documents = codings[["document_id"]].drop_duplicates()
    asked = {(document, topic) for document in documents["document_id"] for topic in ("time", "leadership")}
    frame = agreement_table(codings, CONFIG["themes"], documents, asked, settings or ReliabilitySettings(draws=200))
    return coder_agreement.build({"qual/coder_agreement": frame.sort_values(["theme", "coefficient"])}, declared(**reliability))


def test_agreement_names_unit_documents_prevalence_and_every_coefficient():
    exhibit = agreement()
    assert exhibit.table["Theme"].tolist() == ["Time", "Leaders", "All themes"]
    assert {"Prevalence", "Agreement", "Positive", "Negative", "Cohen's kappa", "Gwet's AC1"} <= set(exhibit.table)
    assert exhibit.table["Documents coded twice"].tolist() == ["8 of 8 (100%)", "8 of 8 (100%)", "8"]
    assert "document by document" in exhibit.caption and exhibit.figure is not None
    assert "bootstrap samples of documents" in exhibit.notes["Estimator"] and "not asked" in exhibit.notes["Topics not asked"]
    assert "found in under 10%" in exhibit.table.loc[1, "Remark"] and exhibit.table.loc[2, "Remark"] == "pooled kappa"


def test_agreement_shows_the_declared_coefficients_in_their_order():
    settings = ReliabilitySettings(coefficients=("krippendorff_alpha", "brennan_prediger"), draws=200)
    exhibit = agreement(settings, coefficients=list(settings.coefficients), draws=200)
    assert [c for c in exhibit.table if c in ("Krippendorff's alpha", "Brennan-Prediger", "Cohen's kappa")] == [
        "Krippendorff's alpha", "Brennan-Prediger",
    ]  # fmt: skip
    assert "All themes" not in exhibit.table["Theme"].tolist() and exhibit.sentences[0].startswith("Krippendorff's alpha of two coders")


def test_counts_are_never_of_another_unit_than_the_column_says():
    spans = [("main", "a", 0, 10), ("second", "a", 5, 12), ("main", "b", 20, 30), ("second", "b", 20, 30)]
    rows = [(f"d{i}", role, theme, start, end) for i in range(3) for role, theme, start, end in spans]
    codings = pd.DataFrame(rows, columns=["document_id", "coder_role", "theme", "start", "end"]).assign(offset_status="exact")
    documents = pd.DataFrame({"document_id": ["d0", "d1", "d2"], "characters": 100})
    declared_ones = ["krippendorff_alpha", "alpha_u"]
    settings = ReliabilitySettings(coefficients=tuple(declared_ones), unit="excerpt", draws=200)
    themes = [{"theme": "a"}, {"theme": "b"}]
    frame = agreement_table(codings, themes, documents, set(), settings, texts_of(documents))
    exhibit = coder_agreement.build({"qual/coder_agreement": frame}, declared(coefficients=declared_ones))
    shown = exhibit.table.set_index("Theme")
    assert shown.loc[["Time", "Leaders"], "Excerpts"].tolist() == ["6", "6"]  # 0-12 and 20-30 in each of three documents
    assert shown.loc["All themes", ["Excerpts", "Both", "Prevalence"]].tolist() == ["–", "–", "–"], "the last row is of characters"
    assert shown.loc["All themes", "Krippendorff's alpha for unitizing"] != "–" and "in a character" in exhibit.sentences[0]


@pytest.mark.parametrize("approach", ["consensus", "reflexive", "none"])
def test_another_approach_gives_its_reason_in_place_of_a_coefficient(approach):
    exhibit = coder_agreement.build({}, declared(approach=approach, reason="One author read all interviews."))
    assert exhibit.table["Reason"].tolist() == ["One author read all interviews."] and exhibit.figure is None
    assert exhibit.sentences[0].endswith("no coefficient of agreement is given: One author read all interviews.")


@pytest.mark.parametrize("kind", [coder_agreement, center_themes, theme_heatmap, joint_display])
def test_a_study_without_these_data_gets_an_empty_exhibit(kind):
    assert list(kind.build({}, context()).table) == ["Not shown"]


def test_a_theme_raised_in_one_center_is_a_band_in_every_exhibit():
    """Twelve sessions in each of three centers; the first center alone raised the theme."""
    rows = [
        {"unit_id": f"{center}{i}", "theme": "a", "center_id": center, "role": ("director", "teacher")[i % 2], "present": int(place == 0)}
        for place, center in enumerate(CENTERS)
        for i in range(12)
    ]
    counts = {"unit": "session", "wave": "T2", "collaborative": "x", "asked": 1, "coded": 1, "n_barrier": 0, "n_mixed": 0, "n_codings": 1}
    sessions = pd.DataFrame(rows).assign(**counts, n_facilitator=lambda frame: frame["present"])
    summary, by_center = theme_summary(sessions), theme_by_center(sessions)
    tables = {
        "qual/presence": sessions,
        "qual/theme_summary": summary,
        "qual/theme_center": by_center,
        "centers": pd.DataFrame({"center_id": CENTERS, "collaborative": "x"}),
    }
    exhibit = theme_heatmap.build(tables, context())
    row = exhibit.table.iloc[0]
    assert row[["All", "Share (95% interval)", "Direction", "Director", "Teacher"]].tolist() == [
        "less than half", "–", "–", "less than half", "less than half",
    ]  # fmt: skip
    assert not exhibit.sentences
    cells = exhibit.data[exhibit.data["theme"] == "a"]
    assert sorted(cells["raised"]) == ["0 of 12", "half or more", "less than half"] and cells["n_present"].sum() == 0
    whole = summary[summary["wave"].eq("all") & summary["role"].eq("all")].iloc[0]
    told = {**JOINT_ROW, **whole[["n_asked", "n_present", "n_centers_raised"]], "net_direction": 1.0, "fit_proposed": "confirm"}
    given = {"integrate/joint_display": pd.DataFrame([told]), "models/fits": exhibit_fits(), "qual/presence": sessions}
    shown = joint_display.build(given, context())
    assert shown.table.loc[0, ["Raised by", "Direction"]].tolist() == ["less than half", "–"]
    assert "in less than half of the interviews" in shown.sentences[0] and "withheld" in shown.sentences[0]
