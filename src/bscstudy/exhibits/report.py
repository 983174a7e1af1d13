"""The report: one HTML page that holds every exhibit and needs nothing outside itself."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from importlib import resources

import pandas as pd

from bscstudy.exhibits import markup, report_words

#: kinds of exhibits whose sentences open the report, in the order of the exhibits
OPENING_KINDS = ("change_by_wave", "facilitators", "joint_display", "meta_inferences")


@dataclass(frozen=True)
class ReportParts:
    """What a report is made of.

    Attributes
    ----------
    records : list of dict
        One for each exhibit (reports/data), in the order shown.
    fragments : dict of str to str
        Exhibit -> its table as HTML.
    images : dict of str to bytes
        Exhibit -> its figure as SVG, for those that have one.
    config : dict
        study, waves, collaboratives, exhibits, models, checks, privacy, exclusions.
    fits, summary, flow : DataFrame or None
        models/fits, checks/summary, checks/flow.
    digest : str
        Digest of the configuration the report rests on.
    software : list of (str, str)
        Packages and versions.
    checklists : list of dict
        Reporting checklists: `title`, `name`, `n`, `filled`, `partly`, `author`; none for a study without interviews.
    """

    records: list[dict]
    fragments: dict[str, str]
    images: dict[str, bytes]
    config: dict
    fits: pd.DataFrame | None
    summary: pd.DataFrame | None
    flow: pd.DataFrame | None
    digest: str
    software: list[tuple[str, str]]
    checklists: list[dict] = field(default_factory=list)


def render(parts: ReportParts) -> str:
    """Return the page as text; the same parts give the same text."""
    from jinja2 import Environment, StrictUndefined

    study = {"description": "", "data_terms": "", **parts.config["study"]}
    environment = Environment(autoescape=True, undefined=StrictUndefined, keep_trailing_newline=True)
    template = environment.from_string(resources.files("bscstudy.exhibits").joinpath("report.html.jinja").read_text(encoding="utf-8"))
    return template.render(
        study=study,
        mark="SYNTHETIC: " if study["synthetic"] else "",
        synthetic_text=markup.SYNTHETIC_TEXT,
        stylesheet=markup.stylesheet(),
        found=found(parts),
        cannot_say=report_words.cannot_say(parts.fits),
        glossary=report_words.glossary(parts.config),
        sections=sections(parts),
        methods=report_words.methods(study, parts.fits),
        software=parts.software,
        quality=report_words.quality(parts.config, parts.summary),
        limitations=report_words.limitations(parts.config, parts.fits),
        digest=parts.digest,
        checklists=parts.checklists,
    )


def found(parts: ReportParts) -> list[dict]:
    """Return the blocks of the opening: who took part, then each exhibit that answers a question of the study."""
    blocks = [{"title": "Who took part", "sentences": report_words.who_took_part(parts.config, parts.flow), "exhibit": "", "number": ""}]
    for record in parts.records:
        if record["kind"] in OPENING_KINDS and record["sentences"]:
            blocks.append(
                {
                    "title": record["title"],
                    "sentences": record["sentences"],
                    "exhibit": record["exhibit"],
                    "number": exhibit_number(record["exhibit"]),
                }
            )
    return [block for block in blocks if block["sentences"]]


def sections(parts: ReportParts) -> list[dict]:
    """Return the sections with their exhibits, in the order of the exhibits."""
    titles = list(dict.fromkeys(record["section"] or "Exhibits" for record in parts.records))
    return [
        {
            "id": f"section-{number}",
            "title": title,
            "exhibits": [_item(record, parts) for record in parts.records if (record["section"] or "Exhibits") == title],
        }
        for number, title in enumerate(titles, start=1)
    ]


def exhibit_number(exhibit: str) -> str:
    """Return ``Table 3`` for ``T3_descriptives``, ``Figure 2`` for ``F2_change``; the id itself where it has no number."""
    match = re.match(r"([TF])(\d+)(?:_|$)", exhibit)
    return f"{'Table' if match[1] == 'T' else 'Figure'} {match[2]}" if match else exhibit


def _item(record: dict, parts: ReportParts) -> dict:
    exhibit = record["exhibit"]
    image = parts.images.get(exhibit)
    return {
        "id": exhibit,
        "number": exhibit_number(exhibit),
        "title": record["title"],
        "sentences": [] if record["kind"] in OPENING_KINDS else record["sentences"],
        "image": "" if image is None else f"data:image/svg+xml;base64,{base64.b64encode(image).decode('ascii')}",
        "alt": f"{'Synthetic data. ' if record['synthetic'] else ''}{record['alt']}",
        "fragment": parts.fragments[exhibit],
    }
