"""Contact data, dates, ages and street addresses in a text, found by how they are written (English and Spanish words)."""

from __future__ import annotations

import re

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?"
    r"|dec(?:ember)?|enero|febrero|marzo|abril|mayo|junio|julio|agosto|sep?tiembre|octubre|noviembre|diciembre)\b\.?"
)
_ONES = "one|two|three|four|five|six|seven|eight|nine"
_TENS = rf"(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)(?:[-\s](?:{_ONES}))?"
_SPELLED = (
    rf"(?:{_TENS}|{_ONES}|ten|eleven|twelve|thirteen|fourteen"
    r"|fifteen|sixteen|seventeen|eighteen|nineteen)"
)
_NUMBER = rf"(?:\d{{1,3}}|{_SPELLED})"
_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
_ENDINGS = "com|org|net|edu|gov|mil|info|biz|us|uk|ca|mx|de|fr|es|io|co|app|school|k12"
_DASH = r"\-\u2010-\u2015"
_STREET = "street|st|avenue|ave|road|rd|drive|dr|lane|ln|boulevard|blvd|court|ct|way|place|pl|highway|hwy|parkway|pkwy|terrace|circle"

#: marker -> how the thing it stands for is written; the first that fits a place gives the marker
PATTERNS = {
    "mail": (
        r"[\w.+%'-]+@[\w-]+(?:\.[\w-]+)*",
        r"[\w.+%'-]+\s?@\s?[\w-]+(?:\s?\.\s?\w+)+",
        r"[\w.+-]+\s*[(\[{]\s*at\s*[)\]}]\s*[\w-]+(?:\s*(?:\.|[(\[{]\s*dot\s*[)\]}]|\sdot\s)\s*[\w-]+)*",
        r"[\w.+-]+\s+at\s+[\w-]+\s+dot\s+\w+(?:\s+dot\s+\w+)*",
    ),
    "link": (
        r"(?:https?|ftp)\s?:\s?//\S+",
        r"\bwww\.\S+",
        rf"(?<![\w@])(?:[\w-]+\.)+(?:{_ENDINGS})\b(?:/\S*)?",
        r"(?<!\w)@\w+",
    ),
    "date": (
        rf"\b{_DAY}\s*(?:of|de|[./{_DASH}])?\s*{_MONTH}(?:\s*(?:,|of|de|del|[./{_DASH}])?\s*\d{{2,4}}\b)?",
        rf"\b{_MONTH}\s*(?:the\s+)?{_DAY}\b(?:\s*,?\s*\d{{4}}\b)?",
        rf"\b{_MONTH}\s*(?:,|of|de|del)?\s*(?:'\d{{2}}|\d{{4}})\b",
        rf"\b\d{{1,4}}\s?[./{_DASH}]\s?\d{{1,2}}\s?[./{_DASH}]\s?\d{{1,4}}\b",
        r"\b(?!24/7\b)\d{1,2}/\d{1,2}\b",
        r"\b(?:18|19|20)\d{2}\b",
    ),
    "age": (
        rf"\b{_NUMBER}[-\s]*(?:years?|yrs?|months?|mos?)[-\s]*(?:old|of\s+age)\b",
        rf"\b(?:aged?|turn(?:ed|s|ing)?|i\s?['\u2019]?\s?a?m|(?:he|she)\s?(?:['\u2019]s|is|was))\s+(?:\d{{2,3}}|{_TENS})\b(?!\s*(?:%|percent))",
        rf"\b(?:tengo|tiene|ten[ií]a|cumpl\w+)\s+{_NUMBER}\s+a[nñ]os\b",
    ),
    "place": (rf"\b\d{{1,6}}\s+(?:[^\W\d_][\w'.-]*\s+){{1,4}}(?:{_STREET})\b\.?",),
    "number": (
        rf"(?<!\w)\+?\(?\d(?:[\s().{_DASH}/]{{0,3}}\d){{6,}}(?!\w)",
        rf"\b\d{{3}}[\s.{_DASH}]\d{{4}}\b",
        r"\b\d{5,}\b",
    ),
}
_COMPILED = [(marker, re.compile(pattern, re.IGNORECASE)) for marker, patterns in PATTERNS.items() for pattern in patterns]


def contact_spans(text: str) -> list[tuple[int, int, str]]:
    """Return (start, end, marker) of everything in a plain text that is written like contact data, a date, an age or an address.

    Not for: dates, ages and numbers in words alone ("the third of the month"), and languages other than English and Spanish;
    digits and addresses of mail and web are found in any language.
    """
    return [(found.start(), found.end(), marker) for marker, pattern in _COMPILED for found in pattern.finditer(text)]
