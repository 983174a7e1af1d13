"""REDCap exports: records with the project's data dictionary, in the shapes that REDCap writes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from bscstudy.errors import BscError
from bscstudy.io import delimited
from bscstudy.io.raw import Notice, RawTable, places
from bscstudy.io.redcap_dictionary import Dictionary, read_dictionary
from bscstudy.io.redcap_events import Events, read_events
from bscstudy.io.redcap_labels import refuse_label_headings, with_codes
from bscstudy.io.redcap_records import EVENT, OWN, Rows, arms_of, form_content, forms_not_asked, group_notices, rows_of
from bscstudy.io.redcap_rules import rule_notices
from bscstudy.io.redcap_shown import Project, Shown, shown_fields


def read(path: Path, options: dict) -> RawTable:
    """Read a REDCap export of records with its data dictionary.

    Parameters
    ----------
    path : Path
        The CSV file of records, raw data (codes); an export with labels in the cells is brought back to codes.
    options : dict
        ``dictionary`` (path of the data dictionary, required); ``events``, ``arms``, ``form_events`` (paths, of a longitudinal
        project); ``encoding``, ``delimiter``.

    Returns
    -------
    RawTable
        As a delimited file; labels and levels from the dictionary, checkboxes one column for each choice. `not_asked` says
        where a form did not show a field: its branching logic was not met, the event or the repeating form of the row does not
        have it. Unticked boxes (0) of fields not shown, and of forms that were never opened, are blank.

    Raises
    ------
    BscError
        BSC-SRC-008 no dictionary named, -016 not a dictionary, -017 it does not cover a column, -062 a row twice, -063 labels
        that cannot be brought back to codes, -064 an unknown event, form or instance, -065 files of events that do not fit, -070
        a field twice in the dictionary; those of a delimited file.
    """
    if not options.get("dictionary"):
        raise BscError(
            "BSC-SRC-008",
            "The source names no data dictionary.",
            str(path),
            "Without it nobody can say what a column or a code stands for.",
            "Name it as options.dictionary in config/sources.yaml.",
        )
    table = delimited.read(path, options)
    dictionary = read_dictionary(Path(options["dictionary"]))
    events = read_events(*(Path(options[name]) if options.get(name) else None for name in ("events", "arms", "form_events")))
    labels, levels = dictionary.described()
    own = {*OWN, *(f"{form}_{ending}" for form in dictionary.forms for ending in ("timestamp", "complete"))}
    _check_covered(path, table, dictionary, {*labels, *own})
    frame, n_labelled = with_codes(path, table, dictionary, events)
    table = replace(table, frame=frame)
    rows = rows_of(path, table, dictionary, events)
    table, n_unopened = _without_unopened_boxes(table, dictionary)
    absent, inferred = forms_not_asked(table, rows, dictionary, events)
    shown = shown_fields(Project(table, rows, dictionary, absent))
    broken, not_judged = rule_notices(table, dictionary)
    present = set(frame.columns)
    return replace(
        table,
        frame=shown.frame,
        labels={name: label for name, label in labels.items() if name in present},
        levels={name: codes for name, codes in {**levels, **_event_levels(events)}.items() if name in present},
        own_columns=tuple(sorted(own & present)),
        not_asked=shown.not_asked,
        notices=(*table.notices, *group_notices(table, rows), *broken, *shown.notices, *_remarks(dictionary, inferred, n_unopened)),
        provenance={
            **table.provenance,
            **_counts(rows, dictionary, shown),
            "columns_with_labels": n_labelled,
            "forms_taken_as_not_asked": inferred,
            "unticked_boxes_of_unopened_forms": n_unopened,
            "validation_not_judged": not_judged,
        },
    )


def _check_covered(path: Path, table: RawTable, dictionary: Dictionary, known: set[str]) -> None:
    refuse_label_headings(path, table, dictionary)
    names = list(table.frame.columns)
    headed = dictionary.record_id in names
    strange = [(place, name) for place, name in enumerate(names, start=1) if name not in known]
    faults = [f"{path}, column " + (f"'{name}'" if headed else f"number {place}") for place, name in strange]
    faults += [] if headed else [f"{path}, line 1: no column '{dictionary.record_id}', which names the record"]
    if faults:
        raise BscError(
            "BSC-SRC-017",
            f"The data dictionary does not fit {len(faults)} column(s) of the records.",
            places(faults),
            "Without it nobody can say what a column or a code stands for.",
            "Export records (raw data) and data dictionary on the same day, without renaming columns.",
        )


def _without_unopened_boxes(table: RawTable, dictionary: Dictionary) -> tuple[RawTable, int]:
    """Empty the boxes that REDCap writes as unticked (0) for a form without any content: nobody ever saw them."""
    emptied, n = {}, 0
    for form, columns in dictionary.forms.items():
        unopened = ~form_content(table.frame, form, columns, dictionary, status=False)
        for field in dictionary.fields.values():
            for column in field.columns if field.form == form and field.kind == "checkbox" else ():
                if column in table.frame.columns:
                    cells = table.frame[column].to_numpy(dtype=object)
                    gone = unopened & (cells == "0")
                    emptied[column], n = np.where(gone, "", cells), n + int(gone.sum())
    return replace(table, frame=table.frame.assign(**emptied)), n


def _event_levels(events: Events | None) -> dict[str, dict[str, str]]:
    return {EVENT: events.labels} if events else {}


def _counts(rows: Rows, dictionary: Dictionary, shown: Shown) -> dict:
    return {
        "n_records": len(set(rows.record)),
        "n_events": len(set(rows.event) - {""}),
        "n_arms": len(arms_of(rows)),
        "rows_of_repeating_forms": {form: int((rows.form == form).sum()) for form in sorted(set(rows.form) - {""})},
        "n_fields": len(dictionary.fields),
        "branching_evaluated": shown.evaluated,
        "branching_not_evaluated": dict(sorted(shown.not_evaluated.items())),
        "unticked_boxes_not_shown": shown.boxes_emptied,
    }


def _remarks(dictionary: Dictionary, inferred: list[str], n_unopened: int) -> list[Notice]:
    found = []
    if not dictionary.has_branching:
        found.append(
            Notice("file_notice", "the data dictionary has no branching logic: a blank is taken for a skipped answer", unit="files")
        )
    if inferred:
        text = "a form of which no record has anything at an event is taken as not asked there; options.form_events would say it"
        found.append(Notice("file_notice", text, n=len(inferred), unit="forms"))
    if n_unopened:
        found.append(Notice("file_notice", "unticked boxes of forms that were never opened are taken as blank", n=n_unopened))
    return found
