"""Built-in checks of what the readers noticed about the files themselves."""

from __future__ import annotations

from bscstudy.checks.registry import Finding, Source, register, wave_by_row

#: check -> label, default severity, unit
NOTICES = {
    "file_notice": ("Something about the file that its reader noticed", "report", "cells"),
    "dropped_response": ("Response dropped by the source's rule", "report", "rows"),
    "test_response": ("Preview, test or spam response among those used", "report", "rows"),
    "form_rule_broken": ("Value that breaks a rule of its form", "report", "cells"),
    "answered_not_shown": ("Answer to a question that the form did not show", "report", "cells"),
    "error_cell": ("Excel error in a cell", "stop", "cells"),
}


def _noticed(check: str):
    def found(tables: dict[str, Source], config: dict) -> list[Finding]:
        findings = []
        for source in tables.values():
            entries = [entry for entry in source.extra.get("notices") or [] if entry["check"] == check]
            waves = wave_by_row(source) if entries else {}
            for entry in entries:
                told = (entry["column"], waves.get(entry["row"], ""), entry["n"], entry["unit"], entry["message"])
                findings.append(Finding(check, source.id, source.file, entry["row"], *told))
        return findings

    return found


for _check, (_label, _severity, _unit) in NOTICES.items():
    register(_check, _label, _severity, _unit)(_noticed(_check))
