"""The first coder's project as a REFI-QDA exchange file."""

from __future__ import annotations

import uuid
from pathlib import Path
from xml.etree import ElementTree

from bscstudy.simulate import sentences
from bscstudy.simulate.writers import write_zip

NAMESPACE = uuid.UUID("6ba7b812-9dad-11d1-80b4-00c04fd430c8")
CODER = "coder_1"
MOMENT = "2025-08-01T00:00:00Z"


def identifier(text: str) -> str:
    """Return the same GUID for the same text, always."""
    return str(uuid.uuid5(NAMESPACE, f"bscstudy/{text}"))


def write_project(transcripts: list, path: Path) -> Path:
    """Write project.qde and one plain text for each transcript (elements in the order the standard wants)."""
    root = ElementTree.Element(
        "Project", {"name": "Demonstration study (synthetic)", "origin": "bscstudy simulate-study", "xmlns": "urn:QDA-XML:project:1.0"}
    )
    root.attrib |= {"creatingUserGUID": identifier(CODER), "creationDateTime": MOMENT}
    users = ElementTree.SubElement(root, "Users")
    ElementTree.SubElement(users, "User", {"guid": identifier(CODER), "name": CODER, "id": CODER})
    _codebook(root)
    sources = ElementTree.SubElement(root, "Sources")
    for transcript in transcripts:
        _source(sources, transcript)
    ElementTree.SubElement(root, "Description").text = "SYNTHETIC: invented texts, CC0."
    ElementTree.indent(root, " ")
    project = b'<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="utf-8") + b"\n"
    texts = {f"sources/{identifier(t.document)}.txt": t.text.encode("utf-8") for t in transcripts}
    return write_zip({"project.qde": project, **texts}, path)


def all_codes() -> list[str]:
    """Return every code path of the tree, also codes that were never used."""
    pairs = [side for theme in sentences.THEMES.values() for side in (theme.helps, theme.hinders) if side]
    return sorted({code for code, _ in pairs} | {"Outcomes\\Other"})


def _codebook(root: ElementTree.Element) -> None:
    codes = ElementTree.SubElement(ElementTree.SubElement(root, "CodeBook"), "Codes")
    parents: dict[str, ElementTree.Element] = {}
    for path in all_codes():
        group, name = path.split("\\")
        if group not in parents:
            parents[group] = ElementTree.SubElement(
                codes, "Code", {"guid": identifier(f"code {group}"), "name": group, "isCodable": "false"}
            )
        ElementTree.SubElement(parents[group], "Code", {"guid": identifier(f"code {path}"), "name": name, "isCodable": "true"})


def _source(sources: ElementTree.Element, transcript) -> None:
    guid = identifier(transcript.document)
    about = {
        "guid": guid,
        "name": transcript.document,
        "plainTextPath": f"internal://{guid}.txt",
        "creatingUser": identifier(CODER),
        "creationDateTime": MOMENT,
    }
    source = ElementTree.SubElement(sources, "TextSource", about)
    for number, passage in enumerate(transcript.passages, start=1):
        place = {
            "startPosition": str(passage.start),
            "endPosition": str(passage.end),
            "creatingUser": identifier(CODER),
            "creationDateTime": MOMENT,
        }
        own = f"{transcript.document} passage {number}"
        selection = ElementTree.SubElement(
            source, "PlainTextSelection", {"guid": identifier(own), "name": transcript.text[passage.start : passage.end][:40], **place}
        )
        coding = ElementTree.SubElement(
            selection, "Coding", {"guid": identifier(f"{own} coding"), "creatingUser": identifier(CODER), "creationDateTime": MOMENT}
        )
        ElementTree.SubElement(coding, "CodeRef", {"targetGUID": identifier(f"code {passage.code}")})
