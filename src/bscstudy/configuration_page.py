"""docs/configuration.md, written from the descriptions in the schemas so that the two cannot differ."""

from __future__ import annotations

from pathlib import Path

from bscstudy.config import SCHEMAS, read_yaml

PAGES = ("config", "sources", "measures", "checks", "model", "qual", "theory_of_change", "integration", "meta_inferences")


def configuration_page() -> str:
    """Return the page's text: every file and table of a study's configuration, every key, and what it means."""
    parts = [
        "# The configuration of a study",
        "",
        "Made from `src/bscstudy/schemas` by `python -m bscstudy.configuration_page`; never edited by hand.",
        "",
    ]
    for name in PAGES:
        schema = read_yaml(SCHEMAS / f"{name}.schema.yaml")
        parts += [f"## {schema['title']}", "", schema["description"], "", *_lines(schema, 0), ""]
    for table in read_yaml(SCHEMAS / "codebook.schema.yaml")["properties"].values():
        title, _, text = table["description"].partition(" - ")
        parts += [f"## {title}", "", f"{text[0].upper()}{text[1:]}", "", *_columns(table), ""]
    return "\n".join(parts).rstrip() + "\n"


def _lines(schema: dict, depth: int) -> list[str]:
    lines = []
    required = schema.get("required", [])
    for name, part in schema.get("properties", {}).items():
        lines.append(f"{'  ' * depth}- `{name}`{' (required)' if name in required else ''}: {_said(part)}")
        lines += _lines(_inner(part), depth + 1)
    inner = schema.get("additionalProperties")
    if isinstance(inner, dict) and "properties" in inner:
        lines += [f"{'  ' * depth}- *each id*:", *_lines(inner, depth + 1)]
    return lines


def _inner(part: dict) -> dict:
    if part.get("type") == "array":
        return part.get("items", {})
    for choice in part.get("oneOf", []):
        if choice.get("type") == "object":
            return choice
    return part


def _said(part: dict) -> str:
    text = part.get("description", "")
    allowed = part.get("enum") or part.get("items", {}).get("enum")
    return f"{text} One of {', '.join(f'`{v}`' for v in allowed if v)}." if allowed else text


def _columns(table: dict) -> list[str]:
    required = table["required"]
    return [f"- `{name}`{' (required)' if name in required else ''}: {_said(part)}" for name, part in table["properties"].items()]


if __name__ == "__main__":
    Path("docs/configuration.md").write_text(configuration_page(), encoding="utf-8")
