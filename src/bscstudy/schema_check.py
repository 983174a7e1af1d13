"""Configuration files against their schemas, with findings a researcher can act on."""

from __future__ import annotations

import re
from pathlib import Path

from bscstudy.config import SCHEMAS, TABLE_FILES, YAML_FILES, crosswalk_files, read_rows, read_yaml, table_schema
from bscstudy.errors import BscError, nearest


def check_against_schemas(folder: Path) -> None:
    """Raise BSC-CFG-002 with every place where a configuration file departs from its schema."""
    findings: list[str] = []
    for file, (schema, _, _) in YAML_FILES.items():
        if (folder / file).is_file():
            findings += _yaml_findings(folder / file, schema)
    for path in sorted((folder / "models").glob("*.yaml")):
        findings += _yaml_findings(path, "model")
    for name, (file, _) in TABLE_FILES.items():
        if (folder / file).is_file():
            findings += _table_findings(folder / file, name)
    if not findings:
        crosswalks = crosswalk_files(folder, read_yaml(folder / "config.yaml").get("ids") or {})
        findings = [text for path in sorted(set(crosswalks.values())) if path.is_file() for text in _table_findings(path, "crosswalk")]
    if findings:
        raise BscError(
            "BSC-CFG-002",
            f"The configuration departs from its schema in {len(findings)} place(s).",
            tuple(findings),
            "A key or value that is not understood would be passed over in silence.",
            "Correct each place named; what every key means is in docs/configuration.md.",
        )


def _yaml_findings(path: Path, schema: str) -> list[str]:
    from jsonschema import Draft202012Validator

    content = read_yaml(path)
    rules = read_yaml(SCHEMAS / f"{schema}.schema.yaml")
    findings = []
    for error in _leaves(Draft202012Validator(rules).iter_errors(content)):
        place = _place(path, list(error.absolute_path))
        findings += [f"{path}{place}: {text}" for text in _said(error)]
    return sorted(set(findings))


def _leaves(errors):
    """Yield the innermost errors: of a choice, those of the branch that fits best."""
    from jsonschema.exceptions import best_match

    for error in errors:
        inner = best_match(error.context) if error.context else None
        yield inner if inner is not None and inner.absolute_path != error.absolute_path else error


def _said(error) -> list[str]:
    if error.validator == "additionalProperties":
        known = sorted(error.schema.get("properties", {}))
        unknown = [str(k) for k in error.instance if k not in known]
        return [f"the key '{k}' is not known here. {nearest(k, known) or 'Known keys: ' + ', '.join(known)}".rstrip() for k in unknown]
    if error.validator == "required":
        absent = [k for k in error.validator_value if k not in error.instance]
        return [f"the key '{k}' is missing." for k in absent]
    if error.validator == "enum":
        allowed = [str(v) for v in error.validator_value]
        return [f"'{error.instance}' is not one of {', '.join(allowed)}. {nearest(str(error.instance), allowed)}".rstrip()]
    if error.validator == "type":
        kinds = error.validator_value if isinstance(error.validator_value, list) else [error.validator_value]
        words = {"object": "a group of keys", "array": "a list", "string": "text (in quotes)", "null": "null"}
        return [f"this must be {' or '.join(words.get(k, k) for k in kinds)}."]
    if error.validator in ("oneOf", "anyOf"):
        return ["this has none of the allowed forms, or mixes two of them."]
    if error.validator == "not":
        return ["this key means nothing beside the others given here."]
    if error.validator == "pattern":
        return [f"'{error.instance}' is not written as it must be: {error.schema.get('description', error.validator_value)}"]
    return [error.message if len(error.message) < 160 else f"the rule '{error.validator}' is not met."]


def _place(path: Path, steps: list) -> str:
    """Return ``, line 12, at waves.1.start`` for a place in a YAML file."""
    import yaml

    if not steps:
        return ""
    node = yaml.compose(path.read_text(encoding="utf-8"))
    line = 1
    for step in steps:
        if isinstance(node, yaml.MappingNode):
            pair = next(((k, v) for k, v in node.value if k.value == str(step)), None)
            if pair is None:
                break
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = node.start_mark.line + 1
    return f", line {line}, at {'.'.join(str(s) for s in steps)}"


def _table_findings(path: Path, name: str) -> list[str]:
    rules = table_schema()[name]
    known = list(rules["properties"])
    rows = read_rows(path)
    header = list(rows[0]) if rows else []
    findings = [f"{path}, column '{c}': not known. {nearest(str(c), known)}".rstrip() for c in header if c is not None and c not in known]
    findings += [f"{path}, row {i + 2}: more cells than the header has columns." for i, row in enumerate(rows) if None in row]
    findings += [f"{path}: the column '{c}' is missing." for c in rules["required"] if rows and c not in header]
    for column in (c for c in known if c in header):
        for i, row in enumerate(rows):
            text = _cell_finding(rules["properties"][column], (row[column] or "").strip(), column in rules["required"])
            if text:
                findings.append(f"{path}, row {i + 2}, column '{column}': {text}")
    return findings


def _cell_finding(rule: dict, text: str, required: bool) -> str:
    if text == "":
        return "is blank." if required else ""
    if "enum" in rule:
        allowed = [v for v in rule["enum"] if v]
        return "" if text in allowed else f"'{text}' is not one of {', '.join(allowed)}. {nearest(text, allowed)}".rstrip()
    if rule.get("type") in ("number", "integer"):
        pattern = r"[-+]?\d+" if rule["type"] == "integer" else r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?"
        return "" if re.fullmatch(pattern, text) else f"must be {'a whole number' if rule['type'] == 'integer' else 'a number'}."
    if "pattern" in rule and not re.search(rule["pattern"], text):
        return f"is not written as it must be: {rule['description']}"
    return ""
