"""Annotations of a GitHub Actions run: one workflow command a line for each finding that is not fine.

Source: GitHub's documentation, "Workflow commands for GitHub Actions". The table of the job's summary is `markdown`.
"""

from typing import TextIO

from tradebot_ops.model import Finding, Level, Report
from tradebot_ops.render.formats._places import place
from tradebot_ops.text.sentences import agreed

_COMMANDS = {Level.WARN: "warning", Level.FAIL: "error", Level.ERROR: "error"}


def render(report: Report, stream: TextIO, color: bool | None) -> None:
    del color
    for finding in report.findings:
        if finding.level in _COMMANDS:
            stream.write(_annotation(finding) + "\n")
    for warning in report.warnings:
        stream.write(f"::warning title=tradebot {report.command}::{_escaped(warning)}\n")
    bad = sum(finding.level in {Level.FAIL, Level.ERROR} for finding in report.findings)
    stream.write(agreed(f"tradebot {report.command}: {bad} of {len(report.findings)} findings are failures.\n"))


def _annotation(finding: Finding) -> str:
    file, line = place(finding)
    title = f"{finding.id} {finding.title}".strip()
    text = "\n".join([finding.message, *([f"Type: {finding.hint}"] if finding.hint else [])])
    where = f"file={_property(file)},line={line},title={_property(title)}"
    return f"::{_COMMANDS[finding.level]} {where}::{_escaped(text)}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")
