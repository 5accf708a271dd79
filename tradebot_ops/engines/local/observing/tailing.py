"""Read rotated log files (``x.log``, older ``x.log.1``, ``x.log.2`` …) without loading them whole."""

import contextlib
import os
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

#: How far a log was read: bytes, and the inode of the file they are in.
Position = tuple[int, int | None]
NOWHERE: Position = (0, None)
_BLOCK = 64 * 1024
_BETWEEN_LOOKS = 0.1


def files(path: Path) -> list[Path]:
    """The log and its rotated predecessors, oldest first."""
    older = sorted(
        (candidate for candidate in path.parent.glob(f"{_quoted(path.name)}.*") if candidate.suffix[1:].isdigit()),
        key=lambda candidate: -int(candidate.suffix[1:]),
    )
    return [*older, path]


def last_lines(path: Path, count: int, *, end: Position = NOWHERE) -> Iterator[str]:
    """The last ``count`` lines over all files, oldest first; not beyond ``end`` where that is given.

    The files are held open from the first look on: a rotation meanwhile takes no line away.
    """
    with contextlib.ExitStack() as opened:
        found: list[tuple[BinaryIO, int, int]] = []
        for file in reversed(files(path)):
            if count <= 0:
                break
            with contextlib.suppress(FileNotFoundError):
                stream = opened.enter_context(file.open("rb"))
                size = _size(stream, end)
                limit = stream.seek(0, os.SEEK_END) if size is None else size
                start, lines = _start_of_last(stream, count, limit)
                count -= lines
                found.append((stream, start, limit))
        for part in reversed(found):
            yield from _between(*part)


def lines_since(path: Path, since: datetime | None, *, end: Position = NOWHERE) -> Iterator[str]:
    """Every line up to ``end``, oldest first; files last written before ``since`` are not opened."""
    for file in files(path):
        with contextlib.suppress(FileNotFoundError):
            if since is not None and file.stat().st_mtime < since.timestamp():
                continue
            with file.open("rb") as stream:
                size = _size(stream, end)
                for line in stream:
                    if size is not None and (size := size - len(line)) < 0:
                        return
                    yield _text(line)


def follow_lines(path: Path, *, offset: int = 0, inode: int | None = None) -> Iterator[str | None]:
    """Lines of the newest file from ``offset`` on, then each new one, over rotations; ``None`` while there is none.

    ``inode`` is that of the file ``offset`` belongs to: when it was rotated away meanwhile, its rest comes first.
    """
    stream = _open_at(path, offset, inode)
    pending = b""
    while True:
        if stream is None:
            with contextlib.suppress(FileNotFoundError):
                stream = path.open("rb")
        if stream is not None:
            while line := stream.readline():
                pending += line
                if pending.endswith(b"\n"):
                    yield _text(pending)
                    pending = b""
            if _replaced(stream, path):
                stream.close()
                stream = None
                continue
        yield None


def position(path: Path) -> Position:
    """The end of the newest file, and its inode; (0, None) when there is none yet."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return NOWHERE
    return status.st_size, status.st_ino


def pause() -> None:
    """Wait before looking at followed files again."""
    time.sleep(_BETWEEN_LOOKS)


def _open_at(path: Path, offset: int, inode: int | None) -> BinaryIO | None:
    for file in reversed(files(path)):
        with contextlib.suppress(FileNotFoundError):
            stream = file.open("rb")
            if inode is None or os.fstat(stream.fileno()).st_ino == inode:
                stream.seek(offset)
                return stream
            stream.close()
    return None


def _replaced(stream: BinaryIO, path: Path) -> bool:
    """Whether the name now means another file, or the file was emptied under us."""
    try:
        now = path.stat()
    except FileNotFoundError:
        return True
    return now.st_ino != os.fstat(stream.fileno()).st_ino or now.st_size < stream.tell()


def _size(stream: BinaryIO, end: Position) -> int | None:
    """The bytes to read when this is the file that ``end`` is in."""
    size, inode = end
    return size if inode is not None and os.fstat(stream.fileno()).st_ino == inode else None


def _start_of_last(stream: BinaryIO, count: int, limit: int) -> tuple[int, int]:
    """Where the last ``count`` lines before ``limit`` begin, and how many they are."""
    if not limit:
        return 0, 0
    stream.seek(limit - 1)
    whole = stream.read(1) == b"\n"
    wanted = count + whole  # the end of the line before the first
    position = limit
    while position > 0:
        block = min(_BLOCK, position)
        position -= block
        stream.seek(position)
        content = stream.read(block)
        here = content.count(b"\n")
        if here >= wanted:
            place = len(content)
            for _ in range(wanted):
                place = content.rfind(b"\n", 0, place)
            return position + place + 1, count
        wanted -= here
    return 0, count - wanted + 1


def _between(stream: BinaryIO, start: int, limit: int) -> Iterator[str]:
    stream.seek(start)
    left = limit - start
    for line in stream:
        if left <= 0:
            return
        yield _text(line[:left])
        left -= len(line)


def _text(line: bytes) -> str:
    return line.rstrip(b"\r\n").decode("utf-8", errors="replace")


def _quoted(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)
