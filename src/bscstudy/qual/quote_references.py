"""What the configuration of quotes refers to must exist and go together."""

from __future__ import annotations

from bscstudy.errors import unknown_names

#: readers whose rows are those of the file, so that a coding's row finds its text
TABLE_READERS = ("csv", "excel")


def quote_references(study: dict) -> list[str]:
    """Return what is wrong with `quotes` of config/qual.yaml, with the list of quotes, and with exhibits that need them."""
    settings = (study["qual"] or {}).get("quotes")
    shown = [row["exhibit"] for row in study["exhibits"] if row["kind"] == "quotes"]
    if not settings:
        found = ["config/qual/quotes.csv: quotes are listed, but config/qual.yaml has no `quotes`."] if study.get("quotes") else []
        return found + [f"config/exhibits.csv: '{name}' shows quotes, but config/qual.yaml has no `quotes`." for name in shown]
    where, name = "config/qual.yaml, quotes", settings["source"]
    found = unknown_names(where, "source of codings", [name], [coding["source"] for coding in study["qual"]["codings"]])
    if found or name not in study["sources"]:
        return found
    reader = study["sources"][name]["reader"]
    if reader == "refi":
        return [f"{where}: `text` is not for a project, which holds the texts themselves."] if "text" in settings else []
    if reader not in TABLE_READERS:
        return [f"{where}: quotes cannot be cut from a source with the reader '{reader}'; use refi, {', '.join(TABLE_READERS)}."]
    return [] if "text" in settings else [f"{where}: `text` must name the column of '{name}' that holds the text of the passages."]
