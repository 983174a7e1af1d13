"""What a bad delivery gets: each fault ends as one code or finding at its place, and no message holds a value, a name or an id."""

import re
import shutil
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from delivery_study import (
    ROOT,
    all_of,
    cell,
    codebook,
    content,
    cut,
    header,
    item,
    new_item,
    new_table,
    options,
    outcome,
    refusals,
    repeated,
    replaced,
    rows,
    settings,
    sound_base,
    source,
    statistical,
    text,
    workbook,
)

from bscstudy.checks.quality import REGISTRY
from bscstudy.exhibits import descriptives
from bscstudy.exhibits.base import Context
from bscstudy.loading import load_study
from bscstudy.models.inputs import model_comparability
from bscstudy.tables import read_table

pytestmark = pytest.mark.slow

SECRET = "Maria Example"
T1, T3, T4 = (f"data/raw/staff/staff_survey_{wave}.sav" for wave in ("t1", "t3", "t4"))
ADMIN, DICTIONARY = "data/raw/admin/administrator_survey.csv", "data/raw/admin/administrator_survey_dictionary.csv"
PARENT = "data/raw/parents/parent_survey_t1.csv"
CENTERS, ROSTER = "data/raw/register/centers.csv", "data/raw/register/roster.csv"
VISITS, RATINGS = "data/raw/observation/practice_indicators.csv", "data/raw/observation/interaction_ratings.csv"
ATTENDANCE, METRICS = "data/raw/fidelity/session_attendance.csv", "data/raw/fidelity/monthly_metrics.csv"
FORUM, COACHING = "data/raw/fidelity/forum_posts.csv", "data/raw/fidelity/coaching_contacts.csv"
PDSA, ACTIONS, COSTS = (f"data/raw/fidelity/{name}.xlsx" for name in ("pdsa_cycles", "action_plans", "costs"))
MEASURES, ITEMS, MAP = "config/measures.yaml", "config/codebook/items.csv", "config/codebook/harmonisation.csv"
SEMICOLON = {"delimiter": ";", "encoding": "cp1252"}


@dataclass(frozen=True)
class Fault:
    """One thing spoilt, and what must be said of it.

    ``code``: of an error, or the id of a check. ``place``: parts of what is said of the place, all of them. ``sources``: read
    again. ``step``: the scoring step that must refuse, where no earlier one does.
    """

    section: int
    spoil: Callable[[], None]
    code: str
    place: tuple[str, ...]
    sources: tuple[str, ...] = ()
    step: str = ""


def sav(change):
    return statistical(T1, change)


def put(column, row, value):
    def change(frame):
        frame[column] = frame[column].astype(object)
        frame.loc[row - 1, column] = value
        return frame

    return change


def overflowing(column):
    """Store the dates of a column as SPSS does, in seconds, one of them many thousand years after the others."""

    def spoil():
        import pandas as pd
        import pyreadstat

        frame, meta = pyreadstat.read_sav(T1, user_missing=True)
        frame[column] = pd.to_datetime(frame[column], errors="coerce").sub(pd.Timestamp(1900, 1, 1)).dt.total_seconds() + 10010304000
        frame.loc[8, column] = 9e15
        ranges = {name: kept for name, kept in meta.missing_ranges.items() if name != column}
        formats = {column: "DATE11"}
        pyreadstat.write_sav(frame, T1, variable_value_labels=meta.variable_value_labels, missing_ranges=ranges, variable_format=formats)

    return spoil


def unknown_code_page(data):
    """Take the name of the encoding out of an SPSS file, and put a number that no code page has in its place."""
    return data.replace(struct.pack("<4i", 7, 20, 1, 5) + b"UTF-8", struct.pack("<4i", 7, 99, 1, 5) + b"     ").replace(
        (65001).to_bytes(4, "little"), (99999).to_bytes(4, "little"), 1
    )


def dta(share=1.0):
    def spoil():
        import pyreadstat

        frame, _ = pyreadstat.read_sav(T1, user_missing=True)
        pyreadstat.write_dta(frame.drop(columns="comment"), "data/raw/staff/form.dta")
        cut("data/raw/staff/form.dta", share)()

    return all_of(spoil, source("staff_t1", reader="stata", file="data/raw/staff/form.dta"))


def xpt(*, twice=False, catalog=None):
    def spoil():
        import pyreadstat

        frame, _ = pyreadstat.read_sav(T1, user_missing=True)
        kept = frame[["pid", "lead1"]]
        pyreadstat.write_xport(kept, "data/raw/staff/form.xpt", file_format_version=5)
        data = Path("data/raw/staff/form.xpt").read_bytes()
        content("data/raw/staff/form.xpt", data + data[240:] if twice else data)()
        if catalog is not None:
            Path("data/raw/staff/form.sas7bcat").write_bytes(catalog)

    more = {"options": {"dictionary": "data/raw/staff/form.sas7bcat"}} if catalog is not None else {}
    return all_of(spoil, source("staff_t1", reader="sas", file="data/raw/staff/form.xpt", **more))


def set_cell(place, value):
    def change(sheet):
        sheet[place] = value

    return change


def measure(change):
    return settings("measures.yaml", change)


def within(known, section, name):
    return next(entry for entry in known[section] if entry["id"] == name)


def visits(change):
    return measure(lambda known: change(known["observation"][0]))


CERTIFICATES = "data/raw/observation/certificates.csv"


def certified(*lines, visit=None):
    """Give the visits a list of certified raters; all of them hold a certificate but for the lines given."""
    held = {"K1": "K1,2023-01-01,", "K2": "K2,2023-01-01,", "K3": "K3,2023-01-01,", **{line.split(",")[0]: line for line in lines}}

    def change(instrument):
        named = {"source": "certificates", "certified_on": "certified_on", "expires_on": "expires_on"}
        instrument.update(visit_date="visit_date", certification=named)

    return all_of(
        new_table(CERTIFICATES, "rater,certified_on,expires_on", *[line for line in held.values() if "," in line]),
        new_item("certificates", "certified_on", type="date"),
        new_item("certificates", "expires_on", type="date"),
        source("certificates", instrument="certificates", reader="csv", file=CERTIFICATES, keys={"rater_id": "rater"}, key=[]),
        visits(change),
        *([visit] if visit else []),
    )


def stopped(check):
    return settings("checks.yaml", lambda known: known["severity"].update({check: "stop"}))


def renamed(*lines):
    """Give the ids of people a crosswalk."""

    def change(known):
        known["ids"]["person_id"]["crosswalk"] = "config/ids.csv"

    first = "old_id,new_id,from_wave,source,reason,decided_by"
    return all_of(new_table("config/ids.csv", first, *lines), settings("config.yaml", change))


def network(named):
    spec = {"sources": ["staff_t1"], "nodes": "person", "named": [named]}
    return measure(lambda known: known.update(peer_network=spec))


def mapped(**new):
    return codebook("harmonisation", lambda known: known[0].update(new))


def later_version(name, **new):
    """Give an item of the staff survey a second version from T4 on; the map says nothing of it."""
    plain = {"type": "ordinal", "response_scale": "agree5", "minimum": "1", "maximum": "5", "roles": "director teacher assistant support"}
    return all_of(item(name, waves="T1 T3"), new_item("staff_survey", name, **{**plain, "version": "2", "waves": "T4", **new}))


def indices(name, **new):
    return measure(lambda known: within(known, "fidelity", name).update(new))


def charts(**new):
    return measure(lambda known: known["run_charts"].update(new))


def price(number, **new):
    return measure(lambda known: known["costs"]["prices"][number].update(new))


FAULTS = {
    # --- 1: files as researchers are given them -----------------------------------------------------------------
    "SPSS file cut off": Fault(1, cut(T1), "BSC-SRC-006", (T1,), ("staff_t1",)),
    "SPSS file encrypted": Fault(1, content(T1, b"ENCRYPTEDSAV" + bytes(200)), "BSC-SRC-007", (T1,), ("staff_t1",)),
    "a text file under the name of an SPSS file": Fault(1, content(T1, b"a,b\n1,2\n"), "BSC-SRC-006", (T1,), ("staff_t1",)),
    "SPSS file of an unknown encoding": Fault(1, content(T1, unknown_code_page), "BSC-SRC-040", (T1,), ("staff_t1",)),
    "SPSS texts that are not in their encoding": Fault(1, content(T1, lambda d: d.replace(b"A01-P08", b"A01-P\xe98", 1)), "BSC-SRC-041", (T1,), ("staff_t1",)),
    "SPSS header announces fewer records": Fault(1, content(T1, lambda d: d[:80] + (9).to_bytes(4, "little") + d[84:]), "BSC-SRC-042", (T1,), ("staff_t1",)),
    "SPSS header announces more records": Fault(1, content(T1, lambda d: d[:80] + (10**6).to_bytes(4, "little") + d[84:]), "BSC-SRC-006", (T1,), ("staff_t1",)),
    "SPSS file without records": Fault(1, sav(lambda f: f.iloc[:0]), "BSC-SRC-003", (T1,), ("staff_t1",)),
    "SPSS column renamed": Fault(1, sav(lambda f: f.rename(columns={"lead3": "leader3"})), "BSC-SRC-020", (T1, "lead3", "leader3"), ("staff_t1",)),
    "SPSS column added": Fault(1, sav(lambda f: f.assign(batch=3.0)), "unknown_column", (T1, "batch"), ("staff_t1",)),
    "SPSS answer without a code": Fault(1, sav(put("lead2", 7, 8.0)), "unknown_code", (T1, "column lead2", "row 7"), ("staff_t1",)),
    "SPSS date that does not exist": Fault(1, sav(put("completed_on", 9, "2023-09-31")), "invalid_date", (T1, "column completed_on", "row 9"), ("staff_t1",)),
    "SPSS name in place of a center": Fault(1, sav(put("center", 5, SECRET)), "unknown_center", (T1, "column center_id", "row 5"), ("staff_t1",)),
    "SPSS role without a declared code": Fault(1, sav(put("role", 4, 9.0)), "BSC-SRC-021", (T1, "role", "row 4"), ("staff_t1",)),
    "SPSS date that overflows": Fault(1, overflowing("completed_on"), "invalid_date", (T1, "column completed_on", "row 9"), ("staff_t1",)),
    "Stata file cut off": Fault(1, dta(0.5), "BSC-SRC-006", ("form.dta",), ("staff_t1",)),
    "SAS transport file with two data sets": Fault(1, xpt(twice=True), "BSC-SRC-043", ("form.xpt",), ("staff_t1",)),
    "SAS catalog that is none": Fault(1, xpt(catalog=b"no catalog"), "BSC-SRC-044", ("form.sas7bcat",), ("staff_t1",)),
    "REDCap without a dictionary": Fault(1, source("admin", options=None), "BSC-SRC-008", (ADMIN,), ("admin",)),
    "REDCap records in place of the dictionary": Fault(1, options("admin", dictionary=ADMIN), "BSC-SRC-016", (ADMIN,), ("admin",)),
    "REDCap column that the dictionary lacks": Fault(1, header(ADMIN, "adm_lead2", "adm_led2"), "BSC-SRC-017", (ADMIN, "adm_led2"), ("admin",)),
    "REDCap record twice": Fault(1, repeated(ADMIN, 4), "BSC-SRC-062", (ADMIN, "4"), ("admin",)),
    "REDCap label among codes": Fault(1, cell(ADMIN, 5, "adm_lead2", "Agree"), "BSC-SRC-063", (ADMIN, "adm_lead2"), ("admin",)),
    "REDCap event that the study does not have": Fault(1, cell(ADMIN, 5, "redcap_event_name", "late_arm_1"), "BSC-SRC-021", (ADMIN, "row 5"), ("admin",)),
    "REDCap field described twice": Fault(1, repeated(DICTIONARY, 4), "BSC-SRC-070", (DICTIONARY, "adm_date"), ("admin",)),
    "REDCap answer that branching did not ask": Fault(1, cell(ADMIN, 2, "adm_continue", "1"), "answered_not_shown", (ADMIN, "column adm_continue", "row 2"), ("admin",)),
    "REDCap number beyond its validation": Fault(1, all_of(cell(ADMIN, 6, "adm_vacancies", "44"), item("adm_vacancies", maximum="99")), "form_rule_broken", (ADMIN, "column adm_vacancies", "row 6"), ("admin",)),
    "REDCap words in a number": Fault(1, cell(ADMIN, 6, "adm_vacancies", SECRET), "not_a_number", (ADMIN, "column adm_vacancies", "row 6"), ("admin",)),
    "REDCap box that is neither ticked nor not": Fault(1, cell(ADMIN, 6, "adm_fund___2", "4"), "unknown_code", (ADMIN, "column adm_fund___2", "row 6"), ("admin",)),
    "REDCap box without its column": Fault(1, header(ADMIN, "adm_fund___2", "adm_fund___9"), "BSC-SRC-017", (ADMIN, "adm_fund___9"), ("admin",)),
    "REDCap quotation mark not closed": Fault(1, replaced(ADMIN, "\nA02,t3", '\n"A02,t3'), "BSC-SRC-015", (ADMIN, "line"), ("admin",)),
    "REDCap branching that cannot be read": Fault(1, replaced(DICTIONARY, "[event-name] = 't4_arm_1'", "[event-name] = "), "file_notice", (ADMIN, "adm_continue"), ("admin",)),
    "REDCap record in no data access group": Fault(1, rows(ADMIN, lambda k: [r.insert(2, "" if n == 4 else "redcap_data_access_group" if n == 0 else "north") for n, r in enumerate(k)] and None), "file_notice", (ADMIN, "column redcap_data_access_group", "row 5"), ("admin",)),
    "Qualtrics third header row lost": Fault(1, text(PARENT, lambda t: re.sub(r'\n"\{""ImportId.*', "", t, count=1)), "BSC-SRC-009", (PARENT,), ("parent_t1",)),
    "Qualtrics second export pasted below": Fault(1, text(PARENT, lambda t: t + t.lstrip("\ufeff")), "BSC-SRC-009", (PARENT,), ("parent_t1",)),
    "Qualtrics response twice": Fault(1, repeated(PARENT, 7), "BSC-SRC-062", (PARENT, "7"), ("parent_t1",)),
    "Qualtrics previews among the responses": Fault(1, all_of(source("parent_t1", keep_where=None), cell(PARENT, 8, "Status", "1", encoding="utf-8-sig")), "test_response", (PARENT, "row 8"), ("parent_t1",)),
    "Qualtrics preview dropped by rule": Fault(1, all_of(options("parent_t1", drop=["preview"]), cell(PARENT, 8, "Status", "1")), "dropped_response", (PARENT,), ("parent_t1",)),
    "Qualtrics status in another language": Fault(1, all_of(options("parent_t1", drop=["preview"]), cell(PARENT, 8, "Status", "Vorschau")), "BSC-SRC-066", (PARENT, "Status", "8"), ("parent_t1",)),
    "Qualtrics rules that drop every response": Fault(1, all_of(options("parent_t1", drop=["preview"]), rows(PARENT, lambda k: [r.__setitem__(2, "1") for r in k[3:]] and None)), "BSC-SRC-067", (PARENT,), ("parent_t1",)),
    "Qualtrics question lost": Fault(1, header(PARENT, "Q1_2", "Q1_22"), "BSC-SRC-020", (PARENT, "Q1_2"), ("parent_t1",)),
    "raw file missing": Fault(1, lambda: Path(ATTENDANCE).unlink(), "BSC-SRC-001", (ATTENDANCE,), ("attendance",)),
    "raw file empty": Fault(1, content(ATTENDANCE, b""), "BSC-SRC-001", (ATTENDANCE,), ("attendance",)),
    "text file with a header only": Fault(1, rows(ATTENDANCE, lambda k: k[:1]), "BSC-SRC-003", (ATTENDANCE,), ("attendance",)),
    "text file of another encoding": Fault(1, all_of(cell(ATTENDANCE, 5, "person", "A01-Pé"), content(ATTENDANCE, lambda d: d.replace("é".encode(), b"\xe9"))), "BSC-SRC-002", (ATTENDANCE, "line 5"), ("attendance",)),
    "encoding that does not exist": Fault(1, options("forum", encoding="cp9999"), "BSC-CFG-006", ("sources.yaml", FORUM), ("forum",)),
    "record with a cell too many": Fault(1, rows(ATTENDANCE, lambda k: k[5].append(SECRET)), "BSC-SRC-004", (ATTENDANCE, "line 6"), ("attendance",)),
    "NUL bytes": Fault(1, content(ATTENDANCE, lambda d: d.replace(b"LS1", b"LS\0", 1)), "BSC-SRC-061", (ATTENDANCE,), ("attendance",)),
    "two columns of one name": Fault(1, header(ATTENDANCE, "mode", "role"), "BSC-SRC-005", (ATTENDANCE, "role"), ("attendance",)),
    "delimiter that the file does not have": Fault(1, options("attendance", delimiter=";"), "BSC-SRC-014", (ATTENDANCE,), ("attendance",)),
    "records that two delimiters split alike": Fault(1, new_table(ATTENDANCE, "session,session_date;mode", "LS1,2023-11-28;in_person", "LS2,2024-02-01;online"), "BSC-SRC-060", (ATTENDANCE,), ("attendance",)),
    "decimal comma": Fault(1, cell(COACHING, 3, "minutes", "45,5"), "not_a_number", (COACHING, "column minutes", "row 3"), ("coaching",)),
    "date written otherwise than declared": Fault(1, cell(COACHING, 3, "contact_date", "31.12.2023"), "invalid_date", (COACHING, "column contact_date", "row 3"), ("coaching",)),
    "number out of range": Fault(1, cell(COACHING, 3, "minutes", "900"), "out_of_range", (COACHING, "column minutes", "row 3"), ("coaching",)),
    "condition that cannot be read": Fault(1, source("attendance", keep_where="present >> 'x"), "BSC-SRC-022", ("sources.yaml, keep_where",), ("attendance",)),
    "condition that keeps nothing": Fault(1, source("attendance", keep_where="mode == 'by_post'"), "BSC-SRC-022", (ATTENDANCE,), ("attendance",)),
    "exclusion of a record that is not there": Fault(1, settings("config.yaml", lambda k: k["exclusions"].append({"source": "forum", "row": 9999, "reason": "gone"})), "BSC-SRC-023", (FORUM, "9999"), ("forum",)),
    "repeated columns of another pattern": Fault(1, source("ratings", reshape={"pattern": "^(?P<item>[a-z_]+)_part(?P<segment>[0-9]+)$"}), "BSC-SRC-024", ("sources.yaml, reshape.pattern",), ("ratings",)),
    "Excel file cut off": Fault(1, cut(ACTIONS), "BSC-SRC-010", (ACTIONS,), ("action_plans",)),
    "Excel file with a password": Fault(1, content(ACTIONS, bytes.fromhex("D0CF11E0A1B11AE1") + bytes(600)), "BSC-SRC-011", (ACTIONS,), ("action_plans",)),
    "Excel sheet renamed": Fault(1, workbook(ACTIONS, lambda s: setattr(s, "title", "Sheet1")), "BSC-SRC-012", (ACTIONS, "Sheet1"), ("action_plans",)),
    "Excel formula without a value": Fault(1, workbook(ACTIONS, set_cell("F4", "=1+1")), "BSC-SRC-013", (ACTIONS, "F4"), ("action_plans",)),
    "Excel cells merged among the records": Fault(1, workbook(ACTIONS, lambda s: s.merge_cells("B4:B6")), "BSC-SRC-068", (ACTIONS, "B4:B6"), ("action_plans",)),
    "Excel header merged": Fault(1, workbook(ACTIONS, lambda s: s.merge_cells("D1:E1")), "BSC-SRC-069", (ACTIONS, "D1:E1"), ("action_plans",)),
    "Excel error in a cell": Fault(1, workbook(COSTS, set_cell("D4", "#DIV/0!")), "not_a_number", (COSTS, "column amount", "row 4"), ("costs",)),
    "Excel error in a key": Fault(1, workbook(COSTS, set_cell("A4", "#N/A")), "error_cell", (COSTS, "column center", "row 4"), ("costs",)),
    "Excel row hidden": Fault(1, workbook(ACTIONS, lambda s: setattr(s.row_dimensions[5], "hidden", True)), "file_notice", (ACTIONS, "hidden"), ("action_plans",)),
    "Excel text in a number": Fault(1, workbook(COSTS, set_cell("D4", SECRET)), "not_a_number", (COSTS, "column amount", "row 4"), ("costs",)),
    "coded project cut off": Fault(1, cut("data/raw/interviews/coding_main.qdpx"), "BSC-QUA-001", ("coding_main.qdpx",), ("coding_main",)),
    # --- 2: versions of instruments, and people over waves ------------------------------------------------------
    "wording hash of other words": Fault(2, item("lead1", wording_hash="0123456789abcdef"), "BSC-CFG-084", (ITEMS, "lead1"), ()),
    "version after the wave that uses it": Fault(2, item("peer3", wave="T4", effective_from="2026-01-01"), "BSC-CFG-083", (ITEMS, "peer3"), ()),
    "map to a version that does not exist": Fault(2, mapped(new_version="7"), "BSC-CFG-085", (MAP, "row 2"), ()),
    "map with a rule that does not fit": Fault(2, mapped(rule="recode"), "BSC-CFG-086", (MAP, "row 2"), ()),
    "item reworded without a word of it": Fault(2, all_of(item("peer4", waves="T1 T3"), new_item("staff_survey", "peer4", type="ordinal", response_scale="agree5", minimum="1", maximum="5", waves="T4", wording="Others", roles="teacher")), "wording_changed", (T4, "peer4", "wave T4"), ("staff_t3", "staff_t4")),
    "item reworded and no map": Fault(2, later_version("lead1", wording="Others"), "wording_changed", (T4, "column lead1", "wave T4"), ("staff_t3", "staff_t4")),
    "item rescaled and no map": Fault(2, later_version("lead1", response_scale="agree4", maximum="4"), "response_scale_changed", (T4, "column lead1", "wave T4"), ("staff_t3", "staff_t4")),
    "column of another name in one wave": Fault(2, all_of(statistical(T3, lambda f: f.rename(columns={"lead1": "leader1"})), item("lead1", waves="T1 T4"), new_item("staff_survey", "lead1", type="ordinal", response_scale="agree5", minimum="1", maximum="5", waves="T3", sources="staff_t3", column="leader1")), "renamed_column", (T3, "column leader1"), ("staff_t1", "staff_t3", "staff_t4")),
    "crosswalk that renames in a chain": Fault(2, renamed("A01-P08,A01-P90,,,told,PI", "A01-P90,A01-P91,,,told,PI"), "BSC-SRC-081", ("config/ids.csv", "rows 2 and 3"), ()),
    "crosswalk that renames one id twice": Fault(2, renamed("A01-P08,A01-P90,,,told,PI", "A01-P08,A01-P91,,,told,PI"), "BSC-SRC-082", ("config/ids.csv", "rows 2 and 3"), ()),
    "crosswalk that makes one person of two": Fault(2, renamed("A01-P08,B06-P14,,,told,PI"), "BSC-SRC-083", (T1, "1", "2"), ("staff_t1",)),
    "crosswalk row that renames nobody": Fault(2, renamed("Z99-P99,A01-P08,,,told,PI"), "unused_crosswalk_row", ("config/ids.csv", "row 2"), ("staff_t1",)),
    "two ids that one spelling makes one": Fault(2, sav(lambda f: put("pid", 2, "a01-p08")(f)), "BSC-SRC-080", (T1, "1, 2"), ("staff_t1",)),
    "id in another spelling": Fault(2, sav(lambda f: put("pid", 1, " a01-p08")(f)), "id_spelling_changed", (T1, "person_id", "row 1"), ("staff_t1",)),
    "two forms of one person": Fault(2, sav(lambda f: put("pid", 2, f["pid"][0])(f)), "duplicate_key", (T1, "row 2"), ("staff_t1",)),
    "a wave delivered twice, as two files": Fault(2, source("staff_t1_paper", instrument="staff_survey", reader="spss", file=T1, wave="T1", keys={"person_id": "pid", "center_id": "center"}, key=["person_id", "wave"]), "duplicate_key", ("staff_t1_paper", "row 1"), ("staff_t1", "staff_t1_paper")),
    "raw file that is not the one received": Fault(2, new_table("config/manifest.csv", "file,sha256,bytes,status", f"{COACHING},{'0' * 64},9,current"), "raw_file_changed", (COACHING,), ("coaching",)),
    "person who is not on the roster": Fault(2, sav(lambda f: put("pid", 3, "A01-P99")(f)), "unknown_person", (T1, "column person_id", "row 3"), ("staff_t1",)),
    "form without an id": Fault(2, sav(lambda f: put("pid", 3, "")(f)), "missing_key", (T1, "person_id"), ("staff_t1",)),
    "forms that did not come": Fault(2, rows(ADMIN, lambda k: k[:40]), "missing_expected", (ADMIN, "wave T3"), ("admin",)),
    "file of the wave before": Fault(2, lambda: shutil.copy(T1, T4), "BSC-SRC-020", (T4, "leadership_2"), ("staff_t4",)),
    "form of another year": Fault(2, sav(lambda f: put("completed_on", 9, "1923-09-30")(f)), "date_outside_wave", (T1, "column completed_on", "row 9"), ("staff_t1",)),
    "person in two places on the roster of one wave": Fault(2, rows(ROSTER, lambda k: [*k, [v if c != "center" else "B06" for c, v in zip(k[0], k[4], strict=True)]]), "duplicate_key", (ROSTER, "row"), ("roster",)),
    "center twice in the register": Fault(2, repeated(CENTERS, 3), "duplicate_key", (CENTERS, "row"), ("centers",)),
    "role that the study does not have": Fault(2, cell(ROSTER, 4, "role", "janitor"), "unknown_role", (ROSTER, "column role", "row 4"), ("roster",)),
    "collaborative that the study does not have": Fault(2, cell(CENTERS, 4, "collaborative", "janitor"), "unknown_collaborative", (CENTERS, "column collaborative", "row 4"), ("centers",)),
    "wave that the study does not have": Fault(2, cell(ROSTER, 4, "wave", "T9"), "BSC-SRC-021", (ROSTER, "row 4"), ("roster",)),
    # --- 3: measures, observation, raters -----------------------------------------------------------------------
    "reversed item without a range": Fault(3, item("motiv3", minimum="", maximum="", response_scale=""), "BSC-CFG-201", ("motiv3",), ("staff_t1",), "score_scales"),
    "item of a scale is a text": Fault(3, all_of(item("par2", type="text", minimum="", maximum="", response_scale=""), cell(PARENT, 6, "Q1_2", "maybe")), "BSC-DAT-201", ("par2",), ("parent_t1", "parent_t3", "parent_t4"), "score_scales"),
    "scale of an item that does not exist": Fault(3, codebook("scales", lambda k: k[0].update(items="lead1 lead2 lead3 lead7")), "BSC-CFG-003", ("scales.csv", "lead7"), ()),
    "item of a scale that nobody answered": Fault(3, sav(lambda f: f.assign(lead3=float("nan"))), "unanswered_item", (T1, "lead3"), ("staff_t1",)),
    "one answer throughout": Fault(3, sav(lambda f: f.assign(**{c: [3.0 if n == 5 else v for n, v in enumerate(f[c])] for c in f if re.fullmatch("(lead|motiv|infra|peer|resrc|data|clim)[0-9]", c)})), "straight_lining", (T1, "row 6"), ("staff_t1",)),
    "informants on two ranges": Fault(3, codebook("scales", lambda k: [r.update(high="4") for r in k if r["scale"] == "admin_leadership"] and None), "BSC-CFG-241", ("leadership_gap",), (), "compare_informants"),
    "indicator with an undeclared code": Fault(3, cell(VISITS, 4, "sr2", "maybe"), "unknown_code", (VISITS, "column sr2", "row 4"), ("observation",)),
    "indicator of three values": Fault(3, all_of(item("sr2", type="integer", response_scale="", maximum="3"), cell(VISITS, 4, "sr2", "3")), "BSC-DAT-203", ("part routines, item sr2",), ("observation",), "score_observation"),
    "visit without an id": Fault(3, cell(VISITS, 4, "visit_id", ""), "BSC-KEY-201", ("observation", "row 4"), ("observation",), "score_observation"),
    "one visit in two rooms": Fault(3, rows(VISITS, lambda k: k[3].__setitem__(0, k[4][0]) or k[3].__setitem__(k[0].index("rater"), "K9")), "BSC-KEY-202", ("observation", "rows 4, 5"), ("observation",), "score_observation"),
    "visit and rater twice": Fault(3, repeated(VISITS, 4), "duplicate_key", (VISITS, "row"), ("observation",)),
    "order of averages without raters": Fault(3, measure(lambda k: k["observation"][1].update(average_order=["items", "visits"])), "BSC-CFG-203", (MEASURES, "average_order", "rater_id"), ("ratings",), "score_observation"),
    "rating beyond the manual": Fault(3, cell(RATINGS, 4, "warmth_seg2", "11"), "unknown_code", (RATINGS, "column warmth_seg2", "row 4"), ("ratings",)),
    "rating without a rater": Fault(3, cell(RATINGS, 4, "rater", ""), "missing_key", (RATINGS, "column rater_id"), ("ratings",)),
    "rater on no list, where that stops the study": Fault(3, all_of(certified("K1"), stopped("uncertified_rater")), "BSC-DAT-001", ("uncertified_rater", VISITS, "column rater_id", "2"), ("observation", "certificates"), "score_observation"),
    "rater on no list": Fault(3, certified("K1"), "uncertified_rater", (VISITS, "column rater_id", "row 2"), ("observation", "certificates")),
    "visit before the certificate": Fault(3, certified("K1,2023-10-21,", visit=cell(VISITS, 2, "visit_date", "2023-10-20")), "uncertified_rater", (VISITS, "column rater_id", "row 2"), ("observation", "certificates")),
    "visit after the certificate ended": Fault(3, certified("K1,2023-01-01,2023-09-30"), "uncertified_rater", (VISITS, "column rater_id", "row 2"), ("observation", "certificates")),
    "visit without a date": Fault(3, certified(visit=cell(VISITS, 2, "visit_date", "")), "uncertified_rater", (VISITS, "column rater_id", "row 2"), ("observation", "certificates")),
    "date of a visit that is none": Fault(3, all_of(visits(lambda i: i.update(visit_date="visit_date", drift_by="month")), item("visit_date", type="text"), cell(VISITS, 2, "visit_date", "soon")), "BSC-DAT-260", ("source observation", "row 2", "column visit_date"), ("observation",), "score_observation"),
    "no primary rater": Fault(3, visits(lambda i: i.update(double_coded="primary", primary_rater={"order": ["K9"]})), "BSC-KEY-260", ("practice_indicators", "rows"), ("observation",), "score_observation"),
    "condition of the primary rater": Fault(3, visits(lambda i: i.update(double_coded="primary", primary_rater={"where": "rater_rol == 'x'"})), "BSC-CFG-260", (MEASURES, "practice_indicators"), ("observation",), "score_observation"),
    # --- 4: fidelity and improvement ----------------------------------------------------------------------------
    "month named twice": Fault(4, repeated(METRICS, 5), "duplicate_key", (METRICS, "row"), ("metrics",)),
    "more families reached than there are": Fault(4, cell(METRICS, 7, "numerator", "900"), "more_than_all", (METRICS, "row 7"), ("metrics",)),
    "numerator above its denominator": Fault(4, cell(METRICS, 7, "numerator", "900"), "BSC-DAT-280", ("metric", "row 7"), ("metrics",), "build_run_charts"),
    "month that is none": Fault(4, cell(METRICS, 6, "month", "Nov 23"), "BSC-DAT-281", ("source metrics, column month", "row 6"), ("metrics",), "build_run_charts"),
    "centre line in two ways": Fault(4, measure(lambda k: k["run_charts"]["metrics"][0].update(freeze_until="2024-03", phases=[{"start": "2024-01", "label": "Later"}])), "BSC-CFG-280", (MEASURES, "challenging_behavior"), ("metrics",), "build_run_charts"),
    "charts marked by a column that is not there": Fault(4, charts(annotations=[{"label": "Learning session", "source": "attendance", "date": "sesion_date"}]), "BSC-CFG-281", (MEASURES, "sesion_date"), ("metrics",), "build_run_charts"),
    "charts marked by sessions of which some are not known": Fault(4, cell(ATTENDANCE, 6, "center", SECRET), "BSC-DAT-001", ("unknown_center", ATTENDANCE, "row 6"), ("attendance",), "build_run_charts"),
    "element without a weight": Fault(4, measure(lambda k: k["elements"][1].pop("weight")), "BSC-CFG-282", (MEASURES, "inclusive_teams"), (), "score_elements"),
    "element of an index without a direction": Fault(4, indices("coaching_minutes", better="none"), "BSC-CFG-283", (MEASURES, "coaching_minutes"), (), "score_elements"),
    "composite of shares from a count": Fault(4, measure(lambda k: k["composite"].update(scale="share")), "BSC-CFG-284", (MEASURES, "present_each_session"), (), "score_elements"),
    "condition of an index": Fault(4, indices("attendance_rate", where="presnt == 1"), "BSC-CFG-204", (MEASURES, "attendance_rate"), ("attendance",), "score_fidelity"),
    "index of a text": Fault(4, indices("coaching_minutes", column="mode"), "BSC-CFG-205", (MEASURES, "coaching_minutes"), ("coaching",), "score_fidelity"),
    "more months than there were": Fault(4, indices("months_reported", expected=3), "BSC-CFG-206", (MEASURES, "months_reported"), ("metrics",), "score_fidelity"),
    "index of an index that stands after it": Fault(4, indices("posts_per_member_month", indices=["forum_posts", "engagement_index"]), "BSC-CFG-207", (MEASURES, "posts_per_member_month"), (), "score_fidelity"),
    "attendance by a column that is not there": Fault(4, measure(lambda k: k["attendance"].update(mode="mood")), "BSC-CFG-285", (MEASURES, "mood"), ("attendance",), "count_attendance"),
    "attendance that is neither 1 nor 0": Fault(4, all_of(item("present", type="integer", response_scale="", maximum="9"), cell(ATTENDANCE, 6, "present", "7")), "BSC-DAT-284", ("source attendance, item present", "row 6"), ("attendance",), "count_attendance"),
    "attendance in a way that is not declared": Fault(4, cell(ATTENDANCE, 6, "mode", SECRET), "unknown_code", (ATTENDANCE, "column mode", "row 6"), ("attendance",)),
    "person twice at one session": Fault(4, repeated(ATTENDANCE, 3), "duplicate_key", (ATTENDANCE, "row"), ("attendance",)),
    "attendance of a center outside the study": Fault(4, cell(ATTENDANCE, 6, "center", SECRET), "unknown_center", (ATTENDANCE, "row 6"), ("attendance",)),
    "cost without a price": Fault(4, measure(lambda k: k["costs"]["prices"].pop(2)), "BSC-CFG-287", (MEASURES, "travel"), ("costs",), "price_costs"),
    "price above its highest": Fault(4, price(0, low=30), "BSC-CFG-288", (MEASURES, "staff_time"), ("costs",), "price_costs"),
    "costs by a column that is not there": Fault(4, price(0, quantity="hour"), "BSC-CFG-286", (MEASURES, "hour"), ("costs",), "price_costs"),
    "hours below 0": Fault(4, all_of(item("hours", minimum=""), workbook(COSTS, set_cell("C2", -5))), "BSC-DAT-282", ("source costs", "row 2"), ("costs",), "price_costs"),
    "cost line of no center": Fault(4, workbook(COSTS, set_cell("A3", None)), "BSC-DAT-283", ("source costs", "row 3"), ("costs",), "price_costs"),
    "cost line of an unknown kind": Fault(4, workbook(COSTS, set_cell("B3", SECRET)), "unknown_code", (COSTS, "column category", "row 3"), ("costs",)),
    "costs divided by an index of people": Fault(4, measure(lambda k: k["costs"]["per"][0].update(index="person_attendance")), "BSC-CFG-293", (MEASURES, "person_attendance"), ("costs",), "price_costs"),
    "network of an item that is not there": Fault(4, network("turns_to"), "BSC-CFG-289", (MEASURES, "turns_to"), ("staff_t1",), "map_peer_network"),
    "reported item that is no yes or no": Fault(4, measure(lambda k: k["reported"][1]["items"][0].pop("at_least")), "BSC-CFG-290", (MEASURES, "tech1"), (), "count_reports"),
    "reported item on two response scales": Fault(4, measure(lambda k: k["reported"][1]["items"][0].update(at_least=4)), "BSC-CFG-291", (MEASURES, "tech1"), (), "count_reports"),
    "reported by a group that does not exist": Fault(4, measure(lambda k: k["reported"][1].update(by=["moon"])), "BSC-CFG-292", (MEASURES, "moon"), (), "count_reports"),
    "PDSA date that is none": Fault(4, workbook(PDSA, set_cell("C4", "soon")), "invalid_date", (PDSA, "column started", "row 4"), ("pdsa",)),
    "PDSA decision that is not declared": Fault(4, workbook(PDSA, set_cell("G5", SECRET)), "unknown_code", (PDSA, "column decision", "row 5"), ("pdsa",)),
    "PDSA cycle twice": Fault(4, workbook(PDSA, set_cell("A4", "C001")), "duplicate_key", (PDSA, "row 4"), ("pdsa",)),
    "action plan twice": Fault(4, workbook(ACTIONS, lambda s: set_cell("A5", s["A4"].value)(s)), "duplicate_key", (ACTIONS, "row 5"), ("action_plans",)),
    "forum post without a center": Fault(4, cell(FORUM, 4, "center", "", **SEMICOLON), "missing_key", (FORUM, "column center_id"), ("forum",)),
    "coaching contact of an unknown center": Fault(4, cell(COACHING, 4, "center", "Z99"), "unknown_center", (COACHING, "row 4"), ("coaching",)),
}  # fmt: skip


def is_found(fault, found):
    """Whether the code is said of the place, and, for an error, nothing but it."""
    told = [where for code, where in found if code == fault.code]
    return any(all(re.search(re.escape(part) + r"(?!\w)", where) for part in fault.place) for where in told)


def spoken(said, fault):
    """Return what a message must not hold: the planted value, an id of a person or a center."""
    said = re.sub(r"config/\S+|data/\S+", "", said)
    return re.findall(
        rf"{SECRET}|\b[ABCZ]\d\d(?:-P\w+)?\b|by_post|Vorschau|janitor|late_arm|maybe|Nov 23|1923-|\b900\b", said, re.IGNORECASE
    )


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(ROOT)
        return sound_base(ROOT, tmp_path_factory.mktemp("sound") / "base")


@pytest.fixture
def delivery(tmp_path, monkeypatch):
    for part in ("config", "data/raw"):
        shutil.copytree(ROOT / part, tmp_path / part)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_named_at_its_place(name, base, delivery):
    fault = FAULTS[name]
    fault.spoil()
    found, said = outcome(delivery, fault.sources, base, fault.step)
    assert is_found(fault, found), found
    assert not spoken(said, fault)


@pytest.mark.parametrize("name", ["item reworded and no map", "item rescaled and no map"])
def test_waves_across_a_changed_item_are_compared_nowhere_without_a_map(name, base, delivery):
    FAULTS[name].spoil()
    study = load_study(Path("config"))
    scores = read_table(base / "scores.csv").query("scale in ['leadership_buy_in', 'climate']")
    people = scores[scores["scale"] == "leadership_buy_in"].rename(columns={"score": "leadership_buy_in"})
    spec = {"id": "m", "outcome": "leadership_buy_in", "unit": "person", "formula": "score ~ wave + (1 | center)"}
    (reason,) = model_comparability(spec, {"person": people}, study).refusals
    shown = descriptives.build({"measures/scores": scores}, Context("T3", config=study))
    told = shown.notes["Not comparable between waves"]
    assert told.startswith("Leadership buy-in: lead1 between T1 and T4: ") and reason.endswith(told.partition(": ")[2])
    drawn = [axis.get_title(loc="left").replace("\n", " ") for axis in shown.figure.axes if axis.get_visible()]
    assert drawn == ["Stress and supportive climate"]
    step = {
        "instrument": "staff_survey",
        "item": "lead1",
        "version": "1",
        "new_version": "2",
        "reason": "read to six",
        "decided_by": "team",
    }
    rule = "identity" if "reworded" in name else "linear"
    codebook("harmonisation", lambda known: [*known, {**step, "rule": rule, "decided_on": "2025-07-14"}])()
    codebook("scales", lambda known: [row.update(high="") for row in known if row["scale"] == "leadership_buy_in"] and None)()
    mapped_study = load_study(Path("config"))
    found = model_comparability(spec, {"person": people}, mapped_study)
    shown = descriptives.build({"measures/scores": scores}, Context("T3", config=mapped_study))
    assert not found.refusals and "read to six" in found.flags[0] and "read to six" in shown.notes["Harmonised"]
    assert "Not comparable between waves" not in shown.notes


def test_the_table_holds_the_faults_of_every_section():
    by_section = {section: sum(fault.section == section for fault in FAULTS.values()) for section in (1, 2, 3, 4)}
    print(f"\ninjected faults by section: {by_section}, {len(FAULTS)} in all")
    assert len(FAULTS) >= 60 and min(by_section.values()) >= 12


def test_a_sound_delivery_has_none_of_them(base, delivery):
    found, said = outcome(delivery, ("staff_t1", "admin", "parent_t1", "observation", "costs", "metrics"), base)
    assert found == [] and said == ""


@pytest.mark.parametrize("check", sorted(set(REGISTRY) - {"excluded_record"}))
def test_a_step_refuses_what_the_gate_refuses(check, base, delivery):
    """A check set to stop ends every step that scores a source it finds something in, by the step's own inputs alone."""
    fault = next((fault for fault in FAULTS.values() if fault.code == check), None)
    if fault:
        fault.spoil()
    settings("checks.yaml", lambda known: known.update(tolerated=[t for t in known["tolerated"] if t["check"] != check]))()
    stopped(check)()
    said = refusals(delivery, fault.sources if fault else (), base, check)
    assert said and all(re.search(rf"\b{check} \(", text) for text in said.values()), said
