"""The example of docs/multilevel.md prints what the page says."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "multilevel.md"


def examples():
    """Code and the output printed below it."""
    blocks = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    return [(code, shown) for (_, code), (kind, shown) in zip(blocks[:-1], blocks[1:], strict=True) if kind == "text"]


def test_the_example_prints_what_the_page_shows(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    space = {}
    found = examples()
    assert len(found) == 2
    for code, shown in found:
        exec(compile(code, str(PAGE), "exec"), space)
        printed = capsys.readouterr().out
        assert [line.rstrip() for line in printed.strip("\n").splitlines()] == shown.strip("\n").splitlines()
