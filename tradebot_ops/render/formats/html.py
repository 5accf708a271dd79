"""One self-contained HTML page: nothing is loaded from anywhere, and every text is escaped."""

from typing import TextIO

from tradebot_ops.model import Level, Report
from tradebot_ops.version import version

_BAD = (Level.ERROR, Level.FAIL, Level.WARN)


def render(report: Report, stream: TextIO, color: bool | None) -> None:
    del color
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("tradebot_ops.render.formats", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    groups: dict[str, list[object]] = {}
    for finding in report.findings:
        groups.setdefault(finding.group, []).append(finding)
    bad = [finding for level in _BAD for finding in report.findings if finding.level is level]
    data = report.data if isinstance(report.data, dict) else {}
    page = environment.get_template("report.html.j2")
    stream.write(page.render(report=report, data=data, groups=groups, bad=bad, version=version()) + "\n")
