"""Secrets that the user wrote, as editors and generators leave them."""

from dataclasses import replace
from pathlib import Path

import pytest

from tradebot_ops.errors import ExitCode, OpsError
from tradebot_ops.operations.secrets import ensure, missing
from tradebot_ops.stack.model import SecretFile, Stack
from tradebot_ops.state import ProjectState


def made(folder: Path, content: bytes) -> tuple[str, ...]:
    """The names that are made beside a password with this content."""
    state = ProjectState(folder)
    state.write("secrets/prometheus_password", "")
    state.secrets.joinpath("prometheus_password").write_bytes(content)
    own = SecretFile("prometheus_password", state.secrets / "prometheus_password")
    derived = replace(own, name="prometheus_web", file=state.secrets / "prometheus_web", derive="prometheus_web_http")
    return ensure(Stack("demo", folder, (), {}, secrets={each.name: each for each in (own, derived)}), state)


@pytest.mark.parametrize("content", [b"x" * 72, b"x" * 72 + b"\n", "ü".encode() * 36, b"a b c"])
def test_what_bcrypt_takes_is_taken(tmp_path: Path, content: bytes) -> None:
    assert made(tmp_path, content) == ("prometheus_web",)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"x" * 73, "has 73 bytes"),
        ("ü".encode() * 37, "has 74 bytes"),
        (b"\xef\xbb\xbfhunter2", "begins with a byte order mark"),
        (b"\xff\xfehunter2", "is not UTF-8 text"),
    ],
)
def test_what_cannot_be_used_is_refused_before_anything_is_made(tmp_path: Path, content: bytes, why: str) -> None:
    with pytest.raises(OpsError, match=why) as caught:
        made(tmp_path, content)
    assert caught.value.code == "TB-0843"
    assert "hunter2" not in caught.value.message


def test_those_that_are_not_there_are_named_in_order(tmp_path: Path) -> None:
    for name in ("d", "b"):
        (tmp_path / name).write_text("there")
    declared = {name: SecretFile(name, tmp_path / name) for name in ("e", "d", "a", "c", "b")}
    assert missing(Stack("demo", tmp_path, (), {}, secrets=declared)) == ("a", "c", "e")


def test_a_file_that_the_user_chose_is_the_users_to_fill(tmp_path: Path) -> None:
    state = ProjectState(tmp_path / "state")
    theirs = SecretFile("api_key", tmp_path / "theirs" / "api_key")
    with pytest.raises(OpsError, match="theirs/api_key is missing") as caught:
        ensure(Stack("demo", tmp_path, (), {}, secrets={"api_key": theirs}), state)
    assert (caught.value.code, caught.value.exit_code) == ("TB-0805", ExitCode.CONFIG_INVALID)
    assert not theirs.file.exists()
