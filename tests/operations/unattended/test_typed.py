"""Words as schedulers read them."""

import shlex
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.operations.test_change import world
from tradebot_ops.operations.unattended.typed import assignment, call, carried, folder, unit_quoted

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


@pytest.mark.parametrize(
    "name",
    ["TRADEBOT_STATE", "TRADEBOT_BACKUPS", "TRADEBOT_PROFILES", "TRADEBOT_TIMEOUT", "XDG_STATE_HOME", "DOCKER_HOST",
     "DOCKER_CONTEXT", "PATH", "LOG_LEVEL", "API_PORT"],
)  # fmt: skip
def test_whatever_leads_to_another_stack_or_engine_goes_along(tmp_path: Path, name: str) -> None:
    assert carried(world(tmp_path, **{name: "17"}))[name] == "17"
    assert name not in carried(world(tmp_path, **{name: ""}))


@pytest.mark.parametrize("beside", [True, False])
def test_the_program_beside_this_python_or_the_one_that_was_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, beside: bool
) -> None:
    (tmp_path / "bin").mkdir()
    if beside:
        (tmp_path / "bin" / "tradebot").touch()
    monkeypatch.setattr("sys.executable", str(tmp_path / "bin" / "python"))
    monkeypatch.setattr("sys.argv", [str(tmp_path / "lib" / ".." / "own"), "up"])
    found = call(world(tmp_path), "up")[0]
    assert found == str(tmp_path / ("bin/tradebot" if beside else "own"))


def test_another_environment_is_typed_and_the_usual_one_is_not(tmp_path: Path) -> None:
    assert "--env" not in call(world(tmp_path), "up")
    words = call(world(tmp_path, TRADEBOT_ENV="staging"), "up")
    assert words[-4:] == ["--env", "staging", "up", "--quiet"]


def test_a_folder_is_the_rest_of_its_line(tmp_path: Path) -> None:
    assert folder(Path("/srv/50% of it")) == "/srv/50%% of it"
    assert assignment("A=50% of $5") == '"A=50%% of $5"'
    assert assignment('A=\\"') == '"A=\\\\\\""'
