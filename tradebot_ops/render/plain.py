"""``-o plain``: tab-separated rows without decoration, for ``cut`` and ``awk``."""

from typing import TextIO

from tradebot_ops.model import Report
from tradebot_ops.text.visible import visible


def render(report: Report, stream: TextIO, color: bool | None) -> None:
    del color
    rows = [f"{finding.level.upper()}\t{finding.id}\t{finding.message}" for finding in report.findings]
    for section in report.sections:
        rows += section.lines
        for table in section.tables:
            rows += ["\t".join(cell.replace("\t", " ") for cell in row) for row in (table.columns, *table.rows)]
    stream.writelines(visible(row) + "\n" for row in rows)
