"""What a column's name, label and values suggest about it. Suggestions only: a person looks at every drafted row."""

from __future__ import annotations

import datetime
import re

import pandas as pd

from bscstudy.io.raw import number_of

_PERSONAL = re.compile(
    r"(^|_)((first|last|sur|family|given|middle|full|nick|user)_?name|name|e_?mail|e_?mail_?address|phone|mobile|telephone|address|street|zip|"
    r"zip_?code|postal_?code|ip_?address|latitude|longitude|location_(latitude|longitude)|birth_?date|birthday|date_of_birth|dob|ssn|"
    r"signature|recipient_\w+|external_?(data_)?reference)$"
)
_PERSONAL_LABEL = re.compile(
    r"^(please )?(enter |type |give )?(your |the )?(first |last |full |family )?(name|e-?mail|phone|address|date of birth)\b"
)
_KEY = re.compile(
    r"(^|_)(id|ids|pid|key|uuid|guid|code|number|no|nr)$|^(record|person|participant|staff|teacher|child|center|centre|site|school|classroom|room|"
    r"rater|coder|observer|visit|segment|session|document|item|response|case|instance|metric|month|topic|category|cycle|action|contact|post)(_?id)?$|"
    r"^redcap_(event_name|repeat_instance|repeat_instrument)$"
)
_WAVE = re.compile(r"(^|_)(wave|event|event_name|time|time_?point|phase|round|occasion|period|assessment|survey_?number)(_?\d*)$")
_REASONS = (
    ("dont_know", re.compile(r"\b(don.?t|do not|did not|didn.?t) know\b|\bunknown\b|^dk$|wei(ss|\u00df) nicht|no s[e\u00e9]\b")),
    ("refused", re.compile(r"\brefus|\bprefer not|\bdeclin|\brather not|keine angabe")),
    ("not_applicable", re.compile(r"\bnot applicable\b|^n/?a$|\bdoes(n.?t| not) apply\b|trifft nicht zu \(entf")),
    ("no_opportunity", re.compile(r"\bno opportunity\b|^n[/-]o$|\bnot observed\b")),
    ("not_asked", re.compile(r"\bnot asked\b|\bnot administered\b")),
    ("skipped", re.compile(r"\bskipped\b|\bleft blank\b")),
    ("multiple", re.compile(r"\bmultiple (answers|responses|marks)\b")),
    ("unreadable", re.compile(r"\bunreadable\b|\billegible\b")),
    ("no_answer", re.compile(r"\bno (answer|response)\b|\bmissing\b|\bnot answered\b|\bundetermined\b")),
)
_ORDERED = re.compile(
    r"\b(agree|disagree|never|rarely|seldom|sometimes|often|always|usually|very|not at all|poor|fair|good|excellent|low|medium|high|"
    r"satisfied|likely|slightly|moderately|extremely|daily|weekly|monthly|less|more|better|worse|beginning|advanced)\b"
)
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?)?Z?")
#: a text longer than this, or with more words, is taken for a person's own words
_SHORT, _WORDS = 40, 4


def _plain(name: str) -> str:
    """Return a column name in lower case with underscores between its words."""
    return re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()).strip("_")


def is_identifying(name: str, label: str = "") -> bool:
    """Return whether a column's name or label says that it tells who or where a person is."""
    return not is_wave_name(name) and bool(_PERSONAL.search(_plain(name)) or _PERSONAL_LABEL.search(label.strip().lower()))


def is_key_name(name: str) -> bool:
    """Return whether a column is named as keys are."""
    return bool(_KEY.search(_plain(name)) or re.search(r"[a-z](ID|Id)$", name))


def is_wave_name(name: str) -> bool:
    """Return whether a column is named as a wave is."""
    return bool(_WAVE.search(_plain(name)))


def looks_ordered(labels: set[str]) -> bool:
    """Return whether at least half of the labels of codes are words of degree."""
    return sum(bool(_ORDERED.search(label)) for label in labels) * 2 >= len(labels) > 0


def reason_of_label(label: str) -> str:
    """Return the reason of missing_codes.csv that a label of a code names, or blank."""
    plain = " ".join(label.lower().split()).strip(" .()")
    return next((reason for reason, pattern in _REASONS if pattern.search(plain)), "")


def kind_of_values(answers: dict[str, int], cells: pd.Series, decimal: str) -> str:
    """Return the type of items.csv that the answers of an unlabelled column suggest (text where there is none).

    Parameters
    ----------
    answers : dict
        Each different answer as text, without codes for missing -> how often it occurs.
    cells : Series
        The column as received, for the dates of formats that have them.
    decimal : str
        Decimal mark of numbers held as text.
    """
    if not answers:
        return "text"
    if any(isinstance(cell, datetime.date) for cell in cells) or all(_ISO_DATE.fullmatch(text) for text in answers):
        return "date"
    numbers = [number_of(text, decimal) for text in answers]
    if all(number is not None for number in numbers):
        return "integer" if all(number == int(number) for number in numbers) else "number"
    wordy = any(len(text) > _SHORT or text.count(" ") >= _WORDS for text in answers)
    return "free_text" if wordy else "text"
