"""People are linked across waves, forms expected and received are counted, scales compared only where they may be."""

from dataclasses import replace

import pandas as pd
from check_frames import MIXED, clean, form, item, registers, source, staff, study

from bscstudy.checks.drift import item_drift
from bscstudy.checks.flow import sample_flow
from bscstudy.checks.people import centers_table, link_people
from bscstudy.checks.registry import read_sources
from bscstudy.steps import check_gate, check_quality
from bscstudy.steps import link_people as link_step
from bscstudy.tables import read_json, read_table, write_table
from bscstudy.workflow import Job


def people(tables, config=None):
    return link_people(tables, config or study()).set_index(["person_id", "wave"])


def test_status_and_waves_come_from_the_register():
    linked = people(clean())
    assert linked["status"].groupby(level=0).first().to_dict() == {"p1": "stayer", "p2": "leaver", "p3": "joiner"}
    assert tuple(linked.loc[("p3", "T3"), ["expected", "responded", "first_wave"]]) == (1, 0, "T3")
    assert set(linked["collaborative"]) == {"alder"} and linked.loc[("p1", "T1"), "core"] == "core"


def test_without_a_register_an_answer_makes_a_person_present():
    config = study(register={"centers": "centers", "people": None})
    blank = staff("staff_t3", "T3", [form(2, "p1", "T3", MIXED), form(3, "p2", "T3", [None] * 9)])
    linked = people({**clean(), "staff_t3": blank}, config)
    assert linked.loc[("p1", "T1"), "status"] == "stayer" and linked.loc[("p2", "T1"), "status"] == "leaver"
    assert ("p2", "T3") not in linked.index, "a form without any answer is no response"
    assert (linked["expected"] == 0).all()


def test_what_one_wave_leaves_blank_is_taken_from_another_and_the_register_wins():
    late = staff("staff_t3", "T3", [form(2, "p1", "T3", MIXED, role=None, center="c2"), form(3, "p4", "T3", MIXED, role="cook")])
    linked = people({**clean(), "staff_t3": late})
    assert tuple(linked.loc[("p1", "T3"), ["role", "center_id"]]) == ("teacher", "c1")
    assert tuple(linked.loc[("p4", "T3"), ["role", "expected", "status"]]) == ("cook", 0, "joiner")


def test_centers_keep_a_center_that_the_register_does_not_list():
    tables = {**clean(), "staff_t1": staff("staff_t1", "T1", [form(2, "p1", "T1", MIXED, center="c9")])}
    centers = centers_table(tables["centers"], tables).set_index("center_id")
    assert centers["in_register"].to_dict() == {"c1": 1, "c2": 1, "c9": 0} and centers.loc["c1", "places"] == 40


def test_flow_counts_people_once_and_blank_or_excluded_forms_never():
    rows = [form(2, "p1", "T1", MIXED), form(3, "p2", "T1", [None] * 9), form(4, "p1", "T1", MIXED, excluded="sent twice")]
    rows.append(form(5, "p5", "T1", MIXED, excluded="a test form"))
    flow = sample_flow({**clean(), "staff_t1": staff("staff_t1", "T1", rows)}, study())
    counts = flow.groupby("wave")[["expected", "received", "excluded"]].sum()
    assert counts.loc["T1"].tolist() == [2, 1, 2] and counts.loc["T3"].tolist() == [2, 1, 0]


def test_a_wave_for_which_the_register_lists_nobody_has_no_number_expected():
    only_first = {**clean(), "roster": source("roster", registers()["roster"].frame.query("wave == 'T1'"), wave={"column": "wave"})}
    flow = sample_flow(only_first, study()).groupby("wave")[["expected", "received"]].sum(min_count=1)
    assert flow.loc["T1"].tolist() == [2, 2] and pd.isna(flow.loc["T3", "expected"]) and flow.loc["T3", "received"] == 1


def test_only_the_core_team_is_expected_where_a_source_is_of_the_core_team():
    forms = staff("staff_t1", "T1", [form(2, "p1", "T1", MIXED)])
    of_core = replace(forms, settings={**forms.settings, "keys": {**forms.keys, "core": {"constant": "core"}}})
    for given, expected in ((forms, 2), (of_core, 1)):
        flow = sample_flow({**registers(), "staff_t1": given}, study())
        assert flow.loc[flow["wave"] == "T1", ["expected", "received"]].sum().tolist() == [expected, 1]


def test_visits_are_received_but_never_expected():
    visits = [{"row": r, "observation_id": "v1", "rater_id": f"r{r}", "center_id": "c1", "wave": "T1", "q1": 1.0} for r in (2, 3)]
    seen = source("visits", visits, wave={"column": "wave"}, keys=("observation_id", "center_id"))
    flow = sample_flow({**clean(), "visits": seen}, study(items=[*study()["items"], item("q1", instrument="visits")])).set_index(
        "instrument"
    )
    assert flow.loc["visits", "received"] == 1 and pd.isna(flow.loc["visits", "expected"])


def test_drift_names_every_kind_of_change():
    items = [
        item("same"), item("old", waves="T1"), item("new", waves="T3"),
        item("words", waves="T1"), item("words", waves="T3", version=2, wording="b"),
        item("scale", waves="T1"), item("scale", waves="T3", response_scale="agree4"),
        item("name", waves="T1"), item("name", waves="T3", column="other"),
    ]  # fmt: skip
    drift = item_drift(clean(), study(items=items)).set_index("item")["change"].to_dict()
    assert drift == {"same": "same", "old": "dropped", "new": "added", "words": "reworded", "scale": "rescaled", "name": "renamed"}


def test_the_steps_read_and_write_their_tables(tmp_path):
    tables = clean()
    for name, one in tables.items():
        write_table(one.frame, tmp_path / f"{name}.csv", key=["row"], extra=one.extra)
    config = study(study={"synthetic": True}, sources={name: one.settings for name, one in tables.items()})
    paths = [tmp_path / f"{name}.csv" for name in tables]
    out = {name: tmp_path / "checks" / f"{name}.csv" for name in ("findings", "summary", "flow", "drift")}
    check_quality.run(Job({"tables": paths}, out, config, {}, 1))
    check_gate.run(Job({"findings": out["findings"], "summary": out["summary"]}, {"gate": tmp_path / "gate.json"}, config, {}, 1))
    assert read_json(tmp_path / "gate.json")["n_report"] == 1
    inputs = {"register": paths[:2], "tables": paths[2:]}
    link_step.run(Job(inputs, {"people": tmp_path / "people.csv", "centers": tmp_path / "all_centers.csv"}, config, {}, 1))
    linked = read_table(tmp_path / "people.csv")
    assert len(linked) == 4 and linked["responded"].sum() == 3
    assert len(read_table(tmp_path / "all_centers.csv")) == 2 and len(read_sources(paths, {})) == 4
