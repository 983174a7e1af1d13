"""REDCap exports: branching logic, events, repeating forms, labels and validation, against the dictionary and a plain second read."""

import itertools
import random

import numpy as np
import pandas as pd
import pytest

from bscstudy.checks.quality import run_checks
from bscstudy.checks.registry import Source
from bscstudy.errors import BscError
from bscstudy.io import redcap
from bscstudy.io.ingest import ingest
from bscstudy.io.inventory import files_of
from bscstudy.io.readers import read_source
from bscstudy.io.redcap_branching import NotEvaluated, Reference, judge, parse_logic, references_of

SECRET = "Magdalena"
HEADER = (
    "field_name,form_name,field_type,field_label,select_choices_or_calculations,text_validation_type_or_show_slider_number,"
    "text_validation_min,text_validation_max,branching_logic,field_annotation\n"
)
FIELDS = HEADER + (
    "record_id,start,text,Record,,,,,,\n"
    'sex,start,radio,Sex,"0, Female | 1, Male",,,,,\n'
    "births,start,text,Births,,integer,0,20,[sex] = '0',\n"
    'help,start,checkbox,Help,"1, Coach | 2, Peers",,,,"[births] > 0",\n'
    "help_who,start,text,Who,,,,,[help(2)] = '1',\n"
    "secret,start,text,Secret,,,,,,@HIDDEN\n"
    "visit_ok,visit,yesno,Done,,,,,\"[baseline_arm_1][sex] = '0'\",\n"
    "visit_day,visit,text,Day,,date_dmy,,,,\n"
    "later,visit,text,Later,,,,,\"datediff([visit_day], 'today', 'd') > 3\",\n"
    "dose,drug,text,Dose,,number,,,[sex] = '1',\n"
)
ROWS = (
    "record_id,redcap_event_name,redcap_repeat_instrument,redcap_repeat_instance,redcap_data_access_group,sex,births,help___1,help___2,help_who,"
    "secret,start_complete,visit_ok,visit_day,later,visit_complete,dose,drug_complete\n"
)
RECORDS = ROWS + (
    "1,baseline_arm_1,,,north,0,2,0,1,,,2,,,,,,\n"  # female, two births: help asked, `help_who` left blank
    "1,visit_arm_1,,,north,,,,,,,,,2024-05-01,,2,,\n"  # `visit_ok` shown and left blank
    "1,visit_arm_1,drug,1,north,,,,,,,,,,,,,2\n"  # `dose` belongs to the base row's sex at this event: not there
    "2,baseline_arm_1,,,north,1,,0,0,,,2,,,,,,\n"  # male: `births` and `help` not asked
    "2,visit_arm_1,,,,,,,,,,,,,,0,,\n"
    "3,baseline_arm_1,,,south,0,,0,0,,,2,,,,,,\n"  # female, births left blank, therefore help not asked
    "4,baseline_arm_1,,,south,,,0,0,,,0,,,,,,\n"  # never opened
)
#: what REDCap documents, and what is named instead of evaluated
LOGICS = [
    ("[a] = '1'", {"a": "1"}, True),
    ("[a] = '1'", {"a": "1.0"}, True),
    ("[a]='1'", {"a": ""}, False),
    ("[a] <> ''", {"a": ""}, False),
    ('[a] != "1"', {"a": ""}, True),
    ("[n] > 3", {"n": "10"}, True),
    ("[n] < 3", {"n": ""}, False),
    ("[a] < 3", {"a": ""}, None),
    ("[a] = 0", {"a": ""}, None),
    ("[a] = '0'", {"a": ""}, False),
    ("[a] >= '2024-01-31'", {"a": "2024-02-01"}, True),
    ("[a] > 'b'", {"a": "c"}, None),
    ("[a] = '1' or [b] = '1'", {"a": "1", "b": None}, True),
    ("[a] = '1' and [b] = '1'", {"a": "1", "b": None}, None),
    ("[a] = '2' AND [b] = '1'", {"a": "1", "b": None}, False),
    ("[a] = '2' or [b] = '1' and [a] = '1'", {"a": "1", "b": "1"}, True),
    ("([a] = '2' or [b] = '1') && [a] = '2'", {"a": "1", "b": "1"}, False),
    ("[n] = -1", {"n": "-1"}, True),
    ("// a remark\n[a] = '1'", {"a": "1"}, True),
]
NAMED = [
    ("datediff([a], [b], 'd') > 3", "the function datediff"),
    ("sum([a], [b]) > 3", "the function sum"),
    ("[a] + 1 = 2", "arithmetic"),
    ("[a] -1 = 2", "arithmetic"),
    ("[a]", "a field without comparison"),
    ("[dose][2] = '1'", "an instance"),
    ("[current-instance] = '1'", "the smart variable current-instance"),
    ("[first-event-name][a] = '1'", "the smart variable first-event-name"),
    ("([a] = '1'", "unreadable logic"),
    ("[a] = '1' [b] = '2'", "unreadable logic"),
    ("(" * 5000, "unreadable logic"),
]


def write(folder, name, content):
    (folder / name).write_text(content, encoding="utf-8")
    return folder / name


@pytest.fixture
def project(tmp_path):
    return write(tmp_path, "records.csv", RECORDS), write(tmp_path, "dictionary.csv", FIELDS)


def refused(code, records, **options):
    with pytest.raises(BscError) as caught:
        redcap.read(records, options)
    assert caught.value.code == code and SECRET not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(("text", "values", "expected"), LOGICS)
def test_logic_is_judged_as_redcap_does_or_not_at_all(text, values, expected):
    logic = parse_logic(text)
    assert judge(logic, {Reference(name): value for name, value in values.items()}, frozenset({"n"})) is expected


@pytest.mark.parametrize(("text", "named"), NAMED)
def test_what_is_not_evaluated_is_named(text, named):
    with pytest.raises(NotEvaluated, match=named):
        parse_logic(text)


def test_random_logics_agree_with_python():
    """Property: trees of comparisons, and, or and parentheses mean what the same text means in Python."""
    rng = random.Random("branching")

    def piece(depth):
        if depth == 0 or rng.random() < 0.3:
            name, sign, code = rng.choice("abc"), rng.choice(["=", "<>"]), rng.choice(["", "1", "2"])
            return f"[{name}] {sign} '{code}'", f"{name} {'==' if sign == '=' else '!='} '{code}'"
        joined = rng.choice(["and", "or"])
        left, right = piece(depth - 1), piece(depth - 1)
        opened, closed = ("(", ")") if rng.random() < 0.5 else ("", "")
        return tuple(f"{opened}{one} {joined} {two}{closed}" for one, two in zip(left, right, strict=True))

    for _ in range(200):
        text, same = piece(3)
        logic = parse_logic(text)
        for values in itertools.product(["", "1", "2"], repeat=3):
            named = dict(zip("abc", values, strict=True))
            assert judge(logic, {ref: named[ref.field] for ref in references_of(logic)}) is eval(same, {}, named), text


def test_blanks_know_whether_the_form_showed_the_question(project):
    records, dictionary = project
    table = redcap.read(records, {"dictionary": dictionary})
    lines = {name: table.rows[flags].tolist() for name, flags in table.not_asked.items()}
    assert lines["births"] == [3, 4, 5, 6, 8], "male, the other events, and sex left blank"
    assert lines["help___2"] == [3, 4, 5, 6, 7, 8] and lines["help_who"] == [3, 4, 5, 6, 7, 8]
    assert lines["secret"] == list(range(2, 9)), "a hidden field is never asked"
    assert lines["visit_ok"] == [2, 4, 5, 6, 7, 8], "by the sex of the other event"
    assert table.frame["help___1"].tolist() == ["0", "", "", "", "", "", ""], "an unticked box that nobody saw is no answer"
    assert table.provenance["branching_not_evaluated"] == {"the function datediff": 1}
    assert table.provenance["unticked_boxes_of_unopened_forms"] == 2 and table.provenance["n_records"] == 4
    said = [(n.check, n.column, n.rows, n.n) for n in table.notices if n.column]
    assert ("file_notice", "redcap_data_access_group", (6,), 1) in said
    assert ("file_notice", "later", (), 2) in said, "two blanks of the logic that is not evaluated"


def test_other_events_repeating_forms_and_designated_forms(tmp_path, project):
    records, dictionary = project
    events = write(tmp_path, "events.csv", "event_name,arm_num,unique_event_name\nBaseline,1,baseline_arm_1\nVisit,1,visit_arm_1\n")
    asked = write(
        tmp_path, "forms.csv", "arm_num,unique_event_name,form\n1,baseline_arm_1,start\n1,visit_arm_1,visit\n1,visit_arm_1,drug\n"
    )
    options = {"dictionary": dictionary, "events": events, "form_events": asked}
    table = redcap.read(records, options)
    assert table.provenance["forms_taken_as_not_asked"] == [] and table.levels["redcap_event_name"]["visit_arm_1"] == "Visit"
    assert table.rows[table.not_asked["visit_ok"]].tolist() == [2, 4, 5, 6, 7, 8], "record 2 is male at baseline"
    assert table.rows[table.not_asked["dose"]].tolist() == [2, 3, 4, 5, 6, 7, 8], "sex is of another event and blank here"
    source = {"reader": "redcap", "file": "records.csv", "options": {"events": "events.csv", "dictionary": "dictionary.csv"}}
    assert files_of(source) == ["records.csv", "dictionary.csv", "events.csv"]
    assert read_source([tmp_path / file for file in files_of(source)], source).levels["redcap_event_name"]
    write(tmp_path, "events.csv", "event_name,arm_num,unique_event_name\nBaseline,1,baseline_arm_1\n")
    assert "visit_arm_1" not in refused("BSC-SRC-065", records, **options)
    assert "line 3, column 'redcap_event_name'" in refused("BSC-SRC-064", records, dictionary=dictionary, events=events)
    arms = write(tmp_path, "arms.csv", "arm_num,name\n2,Other\n")
    assert "an arm that" in refused("BSC-SRC-065", records, dictionary=dictionary, events=events, arms=arms)


def test_a_repeating_row_reads_the_base_row_of_its_event(tmp_path):
    fields = HEADER + "id,base,text,Id,,,,,,\nsmokes,base,yesno,Smokes,,,,,,\nhow_much,log,text,How much,,integer,,,[smokes] = '1',\n"
    head = "id,redcap_repeat_instrument,redcap_repeat_instance,smokes,base_complete,how_much,log_complete\n"
    records = write(tmp_path, "r.csv", head + "1,,,1,2,,\n1,log,1,,,5,2\n1,log,2,,,,2\n2,,,0,2,,\n2,log,1,,,,2\n2,log,2,,,7,2\n")
    table = redcap.read(records, {"dictionary": write(tmp_path, "d.csv", fields)})
    assert table.rows[table.not_asked["how_much"]].tolist() == [2, 5, 6, 7]
    assert [(n.column, n.rows) for n in table.notices if n.check == "answered_not_shown"] == [("how_much", (7,))]
    assert table.provenance["rows_of_repeating_forms"] == {"log": 4}
    write(
        tmp_path,
        "r.csv",
        "id,redcap_repeat_instrument,redcap_repeat_instance,smokes,base_complete,how_much,log_complete\n1,,,1,2,,\n2,,,0,2,,\n",
    )
    empty = redcap.read(records, {"dictionary": tmp_path / "d.csv"})
    assert empty.not_asked["how_much"].all() and empty.provenance["forms_taken_as_not_asked"] == ["log"], "repeating, without data"


def test_the_same_field_at_another_event_and_a_repeating_form_read_from_outside(tmp_path):
    fields = HEADER + "id,f,text,Id,,,,,,\nill,f,yesno,Ill,,,,,,\nagain,f,text,Again,,,,,[t1_arm_1][ill] = '1',\n"
    fields += "visits,f,text,Visits,,,,,[length] > 3,\nlength,log,text,Length,,number,,,,\n"
    head = "id,redcap_event_name,redcap_repeat_instrument,redcap_repeat_instance,ill,again,visits,f_complete,length,log_complete\n"
    body = "1,t1_arm_1,,,1,,,2,,\n1,t1_arm_1,log,1,,,,,5,2\n1,t2_arm_1,,,0,,,2,,\n2,t1_arm_1,,,0,,,2,,\n2,t2_arm_1,,,1,,,2,,\n"
    table = redcap.read(write(tmp_path, "r.csv", head + body), {"dictionary": write(tmp_path, "d.csv", fields)})
    assert table.rows[table.not_asked["again"]].tolist() == [3, 5, 6], "by what was said at the first event"
    assert table.rows[table.not_asked["visits"]].tolist() == [3, 4, 6], "not known at the first event, where the other form repeats"
    assert [(n.column, n.n) for n in table.notices if "not known" in n.message] == [("visits", 2)]


def test_semicolons_and_labels_give_the_same_table(tmp_path, project):
    records, dictionary = project
    plain = redcap.read(records, {"dictionary": dictionary})
    write(tmp_path, "records.csv", RECORDS.replace(",", ";"))
    pd.testing.assert_frame_equal(redcap.read(records, {"dictionary": dictionary}).frame, plain.frame)
    frame = pd.read_csv(dictionary.parent / "records.csv", dtype=str, keep_default_na=False, sep=";")
    names = {"sex": {"0": "Female", "1": "Male"}, "visit_ok": {"1": "Yes", "0": "No"}}
    names |= dict.fromkeys(("help___1", "help___2"), {"0": "Unchecked", "1": "Checked"})
    names |= {f"{form}_complete": {"0": "Incomplete", "1": "Unverified", "2": "Complete"} for form in ("start", "visit", "drug")}
    labelled = frame.assign(**{name: frame[name].map(lambda cell, known=known: known.get(cell, cell)) for name, known in names.items()})
    labelled["redcap_repeat_instrument"] = labelled["redcap_repeat_instrument"].str.title()
    labelled.to_csv(records, index=False)
    back = redcap.read(records, {"dictionary": dictionary})
    pd.testing.assert_frame_equal(back.frame, plain.frame)
    assert back.provenance["columns_with_labels"] == 7
    labelled.loc[0, "sex"] = "0"
    labelled.to_csv(records, index=False)
    assert "line 2, column 'sex'" in refused("BSC-SRC-063", records, dictionary=dictionary)
    write(tmp_path, "records.csv", f"Record,Sex,Births,Who,Done\n1,Female,2,{SECRET},Yes\n")
    assert "column names" in refused("BSC-SRC-063", records, dictionary=dictionary)


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        (("2,baseline", "1,baseline"), "BSC-SRC-062", "line 5"),
        ((",drug,1,", ",drug,x,"), "BSC-SRC-064", "line 4, column 'redcap_repeat_instance'"),
        ((",drug,1,", ",drugs,1,"), "BSC-SRC-064", "column 'redcap_repeat_instrument'"),
        (("2,visit_arm_1", "2,"), "BSC-SRC-064", "line 6, column 'redcap_event_name'"),
        (("3,baseline", ",baseline"), "BSC-SRC-064", "line 7, column 'record_id'"),
        (("record_id,", f"{SECRET},"), "BSC-SRC-017", "number 1"),
    ],
)
def test_records_that_were_edited_are_refused(tmp_path, project, change, code, said):
    records, dictionary = project
    write(tmp_path, "records.csv", RECORDS.replace(*change))
    assert said in refused(code, records, dictionary=dictionary)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (("births,start", "sex,start"), "BSC-SRC-070"),
        (("0, Female | 1, Male", "1, Female | 1, Male"), "BSC-SRC-070"),
        (("start,radio", "start,rodio"), "BSC-SRC-016"),
        (("sex,start", "Sex of child,start"), "BSC-SRC-016"),
    ],
)
def test_a_dictionary_that_contradicts_itself_is_refused(tmp_path, project, change, code):
    records, dictionary = project
    write(tmp_path, "dictionary.csv", FIELDS.replace(*change))
    refused(code, records, dictionary=dictionary)


def test_validation_is_reported_by_row_and_never_twice(tmp_path):
    kinds = {"day": "date_mdy", "n": "integer", "x": "number_2dp", "mail": "email", "when": "datetime_ymd", "odd": "vmrn"}
    fields = HEADER + "id,f,text,Id,,,,,,\n" + "".join(f"{name},f,text,{name},,{kind},,,,\n" for name, kind in kinds.items())
    fields += 'stress,f,radio,Stress,"1, low | 2, high",,,,,\nage,f,text,Age,,integer,18,99,,\nsince,f,text,Since,,date_ymd,2020-01-01,,,\n'
    head = "id,day,n,x,mail,when,odd,stress,age,since,f_complete\n"
    good = "1,2024-02-29,-3,1.50,a@b.org,2024-01-01 23:59,?,2,18,2020-01-01,2\n"
    bad = "2,2023-02-29,3.0,1.5,a@b,2024-01-01,?,3,17,2019-12-31,2\n"
    missing = "3,,,,,,,-97,,,2\n"
    records = write(tmp_path, "r.csv", head + good + bad + missing)
    table = redcap.read(records, {"dictionary": write(tmp_path, "d.csv", fields)})
    broken = {(n.column, row) for n in table.notices if n.check == "form_rule_broken" for row in n.rows}
    assert broken == {(name, 3) for name in ("day", "n", "x", "mail", "when", "stress", "age", "since")} | {("stress", 4)}
    assert table.provenance["validation_not_judged"] == {"vmrn": 1}
    items = [{"instrument": "i", "item": "stress", "label": "Stress", "type": "ordinal", "minimum": 1, "maximum": 2, "version": None}]
    empty = {"ids": {}, "exclusions": [], "response_scales": [], "recodes": [], "waves": []}
    codes = [{"instrument": "i", "item": "", "code": "-97", "reason": "refused"}]
    source = {"id": "s", "instrument": "i", "reader": "redcap", "file": "r.csv", "keys": {"person_id": "id"}}
    found = ingest(table, source, {**empty, "items": items, "missing_codes": codes})
    told = {(e["column"], e["row"]) for e in found.extra["notices"] if e["check"] == "form_rule_broken"}
    assert told == broken - {("stress", 3), ("stress", 4)}, "the codebook has judged the two cells of stress itself"
    quality = run_checks(
        {"s": Source("s", found.frame, source, found.extra)}, {"register": {"centers": "none"}, "items": items, "waves": []}
    )
    summary = quality.summary.set_index("check")["n"]
    assert summary["form_rule_broken"] == 7 and summary["out_of_range"] == 1


def test_blanks_of_an_ingested_item_are_skipped_or_not_asked(project):
    records, dictionary = project
    item = {"instrument": "i", "minimum": None, "maximum": None, "version": None}
    items = [
        {**item, "item": "births", "label": "Births", "type": "integer"},
        {**item, "item": "help___1", "label": "Coach", "type": "yes_no"},
    ]
    sections = {"ids": {}, "exclusions": [], "response_scales": [], "recodes": [], "waves": [], "missing_codes": [], "items": items}
    source = {"id": "s", "instrument": "i", "reader": "redcap", "file": "r.csv", "keys": {"person_id": "record_id"}}
    source["keep_where"] = "redcap_event_name == 'baseline_arm_1'"
    frame = ingest(redcap.read(records, {"dictionary": dictionary}), source, sections).frame.set_index("person_id")
    assert frame["births__why"].fillna("").to_dict() == {"1": "", "2": "not_asked", "3": "skipped", "4": "not_asked"}
    assert frame["help___1"].fillna(-1).tolist() == [0, -1, -1, -1] and set(frame["help___1__why"].dropna()) == {"not_asked"}


def test_wide_projects_are_reshaped_with_what_was_not_asked(tmp_path):
    fields = HEADER + "id,f,text,Id,,,,,,\n"
    fields += "".join(f"seen_{n},f,yesno,Seen,,,,,,\nrate_{n},f,text,Rate,,integer,,,[seen_{n}] = '1',\n" for n in (1, 2))
    records = write(tmp_path, "r.csv", "id,seen_1,rate_1,seen_2,rate_2,f_complete\n7,1,,0,,2\n8,1,4,1,5,2\n")
    table = redcap.read(records, {"dictionary": write(tmp_path, "d.csv", fields)})
    item = {"instrument": "i", "minimum": None, "maximum": None, "version": None}
    items = [{**item, "item": "seen", "label": "Seen", "type": "yes_no"}, {**item, "item": "rate", "label": "Rate", "type": "integer"}]
    sections = {"ids": {}, "exclusions": [], "response_scales": [], "recodes": [], "waves": [], "missing_codes": [], "items": items}
    source = {"id": "s", "instrument": "i", "reader": "redcap", "file": "r.csv", "keys": {"person_id": "id"}}
    source["reshape"] = {"pattern": r"(?P<item>[a-z]+)_(?P<segment>\d)"}
    frame = ingest(table, source, sections).frame
    assert frame["rate__why"].fillna("").tolist() == ["skipped", "", "not_asked", ""] and frame["segment"].tolist() == ["1", "1", "2", "2"]


def own_read(folder):
    frame = pd.read_csv(folder / "data.csv", dtype=str, keep_default_na=False)
    return frame, pd.read_csv(folder / "dictionary.csv", dtype=str, keep_default_na=False)


@pytest.mark.parametrize("name", ["checkboxes-1", "longitudinal", "repeating-instruments"])
def test_reference_projects_read_as_their_dictionary_says(reference_folder, name):
    """Every column of the records is described, every cell is that of a plain read, and nothing breaks a rule of its form."""
    folder = reference_folder / "exports" / "redcap" / name
    frame, dictionary = own_read(folder)
    events = {"events": folder / "event.csv", "arms": folder / "arm.csv"} if name == "longitudinal" else {}
    table = redcap.read(folder / "data.csv", {"dictionary": folder / "dictionary.csv", **events})
    assert list(table.frame.columns) == list(frame.columns) and len(table.frame) == len(frame)
    boxes = [c for c in frame.columns if "___" in c]
    assert table.frame.drop(columns=boxes).to_numpy().tolist() == frame.drop(columns=boxes).to_numpy().tolist()
    assert (table.frame[boxes].replace("", "0").to_numpy() == frame[boxes].replace("", "0").to_numpy()).all()
    assert not [n for n in table.notices if n.check in ("form_rule_broken", "answered_not_shown")]
    kinds = dictionary.set_index("Variable / Field Name")["Field Type"]
    described = {c.split("___")[0] for c in table.labels}
    assert set(kinds[~kinds.isin(["descriptive"])].index) <= described
    choices = {c for c, levels in table.levels.items() if set(frame[c]) - {""} - set(levels)}
    assert choices == set(), "every code is one of the dictionary's"


def test_reference_counts_of_what_was_not_asked(reference_folder):
    folder = reference_folder / "exports" / "redcap"
    frame, dictionary = own_read(folder / "longitudinal")
    table = redcap.read(folder / "longitudinal" / "data.csv", {"dictionary": folder / "longitudinal" / "dictionary.csv"})
    enrolled = frame["demographics_complete"] != ""
    assert np.array_equal(table.not_asked["given_birth"], ~(enrolled & (frame["sex"] == "0")))
    assert np.array_equal(table.not_asked["num_children"], ~(enrolled & (frame["sex"] == "0") & (frame["given_birth"] == "1")))
    logic = dictionary["Branching Logic (Show field only if...)"] != ""
    assert table.provenance["branching_evaluated"] == logic.sum() == 2 and table.provenance["n_events"] == 12
    for form, fields in dictionary[~logic].groupby("Form Name")["Variable / Field Name"]:
        never = frame.groupby("redcap_event_name")[f"{form}_complete"].transform("max") == ""
        for name in [f for f in fields if f in table.not_asked]:
            assert np.array_equal(table.not_asked[name], never), name
    frame, _ = own_read(folder / "repeating-instruments")
    table = redcap.read(folder / "repeating-instruments" / "data.csv", {"dictionary": folder / "repeating-instruments" / "dictionary.csv"})
    repeats = frame["redcap_repeat_instrument"] == "bp"
    assert np.array_equal(table.not_asked["sex"], repeats) and np.array_equal(table.not_asked["bp_systolic"], ~repeats)
    table = redcap.read(folder / "checkboxes-1" / "data.csv", {"dictionary": folder / "checkboxes-1" / "dictionary.csv"})
    boxes = [c for c in table.frame if "___" in c]
    assert (table.frame[boxes] == "").sum(axis=1).tolist() == [0, 0, 0, 9], "only the form that was never opened"
