"""What is common to all screens of one report: a narrow terminal shows what a wide one and a pipe show."""

import io
from collections import Counter

import pytest
from rich.text import Text

from tradebot_ops.model import Report, Table
from tradebot_ops.render import table


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def same_facts(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every letter of the wide screen on the narrow one, and no row wider than it."""
    found = []
    for columns in (80, 200):
        monkeypatch.setenv("COLUMNS", str(columns))
        found.append(shown(report, Terminal()))
        assert not _tables(report) or max(len(line) for line in _rows(report, found[-1])) <= columns
    assert letters(found[0]) == letters(found[1])


def whole_in_a_pipe(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each row of each table on one line, nothing of it missing."""
    monkeypatch.delenv("COLUMNS", raising=False)
    lines = shown(report, io.StringIO()).splitlines()
    for row in (row for each in _tables(report) for row in each.rows):
        assert any(all(cell.strip() in line for cell in row) for line in lines), row


def shown(report: Report, stream: io.StringIO) -> str:
    table.render(report, stream, False)
    return Text.from_ansi(stream.getvalue()).plain


def letters(text: str) -> Counter[str]:
    return Counter("".join(text.split()))


def _tables(report: Report) -> list[Table]:
    return [part for section in report.sections for part in section.tables]


def _rows(report: Report, text: str) -> list[str]:
    """The lines of tables; sentences and hints are left to the terminal to fold, so that a command in them can be
    copied."""
    sentences = {line for section in report.sections for line in section.lines}
    sentences |= {f"      -> {finding.hint}" for finding in report.findings}
    return [line.rstrip() for line in text.splitlines() if line not in sentences]
