"""``-o plain``: tab-separated rows without decoration, for ``cut`` and ``awk``."""

from typing import TextIO

from tradebot_ops.model import Report


def render(report: Report, stream: TextIO, color: bool | None) -> None:
    del color
    stream.writelines(f"{finding.level.upper()}\t{finding.id}\t{finding.message}\n" for finding in report.findings)
    for section in report.sections:
        stream.writelines(line + "\n" for line in section.lines)
        for table in section.tables:
            stream.writelines(
                "\t".join(cell.replace("\t", " ") for cell in row) + "\n" for row in (table.columns, *table.rows)
            )
