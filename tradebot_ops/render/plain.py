"""``-o plain``: tab-separated rows without decoration, for ``cut`` and ``awk``."""

from typing import TextIO

from tradebot_ops.model import Report


def render(report: Report, stream: TextIO, color: bool | None) -> None:
    del color
    for finding in report.findings:
        stream.write(f"{finding.level.upper()}\t{finding.id}\t{finding.message}\n")
    for section in report.sections:
        for line in section.lines:
            stream.write(line + "\n")
        for table in section.tables:
            for row in (table.columns, *table.rows):
                stream.write("\t".join(cell.replace("\t", " ") for cell in row) + "\n")
