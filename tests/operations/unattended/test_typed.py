"""Words as schedulers read them."""

import shlex
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.operations.test_change import world
from tradebot_ops.operations.unattended.typed import call, carried, unit_quoted

WORDS = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF, blacklist_characters="\x7f"), min_size=1)


@given(st.lists(WORDS, min_size=1))
def test_what_systemd_reads_is_what_was_meant(words: list[str]) -> None:
    """Its quotes and backslashes mean what they mean in a shell; percent signs and dollars are doubled."""
    line = " ".join(map(unit_quoted, words))
    assert [word.replace("%%", "%").replace("$$", "$") for word in shlex.split(line)] == words


@pytest.mark.parametrize("word", ["trading_bot", "/srv/my-bot/compose.yaml", "--engine", "a=b,c:d@e+f"])
def test_plain_words_stay_plain(word: str) -> None:
    assert unit_quoted(word) == word


def test_a_call_finds_the_same_project(tmp_path: Path) -> None:
    ops = world(tmp_path)
    words = call(ops, "up")
    assert Path(words[0]).is_absolute()
    assert words[1:] == ["-p", "demo", "--engine", "stub", "--file", str(tmp_path / "compose.yaml"), "up", "--quiet"]
    (tmp_path / ".env").write_text("LOG_LEVEL=debug\n")
    assert call(world(tmp_path), "up")[7:9] == ["--env-file", str(tmp_path / ".env")]


def test_settings_of_this_shell_are_carried_and_nothing_else_of_it(tmp_path: Path) -> None:
    ops = world(tmp_path, WORKER_REPLICAS="5", TRADEBOT_PROFILES="core", AWS_SECRET_ACCESS_KEY="x")
    found = carried(ops)
    assert found.keys() == {"TRADEBOT_STATE", "TRADEBOT_PROFILES", "PATH", "WORKER_REPLICAS"}
