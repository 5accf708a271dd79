"""Settings come from the compose file's folder, whatever folder below it one stands in."""

from pathlib import Path

import pytest

from tradebot_ops.errors import OpsError
from tradebot_ops.settings import load_settings
from tradebot_ops.settings.folder import COMPOSE_FILES, nearest, settings_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "compose.yaml").touch()
    (tmp_path / ".env").write_text("LOG_LEVEL=debug\n", encoding="utf-8")
    (tmp_path / "tradebot.toml").write_text('project = "bot"\nenv_file = "own.env"\n', encoding="utf-8")
    (tmp_path / "own.env").write_text("LOG_FORMAT=console\n", encoding="utf-8")
    (tmp_path / "sub" / "below").mkdir(parents=True)
    return tmp_path


def test_of_the_compose_file_upwards(folder: Path) -> None:
    below = folder / "sub" / "below"
    assert settings_folder([], below) == folder
    found = load_settings({}, {}, below)
    assert (found.project, found.folder, found.cwd) == ("bot", folder, below)
    assert found.env_file == folder / "own.env"
    assert found.stack["LOG_FORMAT"].text == "console"


def test_of_the_compose_file_that_is_named(folder: Path) -> None:
    elsewhere = folder.parent / "elsewhere"
    for flags, environ in (
        ({"files": [str(folder / "compose.yaml")]}, {}),
        ({}, {"TRADEBOT_FILE": "../x/compose.yaml"}),
    ):
        expected = folder if flags else elsewhere.parent / "x"
        assert load_settings(flags, environ, elsewhere).folder == expected


def test_of_the_folder_one_stands_in_where_there_is_no_compose_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("LOG_LEVEL=debug\n", encoding="utf-8")
    (tmp_path / "sub").mkdir()
    assert load_settings({}, {}, tmp_path).stack["LOG_LEVEL"].text == "debug"
    assert load_settings({}, {}, tmp_path / "sub").stack["LOG_LEVEL"].text == "info"


def test_what_is_typed_starts_from_the_folder_one_stands_in(folder: Path) -> None:
    (folder / "sub" / "mine.env").write_text("LOG_LEVEL=error\n", encoding="utf-8")
    for flags, environ in (({"env_file": "mine.env"}, {}), ({}, {"TRADEBOT_ENV_FILE": "mine.env"})):
        found = load_settings(flags, environ, folder / "sub")
        assert (found.project, found.stack["LOG_LEVEL"].text) == ("bot", "error")


def test_a_misspelt_key_of_the_file_that_only_tradebot_reads_is_an_error(folder: Path) -> None:
    (folder / "tradebot.toml").write_text('profile = ["monitoring"]\n', encoding="utf-8")
    with pytest.raises(OpsError, match=r"tradebot\.toml: `profile` is no key") as caught:
        load_settings({}, {}, folder / "sub")
    assert caught.value.code == "TB-0804"
    assert caught.value.hint.startswith("Did you mean `profiles`?")


def test_of_two_names_the_first_counts_and_the_nearest_before_both(tmp_path: Path) -> None:
    below = tmp_path / "sub"
    below.mkdir()
    for name in ("compose.yml", "compose.yaml", "docker-compose.yml"):
        (tmp_path / name).touch()
    (below / "docker-compose.yaml").touch()
    assert nearest(COMPOSE_FILES, below) == tmp_path / "compose.yaml"
    (below / "compose.yml").touch()
    assert nearest(COMPOSE_FILES, below) == below / "compose.yml"
    assert nearest(("gone",), below) is None
    (below / "gone").mkdir()
    assert nearest(("gone",), below) is None, "a folder is no file"
