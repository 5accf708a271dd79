"""What a command leaves behind: its words in the audit log, and all that its report holds."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from tradebot_ops.context import Change, Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Report
from tradebot_ops.operations.audit.entry import Audited
from tradebot_ops.progress import OnProgress, ProgressEvent


@dataclass(frozen=True)
class Made:
    """One change: its words in the audit log, the command first; whether it held the lease; and whether the progress
    of its hooks reached whoever looks on."""

    words: tuple[str, ...]
    leased: bool = True
    heard: bool = True


def made(monkeypatch: pytest.MonkeyPatch, act: Callable[[OnProgress], object]) -> list[Made]:
    """The changes that ``act`` makes, in order; those inside of another one are a part of it."""
    changes: list[Change] = []
    events: list[ProgressEvent] = []

    class Noted(Audited):
        def __init__(self, ops: Ops, made: Change) -> None:
            changes.append(made)
            super().__init__(ops, made)

    def hook(_ops: Ops, moment: str, command: str) -> Any:
        return SimpleNamespace(name=f"{moment}-{command}")

    monkeypatch.setattr("tradebot_ops.operations.change.Audited", Noted)
    monkeypatch.setattr("tradebot_ops.operations.hooks.find", hook)
    monkeypatch.setattr("tradebot_ops.operations.hooks.run", lambda *_: None)
    act(events.append)
    heard = {event.service for event in events}
    return [
        Made((each.command, *each.arguments), each.leased, {f"pre-{each.command}", f"post-{each.command}"} <= heard)
        for each in changes
    ]


def whole(report: Report) -> str:
    """Everything that a report holds, as text: one line for each row, finding and part of the data."""
    lines = [f"exit codes {int(report.success)}, {int(report.failure)}; now {report.exit_code}"]
    if report.command or not report.findings_shown:
        lines.append(f"command {report.command!r}, findings shown {report.findings_shown}")
    lines += [f"warning: {warning}" for warning in report.warnings]
    lines += [f"finding: {_pairs(asdict(finding))}" for finding in report.findings]
    for section in report.sections:
        lines.append(f"# {section.title}{' (markdown)' if section.markdown else ''}")
        lines += section.lines
        for table in section.tables:
            lines += [f"table {table.title}".rstrip(), *(repr(row) for row in (table.columns, *table.rows))]
    data = report.data if isinstance(report.data, dict) else {"": report.data}
    for key, value in data.items():
        parts = value if isinstance(value, list) and value else [value]
        lines += [f"data {key}: {json.dumps(part, ensure_ascii=False)}" for part in parts]
    return "\n".join(lines)


def refusal(error: OpsError) -> tuple[str, str, str]:
    return error.code, error.message, error.hint


def _pairs(fields: Mapping[str, object]) -> str:
    """What is left at its default is left out."""
    return ", ".join(
        f"{key}={value!s}" for key, value in fields.items() if value != "" and (key, value) != ("seconds", None)
    )
