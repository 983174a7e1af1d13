"""One and the same coded content, written as each program for coding text writes (or is told to write) a REFI-QDA project.

What differs is listed in the dialect: how positions are counted, line ends, byte-order mark, names and places in the archive, where
codes, cases and variables stand. NVivo for Windows, ATLAS.ti 8 and qc follow real files; the others follow their documentation.
"""

from __future__ import annotations

import uuid
import zipfile
from dataclasses import dataclass, replace
from xml.sax.saxutils import escape, quoteattr

#: line ends as one character; with characters outside the basic plane, combining accents and a zero-width joiner
TEXTS = {
    "A01-director": (
        "Well \U0001f600 we began in May.\nNo time for the cafe\u0301 talk, none at all.\n\nThe coach came \U0001f469\u200d\U0001f3eb"
        " weekly and stress stayed.\nWe met on Fridays, nai\u0308vely hopeful.\nStaff left; others came \U0001f331 later."
    ),
    "A02-teacher": (
        "Hard to say.\nTime was short \U0001f634 again and again.\nOur coach listened.\nThe u\u0308bung helped us \U0001f44d\U0001f3fd a"
        " lot.\nMeetings ran late, always.\nI would do it again."
    ),
}
VARIABLES = {"A01-director": {"center": "A01", "role": "director"}, "A02-teacher": {"center": "A02", "role": "teacher"}}
CODES = ("Barriers", "Barriers\\Time", "Barriers\\Stress", "Helps", "Helps\\Time", "Helps\\Coach", "Helps\\Coach\\Weekly")
CODERS = ("c1", "c2")


def span(document, words):
    start = TEXTS[document].index(words)
    return document, start, start + len(words)


PHRASES = [
    ("A01-director", "we began", "Helps", "c1"),
    ("A01-director", "No time", "Barriers\\Time", "c1"),
    ("A01-director", "No time for the cafe\u0301 talk", "Barriers\\Time", "c2"),
    ("A01-director", "time for the cafe\u0301", "Barriers\\Stress", "c1"),
    ("A01-director", "cafe\u0301 talk", "Helps\\Time", "c2"),
    ("A01-director", "coach came \U0001f469\u200d\U0001f3eb weekly", "Helps\\Coach\\Weekly", "c1"),
    ("A01-director", "weekly", "Helps\\Coach", "c1"),
    ("A01-director", "stress stayed", "Barriers\\Stress", "c2"),
    ("A01-director", "Fridays", "Helps\\Time", "c1"),
    ("A01-director", "nai\u0308vely hopeful", "Helps", "c1"),
    ("A01-director", "others came \U0001f331 later", "Barriers", "c1"),
    ("A02-teacher", "Time was short \U0001f634 again", "Barriers\\Time", "c1"),
    ("A02-teacher", "again and again", "Barriers\\Time", "c2"),
    ("A02-teacher", "coach listened", "Helps\\Coach", "c1"),
    ("A02-teacher", "The u\u0308bung helped us", "Helps\\Coach", "c2"),
    ("A02-teacher", "helped us \U0001f44d\U0001f3fd a lot", "Helps", "c1"),
    ("A02-teacher", "Meetings ran late", "Barriers\\Time", "c1"),
    ("A02-teacher", "do it again", "Helps", "c2"),
]
#: (document, start, end, code, coder): an empty passage among them; None, None is a whole document
CODINGS = [(*span(document, words), code, coder) for document, words, code, coder in PHRASES]
CODINGS += [("A01-director", 51, 51, "Helps", "c2"), ("A02-teacher", None, None, "Barriers\\Stress", "c1")]


@dataclass(frozen=True)
class Dialect:
    """How a program writes; `convention` as in `bscstudy.io.refi_offsets`."""

    origin: str
    convention: str
    ends: str = "\n"
    mark: bool = False
    project: str = "project.qde"
    folder: str = "sources"
    scheme: str = "internal://"
    inline: bool = False
    packed: int = zipfile.ZIP_DEFLATED
    upper: bool = False
    braces: bool = False
    flat: bool = False
    one_each: bool = False
    title: str = "none"
    user: str = "name"
    says: str = "case"
    extra: str = ""


DIALECTS = {
    "NVivo Windows": Dialect(
        "NVivo for Windows 12.6", "utf16", "\r\n", mark=True, folder="Sources", one_each=True, title="blank", says="case_code"
    ),
    "NVivo Mac": Dialect("NVivo for Mac 15.0.0", "utf16", packed=zipfile.ZIP_STORED, user="id", says="case", extra="root"),
    "ATLAS.ti 8": Dialect(
        *("ATLAS.ti 8.4.0 573 , macOS Version 10.14.3", "characters_lf", "\r\n"),
        **dict(project="Project.qde", folder="Sources", upper=True, flat=True, title="text", says="set"),
    ),
    "ATLAS.ti 26": Dialect("ATLAS.ti 26.0", "characters_lf", "\r\n", project="Trial.qde", title="text", says="set", extra="comment"),
    "MAXQDA": Dialect("MAXQDA 2022", "utf16", "\r\n", title="positions", says="nameless", extra="memo", braces=True),
    "Quirkos": Dialect("Quirkos 2.5", "characters", inline=True, says="nameless"),
    "QualCoder": Dialect("QualCoder 3.5", "characters", mark=True, says="source", user="id"),
    "qc": Dialect("qc 1.3.2", "characters", scheme="", title="line", says="name"),
}


def position(text, index, convention):
    """Return where a program that counts by a convention says that character `index` of a text (line ends as one) stands."""
    before = text[:index] if "_lf" in convention else text[:index].replace("\n", "\r\n") if "crlf" in convention else text[:index]
    units = len(before.encode("utf-16-le")) // 2 if convention.startswith("utf16") else len(before)
    return units + ("_bom" in convention)


class Writer:
    """Writes the content in one dialect."""

    def __init__(self, dialect, seed="", texts=TEXTS, codings=CODINGS):
        self.d, self.seed, self.texts, self.codings = dialect, seed, texts, codings
        #: positions count the line ends that the file stores unless the convention says otherwise
        self.counts = dialect.convention
        if dialect.ends == "\r\n" and "_lf" not in dialect.convention:
            self.counts = dialect.convention + "_crlf"

    def guid(self, what):
        made = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.seed}{self.d.origin}{what}"))
        made = made.upper() if self.d.upper else made
        return "{" + made + "}" if self.d.braces else made

    def name_of_case(self, document):
        return f"case of {document}"

    def users(self):
        return "".join(f'<User guid="{self.guid(c)}" {self.d.user}="{c}"/>' for c in CODERS)

    def codebook(self):
        if self.d.flat:
            return "".join(
                f'<Code guid="{self.guid(c)}" isCodable="true" name={quoteattr(c.replace(chr(92), "::"))} color="#966450"/>' for c in CODES
            )

        def tree(above):
            inner = ""
            for code in CODES:
                parent, _, name = code.rpartition("\\")
                if parent == above:
                    inner += f'<Code guid="{self.guid(code)}" isCodable="true" name={quoteattr(name)}>{tree(code)}</Code>'
            return inner

        cases = self.texts if self.d.says == "case_code" else ()
        return tree("") + "".join(f'<Code guid="{self.guid("case" + c)}" isCodable="true" name="{self.name_of_case(c)}"/>' for c in cases)

    def coding(self, what, code, coder):
        return f'<Coding guid="{self.guid(what)}" creatingUser="{self.guid(coder)}"><CodeRef targetGUID="{self.guid(code)}"/></Coding>'

    def title(self, document, start, end):
        words = " ".join(self.texts[document][start:end].split())
        number = self.texts[document][:start].count("\n") + 1
        cut = words if len(words) <= 20 else words[:20] + "\u2026"
        titles = {"none": None, "blank": "", "text": cut, "positions": f"{start},{end}", "line": f"line:{number}"}
        title = titles[self.d.title]
        return "" if title is None else f" name={quoteattr(title)}"

    def selection(self, document, start, end, inner):
        at = [position(self.texts[document], i, self.counts) for i in (start, end)]
        writer = self.guid(CODERS[-1])  # whoever made the passage is not who coded it
        return (
            f'<PlainTextSelection guid="{self.guid((document, start, end, inner))}" startPosition="{at[0]}" endPosition="{at[1]}"'
            f' creatingUser="{writer}"{self.title(document, start, end)}>{inner}</PlainTextSelection>'
        )

    def selections(self, document):
        found: dict[tuple, list] = {}
        whole = ""
        for number, (name, start, end, code, coder) in enumerate(self.codings):
            if name != document:
                continue
            coding = self.coding(number, code, coder)
            if start is None:
                whole += coding
            else:
                found.setdefault((start, end, number if self.d.one_each else 0), []).append(coding)
        if self.d.says == "case_code":
            found[0, len(self.texts[document]), "case"] = [self.coding(document, "case" + document, CODERS[0])]
        describe = "<Description/>" if self.d.title == "blank" else ""
        describe = "<Description>a comment</Description>" if self.d.extra == "comment" else describe
        parts = [self.selection(document, start, end, describe + "".join(inner)) for (start, end, _), inner in found.items()]
        if self.d.extra == "memo":
            parts.append(self.selection(document, 0, 4, "<Description>a memo</Description>"))
        return "".join(parts) + whole

    def values(self, document):
        return "".join(
            f'<VariableValue><VariableRef targetGUID="{self.guid("variable" + name)}"/><TextValue>{value}</TextValue></VariableValue>'
            for name, value in VARIABLES.get(document, {}).items()
        )

    def source(self, document):
        file = document if self.d.says == "name" else self.guid(document).strip("{}")
        path = "" if self.d.inline else f' plainTextPath="{self.d.scheme}{file}.txt"'
        name = "" if self.d.says == "name" else f' name="{document}.docx"'
        inline = f"<PlainTextContent>{escape(self.texts[document])}</PlainTextContent>" if self.d.inline else ""
        values = self.values(document) if self.d.says in ("source", "nameless") and not self.d.inline else ""
        return f'<TextSource guid="{self.guid(document)}"{name}{path}>{inline}{self.selections(document)}{values}</TextSource>'

    def cases(self):
        if self.d.says not in ("case", "case_code", "nameless"):
            return ""
        parts = []
        for document in self.texts:
            name = "" if self.d.says == "nameless" else f' name="{self.name_of_case(document)}"'
            points = "" if self.d.says == "case_code" else f'<SourceRef targetGUID="{self.guid(document)}"/>'
            parts.append(f'<Case guid="{self.guid("case" + document)}"{name}>{self.values(document)}{points}</Case>')
        return f"<Cases>{''.join(parts)}</Cases>"

    def sets(self):
        if self.d.says != "set":
            return ""
        made: dict[str, str] = {}
        for document, values in VARIABLES.items():
            for name, value in values.items():
                made.setdefault(f"{name}: {value}", "")
                made[f"{name}: {value}"] += f'<MemberSource targetGUID="{self.guid(document)}"/>'
        return "<Sets>" + "".join(f'<Set guid="{self.guid(n)}" name="{n}">{members}</Set>' for n, members in made.items()) + "</Sets>"

    def variables(self):
        if self.d.says not in ("case", "case_code", "nameless", "source"):
            return ""
        known = "".join(f'<Variable guid="{self.guid("variable" + n)}" name="{n}" typeOfVariable="Text"/>' for n in ("center", "role"))
        return f"<Variables>{known}</Variables>"

    def xml(self):
        sources = "".join(self.source(document) for document in self.texts)
        return (
            f'<?xml version="1.0" encoding="utf-8"?>\n<Project xmlns="urn:QDA-XML:project:1.0" name="p" origin="{self.d.origin}">'
            f"<Users>{self.users()}</Users><CodeBook><Codes>{self.codebook()}</Codes></CodeBook>{self.variables()}{self.cases()}"
            f"<Sources>{sources}</Sources>{self.sets()}</Project>"
        )

    def members(self):
        """Return name in the archive -> content."""
        made = {self.d.project: self.xml().encode("utf-8-sig" if self.d.origin.startswith("QualCoder") else "utf-8")}
        for document, text in self.texts.items():
            file = document if self.d.says == "name" else self.guid(document).strip("{}")
            stored = text.replace("\n", self.d.ends).encode("utf-8-sig" if self.d.mark else "utf-8")
            if not self.d.inline:
                made[f"{self.d.folder}/{file}.txt"] = stored
        if self.d.extra == "root":
            made[f"{self.d.folder}/.root"] = b""
        return made

    def write(self, path):
        with zipfile.ZipFile(path, "w", self.d.packed) as archive:
            for name, content in self.members().items():
                archive.writestr(zipfile.ZipInfo(name), content, self.d.packed)
        return path


def variant(name, **changes):
    """Return a dialect with something written otherwise."""
    return replace(DIALECTS[name], **changes)
