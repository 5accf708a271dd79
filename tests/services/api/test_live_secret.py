"""A secret that changes under a running service: the new one at once, the old one for a moment more, then never."""

import os
from pathlib import Path

import pytest

from services.api.live_secret import GRACE_S, LiveSecret


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "api_key"
    path.write_text("the-old-one\n")
    return path


def change(file: Path, text: str, at: float) -> None:
    file.write_text(text)
    os.utime(file, (at, at))


def test_the_new_one_is_taken_at_once_and_the_old_one_for_a_moment(file: Path) -> None:
    now = 1000.0
    secret = LiveSecret(file, clock=lambda: now)
    assert secret.accepts("the-old-one")
    assert not secret.accepts("the-new-one")
    change(file, "the-new-one", 1000.0)
    assert secret.accepts("the-new-one")
    assert secret.accepts("the-old-one")
    now += GRACE_S
    assert not secret.accepts("the-old-one")
    assert secret.accepts("the-new-one")


def test_a_change_that_is_seen_late_gives_the_old_one_no_time(file: Path) -> None:
    secret = LiveSecret(file, clock=lambda: 5000.0)
    change(file, "the-new-one", 1000.0)
    assert not secret.accepts("the-old-one")


def test_a_clock_that_was_set_back_gives_the_old_one_no_time(file: Path) -> None:
    secret = LiveSecret(file, clock=lambda: 500.0)
    change(file, "the-new-one", 1000.0)
    assert not secret.accepts("the-old-one")


@pytest.mark.parametrize("text", ["", "\n", None])
def test_a_file_that_is_empty_or_gone_changes_nothing(file: Path, text: str | None) -> None:
    secret = LiveSecret(file)
    file.unlink() if text is None else file.write_text(text)
    assert secret.accepts("the-old-one")
    assert not secret.accepts("")


def test_without_a_file_there_is_none(tmp_path: Path) -> None:
    assert LiveSecret.of(None) is None
    with pytest.raises(FileNotFoundError):
        LiveSecret.of(tmp_path / "nowhere")


def test_no_value_stands_in_its_text(file: Path) -> None:
    assert "the-old-one" not in repr(vars(LiveSecret(file)))
