"""JUnit XML, as CI systems read it: a suite for each group of findings, a case for each finding.

Written here: the libraries for it read and merge files, or want a test run to hook into. The tests read it back with
one of them. Warnings and waived failures are no failures: JUnit knows only passed, skipped, failed and broken.
"""

import re
from itertools import groupby
from typing import TextIO
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from tradebot_ops.model import Finding, Level, Report

#: What XML 1.0 cannot hold, even escaped.
_UNWRITABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(report: Report, stream: TextIO, color: bool | None) -> None:
    del color
    root = Element("testsuites", {"name": _text(f"tradebot {report.command}"), **_counts(report.findings)})
    for group, found in groupby(report.findings, key=lambda finding: finding.group):
        cases = tuple(found)
        suite = SubElement(root, "testsuite", {"name": _text(group or report.command), **_counts(cases)})
        for finding in cases:
            _case(suite, report.command, finding)
    indent(root)
    stream.write('<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n")


def _counts(findings: tuple[Finding, ...]) -> dict[str, str]:
    levels = [finding.level for finding in findings]
    return {
        "tests": str(len(levels)),
        "failures": str(levels.count(Level.FAIL)),
        "errors": str(levels.count(Level.ERROR)),
        "skipped": str(levels.count(Level.SKIP)),
        "time": f"{sum(finding.seconds or 0.0 for finding in findings):.3f}",
    }


def _case(suite: Element, command: str, finding: Finding) -> None:
    name = f"{finding.id} {finding.title}".strip()
    case = SubElement(
        suite,
        "testcase",
        {"classname": _text(f"{command}.{finding.id}"), "name": _text(name), "time": f"{finding.seconds or 0.0:.3f}"},
    )
    tag = {Level.FAIL: "failure", Level.ERROR: "error", Level.SKIP: "skipped"}.get(finding.level)
    if tag:
        entry = SubElement(case, tag, {"message": _text(finding.message)})
        if tag != "skipped":
            entry.set("type", _text(finding.severity) or str(finding.level))
            entry.text = _text(_body(finding))
    elif finding.level in {Level.WARN, Level.INFO}:
        SubElement(case, "system-out").text = _text(f"{str(finding.level).upper()}: {_body(finding)}")


def _body(finding: Finding) -> str:
    lines = [
        finding.message,
        *([f"observed: {finding.observed}"] if finding.observed else []),
        *([f"expected: {finding.expected}"] if finding.expected else []),
        *([f"type: {finding.hint}"] if finding.hint else []),
        *([f"edit: {finding.anchor}"] if finding.anchor else []),
        *([f"evidence:\n{finding.evidence}"] if finding.evidence else []),
    ]
    return "\n".join(lines)


def _text(text: str) -> str:
    return _UNWRITABLE.sub("?", text)
