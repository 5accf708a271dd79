"""One self-contained HTML page: nothing is loaded from anywhere, and every text is escaped."""

from typing import TextIO

from tradebot_ops.model import Level, Report
from tradebot_ops.pages import template
from tradebot_ops.version import version

_BAD = (Level.ERROR, Level.FAIL, Level.WARN)


def render(report: Report, stream: TextIO, color: bool | None) -> None:
    del color
    groups: dict[str, list[object]] = {}
    for finding in report.findings:
        groups.setdefault(finding.group, []).append(finding)
    bad = [finding for level in _BAD for finding in report.findings if finding.level is level]
    data = report.data if isinstance(report.data, dict) else {}
    page = template("tradebot_ops.render.formats", "report.html.j2")
    stream.write(page.render(report=report, data=data, groups=groups, bad=bad, version=version()) + "\n")
