"""What docs/reading-files.md shows is a valid configuration, and the options that fit no file are refused."""

import re

import jsonschema
import pytest
import yaml

from bscstudy.workflow import PACKAGE

PAGE = PACKAGE.parents[1] / "docs" / "reading-files.md"
SCHEMA = yaml.safe_load((PACKAGE / "schemas" / "sources.schema.yaml").read_text(encoding="utf-8"))
EXAMPLES = re.findall(r"```yaml\n(.+?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_of_the_page_are_valid(example):
    sources = {name: {"instrument": "form", **source} for name, source in yaml.safe_load(example).items()}
    jsonschema.Draft202012Validator(SCHEMA).validate(sources)


REFUSED = [
    ("excel", {"header_rows": 2}),
    ("csv", {"header_rows": 2, "header_separator": "_"}),
    ("csv", {"delimiter": ",,"}),
    ("csv", {"delimiter": '"'}),
    ("qualtrics", {"drop": ["bots"]}),
    ("csv", {"drop": ["spam"]}),
    ("csv", {"events": "data/raw/events.csv"}),
]


@pytest.mark.parametrize(("reader", "options"), REFUSED)
def test_options_that_cannot_work_are_refused(reader, options):
    source = {"instrument": "form", "reader": reader, "file": "data/raw/a.csv", "options": options}
    assert list(jsonschema.Draft202012Validator(SCHEMA).iter_errors({"a": source}))


@pytest.mark.parametrize("delimiter", [";", "tab", "\t", "|"])
def test_any_single_character_may_part_the_columns(delimiter):
    source = {"instrument": "form", "reader": "csv", "file": "data/raw/a.csv", "options": {"delimiter": delimiter}}
    jsonschema.Draft202012Validator(SCHEMA).validate({"a": source})
