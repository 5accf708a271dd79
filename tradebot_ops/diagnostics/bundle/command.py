"""`diag bundle`: a preview, and the file where one is asked for."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tradebot_ops.context import Ops
from tradebot_ops.diagnostics.bundle import archive
from tradebot_ops.diagnostics.bundle.gather import Gathered, clean, collectors, gather
from tradebot_ops.diagnostics.bundle.triage import text, triage
from tradebot_ops.diagnostics.redaction import Redactor, of_project
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Report, Section, Table
from tradebot_ops.text.quantities import human_bytes


def bundle(ops: Ops, path: Path | None) -> Report:
    """Gather everything; with ``path`` write it. Nothing is uploaded.

    Raises ``OpsError`` TB-0802 when the file cannot be written, TB-0805 when a secret of the project cannot be read.
    """
    if path is not None and not path.parent.is_dir():
        raise OpsError(f"The folder of {path} does not exist.", code="TB-0802", hint=f"mkdir -p '{path.parent}'")
    gathered = collect(ops)
    size = archive.write(path, gathered) if path is not None else None
    return _report(gathered, path, size)


def collect(ops: Ops) -> Gathered:
    """Every file of a bundle, with the triage of what they say."""
    redactor = of_project(ops)
    gathered = gather(ops, redactor, collectors())
    found = triage(documents({part.name: part.text for part in gathered.parts}), gathered.rows)
    return _with(gathered, redactor, {"triage.json": found, "summary.md": text(found)})


def documents(files: Mapping[str, str]) -> dict[str, Any]:
    """Those files that are JSON; one that was cut is none any more."""
    found = {}
    for name, content in files.items():
        if name.endswith(".json"):
            try:
                found[name] = json.loads(content)
            except ValueError:
                continue
    return found


def _with(gathered: Gathered, redactor: Redactor, files: Mapping[str, Any]) -> Gathered:
    made = {name: clean(name, content, redactor) for name, content in files.items()}
    withheld = {name: "It could not be cleaned of secrets." for name, part in made.items() if part is None}
    parts = tuple(part for part in made.values() if part is not None)
    return replace(gathered, parts=(*parts, *gathered.parts), withheld=gathered.withheld | withheld)


def _report(gathered: Gathered, path: Path | None, size: int | None) -> Report:
    rows = tuple((row.collector, row.state, f"{row.milliseconds} ms", str(row.files), row.why) for row in gathered.rows)
    files = tuple(
        (part.name, human_bytes(len(part.content)), "its end" if part.cut else "whole") for part in gathered.parts
    )
    left = tuple((name, "withheld", why) for name, why in gathered.withheld.items())
    tables = (
        Table(("collector", "state", "took", "files", "why"), rows, "Collected"),
        Table(("file", "size", ""), (*files, *left), "Files"),
    )
    lines: tuple[str, ...] = ("Nothing was written. Write this: tradebot diag bundle --output-file bundle.tar.gz",)
    if path is not None:
        lines = (
            f"Wrote {path} ({human_bytes(size or 0)}), readable by you alone. Nothing was sent anywhere.",
            "Look through it before you give it away: secrets are taken out, names and addresses are not.",
        )
    data = {"file": str(path) if path else None, "bytes": size, **archive.manifest(gathered)}
    warnings = tuple(f"{row.collector}: {row.why}" for row in gathered.rows if row.state == "failed")
    return Report(data=data, warnings=warnings, sections=(Section(lines=lines, tables=tables),))
