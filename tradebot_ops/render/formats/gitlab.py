"""GitLab's code quality report: a list of issues, one for each finding that is not fine.

Source: GitLab's documentation, "Code Quality: implement a custom tool".
"""

import hashlib
import json
from typing import Any, TextIO

from tradebot_ops.model import Finding, Level, Report
from tradebot_ops.render.formats._places import place

_SHOWN = {Level.WARN, Level.FAIL, Level.ERROR}
_SEVERITIES = {"minor": "minor", "major": "major", "critical": "critical"}


def render(report: Report, stream: TextIO, color: bool | None) -> None:
    del color
    issues = [_issue(finding) for finding in report.findings if finding.level in _SHOWN]
    stream.write(json.dumps(issues, indent=2) + "\n")


def _issue(finding: Finding) -> dict[str, Any]:
    file, line = place(finding)
    hint = f" Type: {finding.hint}" if finding.hint else ""
    worst = _SEVERITIES.get(finding.severity, "major")
    return {
        "description": f"{finding.id} {finding.title}: {finding.message}{hint}",
        "check_name": finding.id,
        "fingerprint": hashlib.sha256(f"{finding.id} {file}".encode()).hexdigest(),
        "severity": "info" if finding.level is Level.WARN else worst,
        "location": {"path": file, "lines": {"begin": line}},
    }
