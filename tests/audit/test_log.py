"""Lines are added whole and in a row, also by many at once, after a kill and on a full disk."""

import errno
import fcntl
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.audit.kit import fill, lines, put
from tradebot_ops.audit import HEAD
from tradebot_ops.audit.chain import Entry
from tradebot_ops.audit.log import AuditLog
from tradebot_ops.audit.verify import judge
from tradebot_ops.errors import OpsError


def numbers(folder: Path) -> list[int | None]:
    return [entry.number if (entry := Entry.read(line.rstrip(b"\n"))) else None for line in lines(folder)]


def whole(folder: Path) -> bool:
    return not judge(AuditLog(folder).read(), [], "desk").wrong


def test_lines_are_chained_and_their_end_is_noted(tmp_path: Path) -> None:
    heads = fill(tmp_path, 3)
    assert [head.entries for head in heads] == [1, 2, 3]
    assert AuditLog(tmp_path).noted() == heads[-1]
    assert whole(tmp_path)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_many_at_once_lose_nothing(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: fill(tmp_path, 1, number), range(40)))
    assert numbers(tmp_path) == list(range(1, 41))
    assert not [each for each in judge(AuditLog(tmp_path).read(), [], "desk").wrong if "clock" not in each]


def test_half_a_line_goes_with_the_next(tmp_path: Path) -> None:
    """As a host that loses power leaves it."""
    fill(tmp_path, 2)
    put(tmp_path, [*lines(tmp_path), b'{"number": 3, "eve'])
    fill(tmp_path, 1, 3)
    assert numbers(tmp_path) == [1, 2, 3]
    assert whole(tmp_path)


def test_a_line_without_its_end_stays(tmp_path: Path) -> None:
    fill(tmp_path, 2)
    put(tmp_path, [AuditLog(tmp_path).read()[:-1]])
    fill(tmp_path, 1, 3)
    assert numbers(tmp_path) == [1, 2, 3]
    assert whole(tmp_path)


def test_a_note_that_lags_after_a_kill_is_no_gap(tmp_path: Path) -> None:
    heads = fill(tmp_path, 3)
    (tmp_path / HEAD).write_text(f'{{"entries": 2, "hash": "{heads[1].hash}"}}')
    fill(tmp_path, 1, 4)
    assert numbers(tmp_path) == [1, 2, 3, 4]
    assert whole(tmp_path)


@pytest.mark.parametrize("content", ["", "{", '{"entries": "x"}', "{}"])
def test_a_damaged_note_counts_as_none(tmp_path: Path, content: str) -> None:
    fill(tmp_path, 2)
    (tmp_path / HEAD).write_text(content)
    assert AuditLog(tmp_path).noted() is None
    fill(tmp_path, 1, 3)
    assert numbers(tmp_path) == [1, 2, 3]


def test_what_was_emptied_leaves_a_gap_that_stays(tmp_path: Path) -> None:
    fill(tmp_path, 3)
    put(tmp_path, [])
    fill(tmp_path, 2, 4)
    assert numbers(tmp_path) == [4, 5]
    assert not whole(tmp_path)


def test_lines_of_before_are_frozen_where_the_chain_begins(tmp_path: Path) -> None:
    put(tmp_path, [b"scale worker 6\n", b'{"command": "up"}\n'])
    fill(tmp_path, 2)
    assert numbers(tmp_path) == [None, None, 1, 2]
    assert whole(tmp_path)


def test_on_a_full_disk_nothing_is_added_by_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, 2)
    before = AuditLog(tmp_path).read()
    real = os.write

    def full(handle: int, content: bytes) -> int:
        if len(content) < 20:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(handle, content[: len(content) // 2])

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OpsError, match="the disk is full"):
        fill(tmp_path, 1, 3)
    assert AuditLog(tmp_path).read() == before


def test_one_that_was_stopped_while_it_held_the_log_does_not_hold_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path, 1)
    monkeypatch.setattr("tradebot_ops.audit.log._PATIENCE", 0.0)
    with AuditLog(tmp_path).path.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(OpsError) as caught:
            fill(tmp_path, 1, 2)
    assert caught.value.code == "TB-0802"


def test_one_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    AuditLog(tmp_path).path.mkdir()
    with pytest.raises(OpsError) as caught:
        AuditLog(tmp_path).read()
    assert caught.value.code == "TB-0134"


def test_there_is_none_before_the_first_change(tmp_path: Path) -> None:
    assert AuditLog(tmp_path / "nowhere").read() == b""
    assert AuditLog(tmp_path / "nowhere").noted() is None
    assert fill(tmp_path / "nowhere", 1) == [AuditLog(tmp_path / "nowhere").noted()]
