"""Codings to themes: presence by session and person, shares by center and role, agreement of coders."""

from __future__ import annotations

from bscstudy.qual.agreement import agreement_table
from bscstudy.qual.agreement_texts import texts_of
from bscstudy.qual.codes import check_documents, collect_codings, join_codes
from bscstudy.qual.columns import AGREEMENT, CODINGS, PRESENCE, THEME_CENTER, THEME_SUMMARY
from bscstudy.qual.presence import asked_topics, complete_documents, presence_table
from bscstudy.qual.reliability import reliability_settings
from bscstudy.qual.shares import theme_by_center, theme_summary
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
    for name, (frame, key, columns, description) in written.items():
        write_output(job, name, frame, key=key, columns=columns, description=description)
