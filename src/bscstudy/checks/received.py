"""Built-in check of the raw files' bytes against the manifest of received files."""

from __future__ import annotations

from bscstudy.checks.registry import Finding, Source, register, whole_finding

SHOWN = 8


@register("raw_file_changed", "Raw file that is not the one received", "report", "files", needs="manifest")
def raw_file_changed(tables: dict[str, Source], config: dict) -> list[Finding]:
    """Raw files whose bytes are not those that the manifest lists; a study without a manifest is not checked."""
    listed = {row["file"]: row["sha256"] for row in config.get("manifest") or [] if row["status"] == "current"}
    findings = []
    for source in tables.values():
        read = {source.file: source.extra.get("sha256"), **(source.extra.get("companions") or {})}
        for file, digest in sorted(read.items()):
            if digest and file in listed and listed[file] != digest:
                said = f"{file}: {listed[file][:SHOWN]} in the manifest, {digest[:SHOWN]} now"
                findings.append(whole_finding("raw_file_changed", source, "", 1, "files", said))
    return findings
