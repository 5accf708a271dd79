"""Reading rotated logs from either end."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tradebot_ops.engines.local.observing import tailing


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Nine numbered lines over three files, as the supervisor rotates them."""
    path = tmp_path / "web-1.log"
    for name, numbers in (("web-1.log.2", (1, 2, 3)), ("web-1.log.1", (4, 5, 6)), ("web-1.log", (7, 8, 9))):
        (tmp_path / name).write_text("".join(f"line {number}\n" for number in numbers))
    (tmp_path / "web-10.log").write_text("not mine\n")
    return path


@pytest.mark.parametrize("count", [0, 1, 3, 5, 9, 20])
def test_the_last_lines_are_taken_over_all_files(log: Path, count: int) -> None:
    expected = [f"line {number}" for number in range(1, 10)]
    assert list(tailing.last_lines(log, count)) == expected[max(9 - count, 0) :]


def test_all_lines_come_oldest_first_and_old_files_stay_closed(log: Path) -> None:
    assert list(tailing.lines_since(log, None)) == [f"line {number}" for number in range(1, 10)]
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    os.utime(log.with_name("web-1.log.2"), (0, 0))
    assert next(tailing.lines_since(log, hour_ago)) == "line 4"


def test_a_log_that_does_not_exist_is_empty(tmp_path: Path) -> None:
    assert list(tailing.last_lines(tmp_path / "no.log", 3)) == []
    assert list(tailing.lines_since(tmp_path / "no.log", None)) == []


def test_the_tail_of_a_large_file_with_long_lines_is_exact(tmp_path: Path) -> None:
    path = tmp_path / "big.log"
    lines = [f"{number} " + "ü" * 1000 for number in range(500)]
    path.write_text("\n".join(lines) + "\n")
    assert list(tailing.last_lines(path, 321)) == lines[-321:]


@pytest.mark.parametrize("text", ["", "a", "a\n", "\n", "\n\n", "a\nb", "a\n\nb\n", "ü\nö\n" * 7 + "half"])
@pytest.mark.parametrize("block", [1, 2, 3, 65536])
def test_the_tail_is_exact_wherever_blocks_and_lines_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, block: int
) -> None:
    monkeypatch.setattr(tailing, "_BLOCK", block)
    path = tmp_path / "x.log"
    path.write_text(text)
    lines = text.removesuffix("\n").split("\n") if text else []
    for count in range(1, 20):
        assert list(tailing.last_lines(path, count)) == lines[-count:]


def test_following_goes_on_over_a_rotation_and_keeps_half_lines_back(log: Path) -> None:
    size, inode = tailing.position(log)
    lines = tailing.follow_lines(log, offset=size, inode=inode)
    assert next(lines) is None
    with log.open("a") as stream:
        stream.write("half")
    assert next(lines) is None
    with log.open("a") as stream:
        stream.write(" and whole\nlast of the old\n")
    log.rename(log.with_name("web-1.log.1"))
    log.write_text("first of the new\n")
    assert [next(lines) for _ in range(4)] == ["half and whole", "last of the old", "first of the new", None]


def test_what_was_written_between_reading_and_following_is_not_lost_to_a_rotation(log: Path) -> None:
    size, inode = tailing.position(log)
    with log.open("a") as stream:
        stream.write("between\n")
    log.rename(log.with_name("web-1.log.1"))
    log.write_text("new\n")
    lines = tailing.follow_lines(log, offset=size, inode=inode)
    assert [next(lines) for _ in range(3)] == ["between", "new", None]


def test_following_waits_for_a_log_to_appear(tmp_path: Path) -> None:
    path = tmp_path / "late.log"
    lines = tailing.follow_lines(path)
    assert next(lines) is None
    path.write_text("here\n")
    assert next(lines) == "here"


def test_reading_ends_where_following_begins(log: Path) -> None:
    end = tailing.position(log)
    with log.open("a") as stream:
        stream.write("later\n")
    assert list(tailing.lines_since(log, None, end=end))[-1] == "line 9"
    assert list(tailing.last_lines(log, 2, end=end)) == ["line 8", "line 9"]
    assert list(tailing.last_lines(log, 1)) == ["later"]
