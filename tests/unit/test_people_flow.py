"""How people came and went: counted against brute force, masked against whoever adds and subtracts, drawn as in the table."""

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from exhibit_study import context
from matplotlib.text import Text

from bscstudy.checks.turnover import turnover
from bscstudy.exhibits import people_flow
from bscstudy.exhibits.people_flow_cells import people_flow as masked_flow
from bscstudy.exhibits.people_flow_ranges import gap_of
from bscstudy.privacy import is_small

WAVES = ["T1", "T2", "T3", "T4"]
ROLES = ["director", "teacher", "assistant"]


def panel(n=200, seed=1, waves=WAVES, stay=0.8, moves=0.1):
    """A random panel as link_people writes it; nothing but `present`, role and center is needed to count."""
    rng = np.random.default_rng(seed)
    rows = []
    for person in range(n):
        role, center = rng.choice(ROLES, p=[0.1, 0.5, 0.4]), rng.integers(9)
        here = rng.random() < 0.7
        for wave in waves:
            here = rng.random() < (stay if here else 0.35)
            role = rng.choice(ROLES) if rng.random() < moves else role
            center = rng.integers(9) if rng.random() < moves else center
            if here or rng.random() < 0.1:  # an expected person without an answer may be listed without being present
                rows.append((f"p{person}", wave, role, f"c{center}", 1, int(here and rng.random() < 0.8), int(here)))
    return pd.DataFrame(rows, columns=["person_id", "wave", "role", "center_id", "expected", "responded", "present"])


def study(waves=WAVES, **more):
    config = {
        "study": {"id": "t", "synthetic": True, "seed": 1},
        "waves": [{"id": w, "label": f"Wave {i}", "order": i} for i, w in enumerate(waves, start=1)],
        "roles": [{"id": r, "label": r.title()} for r in ROLES],
        "privacy": {"min_cell": 5},
    }
    return context("S2", title="How people came and went", config={**config, **more})


@pytest.mark.parametrize("role", [None, *ROLES])
def test_counts_are_those_of_going_through_every_person(role):
    people = panel()
    here = {(r.person_id, r.wave): r for r in people.itertuples() if r.present}
    persons = sorted({person for person, _ in here})
    found = turnover(people, WAVES, role).set_index("wave")
    for before, wave in zip([None, *WAVES], WAVES, strict=False):
        earlier = WAVES[: WAVES.index(wave)]
        of = lambda p, w: (p, w) in here and (role is None or here[p, w].role == role)  # noqa: E731
        now = [p for p in persons if of(p, wave)]
        assert found.loc[wave, "present"] == len(now) and found.loc[wave, "answered"] == sum(here[p, wave].responded for p in now)
        if before is None:
            assert pd.isna(found.loc[wave, "stayed"])
            continue
        new = [p for p in now if (p, before) not in here]
        returned = [p for p in new if any((p, w) in here for w in earlier)]
        both = [p for p in persons if (p, before) in here and (p, wave) in here]
        changed = [p for p in both if here[p, before].role != here[p, wave].role]
        expected = {
            "joined": len(new) - len(returned),
            "returned": len(returned),
            "left": sum(of(p, before) and (p, wave) not in here for p in persons),
            "stayed": sum(of(p, before) and of(p, wave) for p in both),
            "from_role": sum(of(p, wave) for p in changed),
            "to_role": sum(of(p, before) for p in changed),
            "other_center": sum(of(p, wave) and here[p, before].center_id != here[p, wave].center_id for p in both),
        }
        assert found.loc[wave, list(expected)].to_dict() == expected


@pytest.mark.parametrize("role", [None, *ROLES])
def test_boxes_are_the_sums_of_their_arrows(role):
    table = turnover(panel(seed=4), WAVES, role).astype("Int64", errors="ignore")
    came = 0 if role is None else table["from_role"]
    went = 0 if role is None else table["to_role"]
    assert (table["stayed"] + table["joined"] + table["returned"] + came)[1:].eq(table["present"][1:]).all()
    assert (table["stayed"] + table["left"] + went)[1:].tolist() == table["present"][:-1].tolist()


@pytest.mark.parametrize("smallest", [2, 3, 5])
def test_whoever_knows_the_rule_can_exclude_no_small_number_of_movements(smallest):
    """Every pair of waves: of all numbers that stayed and look the same, each small count takes every small number the boxes allow."""
    for before, now in itertools.product(range(1, 5 * smallest), repeat=2):
        movements = {s: (s, before - s, now - s) for s in range(min(before, now) + 1)}
        looks = {s: gap_of(before, now, s, smallest).stayed for s in movements}
        for stayed, mine in movements.items():
            alike = [movements[s] for s in movements if looks[s] == looks[stayed]]
            assert looks[stayed] is None or looks[stayed][0] <= stayed <= looks[stayed][1]
            for which, n in enumerate(mine):
                if is_small(n, smallest):
                    can = {m[which] for m in movements.values()} & set(range(1, smallest))
                    assert can <= {m[which] for m in alike}, (before, now, stayed)


def all_panels(first, second, third):
    """Every way in which so many people can be present in three waves, as sizes of the seven patterns."""
    for all_three, early, apart, late in itertools.product(*(range(n + 1) for n in (min(first, second, third), first, first, third))):
        once = (first - all_three - early - apart, second - all_three - early - late, third - all_three - apart - late)
        if min(once) >= 0:
            sizes = (all_three, early, apart, late, *once)
            yield dict(zip(("111", "110", "101", "011", "100", "010", "001"), sizes, strict=True))


def as_people(sizes):
    rows = []
    for pattern, n in sizes.items():
        for i, (wave, here) in itertools.product(range(n), zip(WAVES, pattern, strict=False)):
            rows += [(f"{pattern}{i}", wave, "teacher", "c1", 1, 1, 1)] if here == "1" else []
    return pd.DataFrame(rows, columns=["person_id", "wave", "role", "center_id", "expected", "responded", "present"])


def counted(sizes):
    """Counts of three waves by their definition."""
    of = lambda *patterns: sum(sizes[p] for p in patterns)  # noqa: E731
    return {
        "present": (of("100", "110", "101", "111"), of("010", "110", "011", "111"), of("001", "101", "011", "111")),
        "stayed": (of("110", "111"), of("011", "111")), "left": (of("100", "101"), of("010", "110")),
        "joined": (of("010", "011"), of("001")), "returned": (0, of("101")),
        "statuses": (of("111", "101"), of("100", "110"), of("001", "011"), of("010")),
    }  # fmt: skip


def fits_shown(counts, flow, smallest):
    """Whether counts of three waves agree with everything a flow says."""
    told = flow.everyone
    for column in ("present", "stayed", "left", "returned"):
        cells = told[column] if column == "present" else told[column][1:]
        if not all(in_words(n, word, smallest) for n, word in zip(counts[column], cells, strict=True)):
            return False
    came = [j + r if flow.merged else j for j, r in zip(counts["joined"], counts["returned"], strict=True)]
    named = dict(zip(("stayer", "leaver", "joiner", "once"), counts["statuses"], strict=True)) | {"all": sum(counts["statuses"])}
    return all(in_words(n, word, smallest) for n, word in zip(came, told["joined"][1:], strict=True)) and all(
        in_words(named[name], word, smallest) for name, word in flow.statuses.items()
    )


def in_words(n, word, smallest):
    if word is None or (not isinstance(word, str) and pd.isna(word)):
        return True
    if isinstance(word, str):
        low, high = word.split(" to ") if " to " in word else (1, smallest - 1)
        return int(low) <= n <= int(high)
    return n == word


@pytest.mark.parametrize("seed", range(20))
def test_no_small_count_of_three_waves_can_be_narrowed_by_sums(seed):
    """Against every panel with the same boxes: what is shown leaves every small number that its ranges between two waves leave."""
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(16, rng.dirichlet([0.6] * 6 + [2]))
    sizes = dict(zip(["001", "010", "011", "100", "101", "110", "111"], map(int, drawn), strict=True))
    truth = counted(sizes)
    if not all(truth["present"]):
        return
    flow = masked_flow(as_people(sizes), study(WAVES[:3], privacy={"min_cell": 3}))
    alone = replace(flow, everyone=flow.everyone.assign(joined=None, returned=None), statuses={})
    with_same_boxes = [counted(panel) for panel in all_panels(*truth["present"])]
    possible, by_ranges = ([c for c in with_same_boxes if fits_shown(c, told, 3)] for told in (flow, alone))
    assert truth in possible
    for name in ("stayed", "left", "joined", "returned", "statuses"):
        for at, n in enumerate(truth[name]):
            if is_small(n, 3):
                can = {counts[name][at] for counts in by_ranges} & {1, 2}
                assert can <= {counts[name][at] for counts in possible}, (name, at)


def test_roles_are_shown_only_without_small_counts_and_without_a_small_rest():
    people = panel(n=400, seed=2, moves=0.0)
    flow = masked_flow(people, study())
    total = turnover(people, WAVES)
    for table in flow.roles.values():
        assert not ((table.iloc[:, 1:] > 0) & (table.iloc[:, 1:] < 5)).any().any()
    if flow.roles and flow.withheld:
        rest = total[["present", "joined", "left"]] - sum(t[["present", "joined", "left"]] for t in flow.roles.values())
        assert not ((rest > 0) & (rest < 5)).any().any()
    assert set(flow.roles) | set(flow.withheld) == set(ROLES) and flow.roles


def test_the_diagram_says_what_the_table_says_and_no_words_touch():
    shown = people_flow.build({"people": panel(n=900)}, study())
    said = [t for t in shown.figure.findobj(Text) if t.get_text().strip()]
    words = [line for t in said for line in t.get_text().splitlines()]
    table = shown.table
    for title, word in (("People", "people"), ("Answered", "answered"), ("Joined", "joined"), ("Returned", "returned"), ("Left", "left")):
        wanted = sorted(f"{n} {word}" for n in table[title] if n != "–")
        assert sorted(w for w in words if w.endswith(f" {word}")) == wanted
    stayed = [w for w, after in itertools.pairwise(words) if after == "stayed"]
    assert sorted(stayed) == sorted(n for n in table["Stayed"] if n != "–")
    shown.figure.draw_without_rendering()
    boxes = [t.get_window_extent() for t in said]
    assert not [(a, b) for a, b in itertools.combinations(boxes, 2) if a.overlaps(b)]
    assert all(n in shown.alt for n in table["People"])


def test_forms_without_a_person_are_counted_beside_the_flow():
    forms = pd.DataFrame({"instrument": "parent_survey", "wave": ["T1", "T1", "T2"], "unlinked": [8, 9, 2]})
    forms = forms.assign(role="parent", expected=0, received=forms["unlinked"])
    shown = people_flow.build({"people": panel(n=300), "checks/flow": forms}, study())
    assert "17 of Parent survey at Wave 1 and <5 of Parent survey at Wave 2" in shown.notes["Forms without a person"]


def test_a_small_movement_is_shown_as_a_range_and_so_are_those_that_would_tell_it():
    rows = [(f"p{i}", w, "teacher", "c1", 1, 1, 1) for i in range(30) for w in ("T1", "T2") if i or w == "T2"]
    people = pd.DataFrame(rows, columns=panel(n=1).columns)  # one joined
    shown = people_flow.build({"people": people}, study(["T1", "T2"]))
    row = shown.table.iloc[1]
    assert list(row[["People", "Stayed", "Left", "Joined"]]) == ["30", "25 to 29", "0 to 4", "1 to 5"]
    assert "as ranges" in shown.notes["Privacy"] and "25 to 29\nstayed" in {t.get_text() for t in shown.figure.findobj(Text)}


def test_waves_too_small_for_ranges_show_only_the_boxes():
    rows = [(f"p{i}", w, "teacher", "c1", 1, 1, 1) for i in range(8) for w in ("T1", "T2") if i or w == "T2"]
    shown = people_flow.build({"people": pd.DataFrame(rows, columns=panel(n=1).columns)}, study(["T1", "T2"]))
    assert list(shown.table["People"]) == ["7", "8"] and list(shown.table["Joined"]) == ["–", "–"]
    assert "not at all" in shown.notes["Privacy"] and not shown.sentences and "joined" not in shown.alt.split("Everyone")[1]


def test_few_who_returned_are_one_number_with_who_joined():
    sizes = {"111": 60, "110": 12, "011": 14, "101": 2, "100": 9, "001": 8, "010": 6}
    shown = people_flow.build({"people": as_people(sizes)}, study(WAVES[:3]))
    assert list(shown.table["Joined or returned"]) == ["–", "20", "10"] and "Returned" not in shown.table
    assert "one number" in shown.notes["Privacy"] and list(shown.table["Left"]) == ["–", "11", "18"]
    assert any("or returned" in t.get_text() for t in shown.figure.findobj(Text))


def test_nobody_to_follow_gives_a_reason():
    nobody = panel(n=5).assign(present=0)
    assert "No person" in people_flow.build({"people": nobody}, study()).caption
