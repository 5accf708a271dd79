"""A log of a few changes, to be tampered with."""

from functools import partial
from pathlib import Path

from tradebot_ops.audit.chain import Head
from tradebot_ops.audit.log import AuditLog


def fill(folder: Path, count: int = 6, first: int = 1) -> list[Head]:
    """So many lines, one a minute; the end of the log after each."""
    log = AuditLog(folder)
    return [log.append(partial(_content, number)) for number in range(first, first + count)]


def _content(number: int) -> dict[str, str]:
    return {"event": "began", "at": f"2026-11-27T12:{number:02}:00+00:00", "command": f"c{number}"}


def lines(folder: Path) -> list[bytes]:
    return AuditLog(folder).read().splitlines(keepends=True)


def put(folder: Path, content: list[bytes]) -> None:
    AuditLog(folder).path.write_bytes(b"".join(content))
