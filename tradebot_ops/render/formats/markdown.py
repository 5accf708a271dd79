"""Markdown, for a merge request, a ticket or the summary of a CI job."""

import re
from typing import TextIO

from tradebot_ops.model import Finding, Level, Report, Section, Table

_SHOWN = (Level.ERROR, Level.FAIL, Level.WARN)
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~])")


def render(report: Report, stream: TextIO, color: bool | None) -> None:
    del color
    stream.write(f"# tradebot {report.command}\n\n")
    for level in _SHOWN:
        for finding in report.findings:
            if finding.level is level:
                stream.write(_finding(finding))
    for section in report.sections:
        stream.write(_section(section))
    for warning in report.warnings:
        stream.write(f"- Warning: {_plain(warning)}\n")


def _finding(finding: Finding) -> str:
    head = f"**{str(finding.level).upper()} {_plain(finding.id)}** {_plain(finding.title)}".rstrip()
    lines = [f"{head}: {_plain(finding.message)}"]
    lines += [f"  - observed: {_plain(finding.observed)}"] if finding.observed else []
    lines += [f"  - expected: {_plain(finding.expected)}"] if finding.expected else []
    lines += [f"  - type: {_code(finding.hint)}"] if finding.hint else []
    return "- " + "\n".join(lines) + "\n"


def _section(section: Section) -> str:
    parts = [f"\n## {_plain(section.title)}\n"] if section.title else ["\n"]
    parts += [f"{_plain(line)}  \n" for line in section.lines]
    parts += [f"\n{_table(table)}" for table in section.tables]
    return "".join(parts)


def _table(table: Table) -> str:
    head = [column.capitalize() for column in table.columns]
    rows = [head, ["---"] * len(head), *([_plain(cell) for cell in row] for row in table.rows)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _plain(text: str) -> str:
    """The text itself, whatever it holds: one line, nothing of it read as Markdown or HTML."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _code(text: str) -> str:
    return f"`{' '.join(text.split())}`" if "`" not in text else _plain(text)
