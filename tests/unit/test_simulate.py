"""The demonstration study: the same bytes, the defects that were put in, and the truth it is meant to show."""

import copy
import csv
import zipfile
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from bscstudy.loading import load_study
from bscstudy.simulate.peers import _forms as _peer_forms
from bscstudy.simulate.population import make_population, stream
from bscstudy.simulate.responses import draw_codes, expected_code
from bscstudy.simulate.staff import _forms
from bscstudy.simulate.study import simulate_study
from bscstudy.simulate.truth import planted_defects, read_parameters, role_shares, true_changes

WAVES = ("t1", "t3", "t4")


@pytest.fixture(scope="module")
def raw(repository):
    return repository / "data/raw"


@pytest.fixture(scope="module")
def parameters():
    return read_parameters()


@pytest.fixture(scope="module")
def staff(raw):
    return {wave: pyreadstat.read_sav(raw / f"staff/staff_survey_{wave}.sav", user_missing=True)[0] for wave in WAVES}


@pytest.fixture(scope="module")
def found(raw, staff):
    """Defects counted straight from the raw files: (check, source) -> n."""
    roster = pd.read_csv(raw / "register/roster.csv")
    centers = set(pd.read_csv(raw / "register/centers.csv")["center"])
    admin = pd.read_csv(raw / "admin/administrator_survey.csv", dtype=str)
    metrics = pd.read_csv(raw / "fidelity/monthly_metrics.csv")
    counts = {}
    for wave, forms in staff.items():
        source, ids = f"staff_{wave}", forms["pid"].str.upper()
        dates = pd.to_datetime(forms["completed_on"], format="%Y-%m-%d", errors="coerce")
        answers = forms.filter(regex=r"^(lead|motiv|infra|peer|coach|resrc|tech|data|clim|family|sel|turn)(ership_)?\d$")
        years = forms["years_experience"]
        counts[("duplicate_key", source)] = int(ids.duplicated().sum())
        counts[("unknown_center", source)] = int((~forms["center"].str.upper().isin(centers)).sum())
        counts[("unknown_person", source)] = int((~ids.isin(roster["person"])).sum())
        counts[("out_of_range", source)] = int(((years > 60) & ~years.between(97, 99) | (years < 0)).sum())
        counts[("unknown_code", source)] = int(((answers > 5) & (answers < 97)).sum().sum())
        counts[("invalid_date", source)] = int(dates.isna().sum())
        counts[("date_outside_wave", source)] = int((~dates.dt.year.isin([2023, 2024, 2025]) & dates.notna()).sum())
        counts[("id_spelling_changed", source)] = int((ids != forms["pid"]).sum())
        counts[("straight_lining", source)] = int((answers.nunique(axis=1) == 1).sum())
    counts[("renamed_column", "staff_t4")] = len(set(staff["t3"].columns) - set(staff["t4"].columns))
    counts[("unknown_column", "staff_t4")] = (
        len(set(staff["t4"].columns) - set(staff["t3"].columns)) - counts[("renamed_column", "staff_t4")]
    )
    counts[("unknown_center", "parent_t3")] = int((_parents(raw, "t3")["center"] == "X99").sum())
    counts[("out_of_range", "admin")] = int((admin["adm_vacancies"].astype(float) > 30).sum())
    counts[("date_outside_wave", "admin")] = int((~admin["adm_date"].str[:4].isin(["2023", "2024", "2025"])).sum())
    shares = metrics[metrics["metric"] != "challenging_behavior"]
    counts[("more_than_all", "metrics")] = int((shares["numerator"] > shares["denominator"]).sum())
    return counts


def _parents(raw, wave):
    return pd.read_csv(raw / f"parents/parent_survey_{wave}.csv", skiprows=[1, 2], encoding="utf-8-sig", dtype=str)


def test_the_same_parameters_give_the_shipped_bytes(tmp_path, raw):
    written = simulate_study(tmp_path)
    shipped = sorted(p.relative_to(raw) for p in raw.rglob("*") if p.is_file())
    assert [p.relative_to(tmp_path / "data/raw") for p in written] == shipped
    differing = [str(name) for name in shipped if (raw / name).read_bytes() != (tmp_path / "data/raw" / name).read_bytes()]
    assert differing == []
    assert sum(p.stat().st_size for p in written) < 4_000_000


def test_each_planted_defect_is_there_as_often_as_the_parameters_say(found, parameters, repository):
    study = load_study(repository / "config")
    items = [row for row in study["items"] if row["instrument"] == "staff_survey"]
    at_end = [row for row in items if "T4" in row["waves"].split() and (row["version"] or 1) > 1]
    rescaled = sum(row["response_scale"] == "agree4" for row in at_end)
    found = {**found, ("response_scale_changed", "staff_t4"): rescaled, ("wording_changed", "staff_t4"): len(at_end) - rescaled}
    assert {(d["check"], d["source"]): d["n"] for d in planted_defects(parameters)} == {k: n for k, n in found.items() if n}


def test_the_study_excludes_exactly_the_rows_that_were_spoilt(raw, staff, repository):
    spoilt = set()
    for wave, forms in staff.items():
        gone = forms["pid"].str.upper().duplicated() | (forms["center"] == "X99")
        spoilt |= {(f"staff_{wave}", int(row) + 1) for row in np.flatnonzero(gone)}
    metrics = pd.read_csv(raw / "fidelity/monthly_metrics.csv")
    over = (metrics["numerator"] > metrics["denominator"]) & (metrics["metric"] != "challenging_behavior")
    spoilt |= {("metrics", int(row) + 2) for row in np.flatnonzero(over)}
    with open(raw / "parents/parent_survey_t3.csv", encoding="utf-8-sig", newline="") as handle:
        reader, start = csv.reader(handle), 1
        for record in reader:
            spoilt |= {("parent_t3", start)} if record[-1] == "X99" else set()
            start = reader.line_num + 1
    assert {(e["source"], e["row"]) for e in load_study(repository / "config")["exclusions"]} == spoilt


def test_people_and_centers_are_as_the_study_describes(raw):
    centers = pd.read_csv(raw / "register/centers.csv")
    roster = pd.read_csv(raw / "register/roster.csv")
    assert centers.groupby("collaborative").size().to_dict() == {"alder": 7, "birch": 8, "cedar": 8}
    assert (roster[roster["role"] == "director"].groupby(["center", "wave"]).size() == 1).all()
    assert 10 <= roster.groupby(["center", "wave"]).size().mean() <= 14
    waves = roster.groupby("person")["wave"].agg(set)
    assert min(sum(w == {"T1", "T3", "T4"} for w in waves), sum("T1" not in w for w in waves), sum("T4" not in w for w in waves)) > 30
    visits = pd.read_csv(raw / "observation/practice_indicators.csv").groupby("visit_id").size()
    assert len(visits) == 23 * 2 * 3 and 0.12 < (visits == 2).mean() < 0.28


def test_names_on_the_peer_forms_are_as_planted(raw, parameters):
    forms = pd.read_csv(raw / "fidelity/peer_nominations.csv")
    roster = pd.read_csv(raw / "register/roster.csv")
    assert not forms.duplicated(["person", "wave"]).any()
    names = forms.melt(["person", "center", "wave"], value_name="named").dropna(subset="named")
    for wave, part in names.groupby("wave"):
        employed = roster[roster["wave"] == wave].set_index("person")
        assert (employed.loc[forms.loc[forms["wave"] == wave, "person"], "core_team"] == "core").all()
        spoilt = {
            "strangers": ~part["named"].str.upper().isin(employed.index),
            "themselves": part["named"] == part["person"],
            "small_letters": part["named"] != part["named"].str.upper(),
        }
        assert {kind: int(found.sum()) for kind, found in spoilt.items()} == {k: parameters["peers"][k][wave] for k in spoilt}, wave


def test_ties_to_other_centers_are_planted_as_a_very_large_study_shows(parameters):
    large = copy.deepcopy(parameters)
    for spec in large["collaboratives"].values():
        spec["centers"] = 30
    for kind in ("strangers", "themselves", "small_letters"):
        large["peers"][kind] = dict.fromkeys(large["peers"][kind], 0)
    population = make_population(large)
    for wave, share in large["peers"]["cross_center"].items():
        forms = _peer_forms(large, population, wave)
        names = forms.melt(["person", "center", "wave"], value_name="named").query("named != ''")
        # four standard errors of a share of about three thousand names
        assert (names["named"].str[:-4] != names["center"]).mean() == pytest.approx(
            share, abs=4 * (share * (1 - share) / len(names)) ** 0.5
        )


def test_the_items_of_the_codebook_are_the_columns_of_the_files(staff, repository):
    items = [row for row in load_study(repository / "config")["items"] if row["instrument"] == "staff_survey"]
    for wave, forms in staff.items():
        described = {row["column"] or row["item"] for row in items if not row["waves"] or wave.upper() in row["waves"].split()}
        assert described - set(forms.columns) == set()
        assert set(forms.columns) - described <= {"pid", "center", "role", "core", "batch"}


def test_coded_passages_lie_on_whole_sentences(raw):
    with zipfile.ZipFile(raw / "interviews/coding_main.qdpx") as project:
        root = ElementTree.fromstring(project.read("project.qde"))
        names = {"u": "urn:QDA-XML:project:1.0"}
        sources = root.findall(".//u:TextSource", names)
        assert len(sources) == 92
        for source in sources:
            text = project.read(f"sources/{source.get('guid')}.txt").decode("utf-8")
            assert text.startswith("SYNTHETIC TRANSCRIPT") and "\r" not in text
            for selection in source.findall("u:PlainTextSelection", names):
                passage = text[int(selection.get("startPosition")) : int(selection.get("endPosition"))]
                assert passage.startswith(selection.get("name")) and passage.endswith(".")


def test_expected_code_is_the_mean_of_drawn_codes():
    random = np.random.default_rng(5)
    level = 0.3 + 0.8 * random.standard_normal(400_000)
    drawn = draw_codes(level, 0.1, 0.6, [-1.5, -0.5, 0.5, 1.5], random).mean()
    # four standard errors of a mean of 400,000 codes with a standard deviation below 1.2
    assert drawn == pytest.approx(expected_code(0.4, 1.0, [-1.5, -0.5, 0.5, 1.5]), abs=0.008)


@pytest.mark.slow
def test_true_changes_are_the_changes_of_a_very_large_study(parameters):
    large = copy.deepcopy(parameters)
    for spec in large["collaboratives"].values():
        spec["centers"] = 400
    large["staff"]["item_missing"] = {}
    population = make_population(large)
    means = {wave: _mean_scores(large, population, wave) for wave in ("T1", "T3", "T4")}
    expected = [t for t in true_changes(large) if t["core"] != "average"]
    group = [(t["scale"], t["core"]) for t in expected]
    drawn = np.array([means[t["wave_to"]][key] - means[t["wave_from"]][key] for t, key in zip(expected, group, strict=True)])
    true = np.array([t["change"] for t in expected])
    # 1,200 centers, at least 3,000 people in a group: four standard errors of one change are below 0.06 points
    assert drawn == pytest.approx(true, abs=0.06)
    # all 68 changes together: over three seeds the slope was off by at most 0.009; forgetting the variance of an item moves it by 0.06
    assert (drawn @ true) / (true @ true) == pytest.approx(1, abs=0.03)


def _mean_scores(large, population, wave):
    """Mean score by scale and team, with the roles weighted as in the truth."""
    rows = np.flatnonzero((population.people["wave"] == wave).to_numpy())
    forms = _forms(large, population, wave, rows, stream(large, f"large {wave}"))
    people = population.people.iloc[rows].reset_index(drop=True)
    found = {}
    for stem, spec in large["constructs"].items():
        if stem == "tech" and wave == "T4":
            continue
        items = forms[[f"{stem}{n}" for n in range(1, spec["items"] + 1)]].copy()
        for number in spec.get("reversed", []):
            items[f"{stem}{number}"] = 6 - items[f"{stem}{number}"]
        score = items.mean(axis=1)
        for core, name in ((1, "core"), (0, "other")):
            by_role = score[people["core"] == core].groupby(people["role"]).mean()
            shares = {role: share for role, share in role_shares(large, stem).items() if role in by_role}
            found[(spec["scale"], name)] = sum(by_role[role] * share for role, share in shares.items()) / sum(shares.values())
    return found
