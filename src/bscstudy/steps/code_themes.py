"""Codings to themes: presence by session, person and center, shares and other measures, agreement of coders, saturation."""

from __future__ import annotations

import pandas as pd

from bscstudy.qual.agreement import agreement_table
from bscstudy.qual.agreement_texts import texts_of
from bscstudy.qual.co_occurrence import co_occurrence
from bscstudy.qual.coder_sensitivity import coder_sensitivity
from bscstudy.qual.codes import check_documents, collect_codings, join_codes
from bscstudy.qual.columns import (
    AGREEMENT,
    CO_OCCURRENCE,
    CODER_SENSITIVITY,
    CODINGS,
    PRESENCE,
    SATURATION,
    THEME_CENTER,
    THEME_MEASURES,
    THEME_SUMMARY,
)
from bscstudy.qual.presence import asked_topics, complete_documents, presence_table
from bscstudy.qual.reliability import reliability_settings
from bscstudy.qual.saturation import saturation_table
from bscstudy.qual.shares import theme_by_center, theme_summary
from bscstudy.qual.theme_measures import theme_measures
from bscstudy.steps.job_tables import write_output
from bscstudy.steps.sound import sound_tables
from bscstudy.tables import read_table
from bscstudy.workflow import Job


def run(job: Job) -> None:
    """Write the tables of the qualitative strand."""
    tables = sound_tables(job, "codings", "documents", "asked", "paragraphs")
    config, themes = job.config, job.config["themes"]
    roles = {coding["source"]: coding["coder_role"] for coding in config["qual"]["codings"]}
    listed, asked = tables[config["qual"]["documents"]], tables[config["qual"]["asked"]]
    codings = collect_codings({name: tables[name] for name in roles}, roles)
    check_documents(listed, codings, asked)
    codings = join_codes(codings, config["code_map"], themes)
    texts = texts_of(listed, tables.get(config["qual"].get("paragraphs")))
    documents = complete_documents(listed, read_table(job.inputs["people"]), read_table(job.inputs["centers"]))
    unit = config["qual"].get("unit", "session")
    topics = asked_topics(asked, themes)
    presence = presence_table(documents, topics, codings, themes, unit)
    written = {
        "codings": (codings, ["coding_id"], CODINGS, "Coded passages with theme and direction; no quotes."),
        "presence": (presence, ["unit", "unit_id", "theme", "wave"], PRESENCE, "Presence of each theme in each session (and person)."),
        "theme_center": (theme_by_center(presence), ["theme", "center_id", "wave"], THEME_CENTER, "Themes by center, counted in sessions."),
        "theme_summary": (
            theme_summary(presence),
            ["theme", "wave", "role", "unit"],
            THEME_SUMMARY,
            "Themes by wave and role over centers.",
        ),
        "agreement": (
            agreement_table(codings, themes, listed, topics, reliability_settings(config["qual"]), texts, job.seed),
            ["theme", "coefficient"],
            AGREEMENT,
            "Agreement of coders before any consensus, theme by theme.",
        ),
    }
    written |= _measures(job, listed, documents, topics, codings, presence)
    for name, (frame, key, columns, description) in written.items():
        write_output(job, name, frame, key=key, columns=columns, description=description)


def _measures(
    job: Job, listed: pd.DataFrame, documents: pd.DataFrame, topics: set, codings: pd.DataFrame, presence: pd.DataFrame
) -> dict[str, tuple]:
    """Return what goes beyond presence: measures of themes, other coders, pairs of themes, saturation."""
    themes, unit = job.config["themes"], job.config["qual"].get("unit", "session")
    waves = [wave["id"] for wave in sorted(job.config["waves"], key=lambda wave: wave["order"])]
    dated = documents.merge(listed.reindex(columns=["document_id", "date"]), on="document_id")
    return {
        "theme_measures": (
            theme_measures(presence, documents, listed, topics, codings, themes),
            ["theme", "wave", "role", "unit"],
            THEME_MEASURES,
            "Shares, frequency, density, coverage, intensity and net valence of themes.",
        ),
        "coder_sensitivity": (
            coder_sensitivity(documents, topics, codings, themes, unit),
            ["coder", "theme", "wave", "role", "unit"],
            CODER_SENSITIVITY,
            "Shares of themes with each other coder in place of the codings counted.",
        ),
        "co_occurrence": (
            co_occurrence(presence),
            ["theme_1", "theme_2"],
            CO_OCCURRENCE,
            "Themes raised in the same sessions, among sessions asked about both.",
        ),
        "saturation": (
            saturation_table(dated, codings, waves, job.seed),
            ["kind", "place"],
            SATURATION,
            "New themes and codes by session, beside random orders.",
        ),
    }
