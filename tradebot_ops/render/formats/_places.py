"""The file and line that a finding belongs to."""

import re

from tradebot_ops.model import Finding

#: Where a finding names no file: the one that describes everything.
DEFAULT = "compose.yaml"
_LINE = re.compile(r"(.+):(\d+)")


def place(finding: Finding) -> tuple[str, int]:
    """``("config/prometheus/prometheus.yml", 12)``: relative to the project's folder; line 1 where none is known."""
    anchor = finding.anchor.partition("#")[0].strip() or DEFAULT
    match = _LINE.fullmatch(anchor)
    return (match[1], max(1, int(match[2]))) if match else (anchor, 1)
