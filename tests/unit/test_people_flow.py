"""How people came and went: counted against brute force, masked against whoever adds and subtracts, drawn as in the table."""

import itertools

import numpy as np
import pandas as pd
import pytest
from exhibit_study import context
from matplotlib.text import Text

from bscstudy.checks.turnover import turnover
from bscstudy.exhibits import people_flow
from bscstudy.exhibits.people_flow_cells import people_flow as masked_flow
from bscstudy.privacy import protect_sums

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


def feasible(shown, made_of, limit, smallest):
    """Every value each masked count can have, by going through all sizes of the finest groups up to a limit."""
    groups = sorted(set().union(*made_of.values()))
    possible = {name: set() for name, n in shown.items() if n == f"<{smallest}"}
    for sizes in itertools.product(range(limit + 1), repeat=len(groups)):
        size = dict(zip(groups, sizes, strict=True))
        total = {name: sum(size[g] for g in parts) for name, parts in made_of.items()}
        fits = {int: lambda t, n: t == n}
        if all(
            0 < t < smallest if n == f"<{smallest}" else t >= smallest if n == "hidden" else fits[int](t, n)
            for (name, n), t in zip(shown.items(), (total[name] for name in shown), strict=True)
        ):
            for name in possible:
                possible[name].add(total[name])
    return possible


#: two waves: those in both, the first only, the second only
TWO = {"first": {"11", "10"}, "second": {"11", "01"}, "stayed": {"11"}, "left": {"10"}, "joined": {"01"}, "all": {"11", "10", "01"}}


@pytest.mark.parametrize(
    ("both", "left", "joined", "can"),
    [(20, 1, 9, True), (3, 9, 12, True), (16, 2, 5, True), (6, 1, 7, True), (20, 2, 1, False), (14, 0, 1, False)],
)
def test_no_masked_count_can_be_narrowed_by_sums(both, left, joined, can):
    sizes = {"11": both, "10": left, "01": joined}
    counts = {name: sum(sizes[g] for g in parts) for name, parts in TWO.items()}
    shown = protect_sums(counts, TWO, 3, {"first", "second"})
    masked = {name: "<3" if 0 < n < 3 else n for name, n in counts.items()}
    if not can:  # the two boxes alone tell left from joined, even with all else hidden
        assert shown is None
        shown = {name: "hidden" if name not in ("first", "second") and isinstance(n, int) and n else n for name, n in masked.items()}
    else:
        assert {name: n for name, n in shown.items() if n != "hidden"}.items() <= masked.items()
    assert all(values >= {1, 2} for values in feasible(shown, TWO, 32, 3).values()) == can


def test_a_count_that_nothing_may_be_hidden_for_is_not_shown_at_all():
    assert protect_sums({"a": 2, "b": 30}, {"a": {"x"}, "b": {"x", "y"}}, 5, {"b"}) == {"a": "<5", "b": 30}
    three = {"a": {"x"}, "b": {"y"}, "sum": {"x", "y"}}
    assert protect_sums({"a": 2, "b": 30, "sum": 32}, three, 5, {"sum"}) == {"a": "<5", "b": "hidden", "sum": 32}
    assert protect_sums({"a": 2, "b": 30, "sum": 32}, three, 5, {"sum", "b"}) is None
    assert protect_sums({"a": 2, "b": 6, "sum": 8}, three, 5, {"sum"}) is None, "5 or more and 8 together: a can be no 4"


@pytest.mark.parametrize("seed", range(4))
def test_shown_counts_never_give_a_small_one_away(seed):
    people = panel(n=70, seed=seed, waves=WAVES[:3], stay=0.93, moves=0.0)
    flow = masked_flow(people, study(WAVES[:3]))
    truth = turnover(people, WAVES[:3])
    if not flow.statuses:
        assert flow.everyone["stayed"].isna().all() and not flow.roles
        return
    for column in ("stayed", "joined", "returned", "left"):
        for shown, real in zip(flow.everyone[column][1:], truth[column][1:], strict=True):
            assert shown == ("<5" if 0 < real < 5 else shown if shown == "hidden" else real)
    for earlier, row in zip(flow.everyone.to_dict("records"), flow.everyone.to_dict("records")[1:], strict=False):
        for parts in (("stayed", "left", earlier["present"]), ("stayed", "joined", row["present"])):
            masked = [isinstance(row[name], str) for name in parts[:2]]
            assert sum(masked) != 1 or isinstance(row["returned"], str), "one masked part of a shown sum is no secret"


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
    shown = people_flow.build({"people": panel(n=300), "checks/flow": forms}, study())
    assert "17 of Parent survey at Wave 1 and <5 of Parent survey at Wave 2" in shown.notes["Forms without a person"]


def test_where_nothing_protects_small_counts_only_the_boxes_are_shown():
    people = panel(n=1).iloc[:0]
    rows = [(f"p{i}", w, "teacher", "c1", 1, 1, 1) for i in range(30) for w in ("T1", "T2") if i or w == "T2"]
    shown = people_flow.build({"people": pd.DataFrame(rows, columns=people.columns)}, study(["T1", "T2"]))
    assert list(shown.table["People"]) == ["29", "30"] and list(shown.table["Joined"]) == ["–", "–"]  # one joined
    assert "is not shown" in shown.notes["Privacy"] and not shown.sentences and "joined" not in shown.alt.split("Everyone")[1]


def test_nobody_to_follow_gives_a_reason():
    nobody = panel(n=5).assign(present=0)
    assert "No person" in people_flow.build({"people": nobody}, study()).caption
