"""SARIF 2.1.0, as code scanning reads it: a rule for each finding's id, a result for each that is not fine.

Every result has a location: GitHub drops the whole file for one without. Specification: OASIS SARIF 2.1.0.
"""

import hashlib
import json
from typing import Any, TextIO
from urllib.parse import quote

from tradebot_ops.model import Finding, Level, Report
from tradebot_ops.render.formats._places import place
from tradebot_ops.version import version

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
MORE = "https://github.com/tradebot-ops/tradebot/tree/main/docs"
_LEVELS = {Level.WARN: "warning", Level.FAIL: "error", Level.ERROR: "error"}


def render(report: Report, stream: TextIO, color: bool | None) -> None:
    del color
    rules = {finding.id: _rule(finding) for finding in report.findings}
    results = [_result(finding, list(rules)) for finding in report.findings if finding.level in _LEVELS]
    driver = {"name": "tradebot", "version": version(), "informationUri": MORE, "rules": list(rules.values())}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "automationDetails": {"id": f"tradebot/{report.command}/"},
        "results": results,
    }
    stream.write(json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n")


def _rule(finding: Finding) -> dict[str, Any]:
    rule: dict[str, Any] = {"id": finding.id, "shortDescription": {"text": finding.title or finding.id}}
    if finding.group or finding.severity:
        rule["properties"] = {"tags": [text for text in dict.fromkeys((finding.group, finding.severity)) if text]}
    return rule


def _result(finding: Finding, rules: list[str]) -> dict[str, Any]:
    file, line = place(finding)
    sentences = [finding.message, *([f"Type: {finding.hint}"] if finding.hint else [])]
    location = {"artifactLocation": {"uri": quote(file)}, "region": {"startLine": line}}
    return {
        "ruleId": finding.id,
        "ruleIndex": rules.index(finding.id),
        "level": _LEVELS[finding.level],
        "message": {"text": " ".join(sentences)},
        "locations": [{"physicalLocation": location}],
        # The same finding in the next run is the same one, whatever was observed.
        "partialFingerprints": {"tradebot/v1": hashlib.sha256(f"{finding.id} {file}".encode()).hexdigest()},
    }
