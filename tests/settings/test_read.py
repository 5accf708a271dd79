"""Reading: precedence, origins, and sentences for what cannot be read."""

from pathlib import Path

import pytest

from tradebot_ops.errors import OpsError
from tradebot_ops.settings import load_settings


def test_flag_beats_environment_beats_toml_beats_default(tmp_path: Path) -> None:
    (tmp_path / "tradebot.toml").write_text('project = "from-toml"\nengine = "local"\n')
    environ = {"TRADEBOT_PROJECT": "from-env"}
    assert load_settings({}, {}, tmp_path).project == "from-toml"
    assert load_settings({}, environ, tmp_path).project == "from-env"
    assert load_settings({"project": "from-flag"}, environ, tmp_path).project == "from-flag"
    assert load_settings({}, {}, tmp_path).engine == "local"
    assert load_settings({}, {}, tmp_path / "elsewhere").project == "tradebot"


def test_each_stack_value_knows_where_it_came_from(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("WORKER_REPLICAS=3\nLOG_LEVEL='debug' # loud\nexport API_PORT=9000\n")
    (tmp_path / "tradebot.toml").write_text("[settings]\nLOG_LEVEL = 'warning'\n")
    settings = load_settings({}, {"API_PORT": "9001"}, tmp_path)
    shown = {
        name: (settings.stack[name].text, settings.stack[name].origin) for name in ("WORKER_REPLICAS", "LOG_LEVEL")
    }
    assert shown == {"WORKER_REPLICAS": ("3", ".env"), "LOG_LEVEL": ("warning", "tradebot.toml")}
    assert settings.stack["API_PORT"].origin == "environment"
    assert settings.stack["REDIS_MAXMEMORY"].origin == "default"
    assert "API_PORT" in settings.explicit
    assert "REDIS_MAXMEMORY" not in settings.explicit


def test_a_broken_env_file_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("LOG_LEVEL=info\nthis is no setting\n")
    with pytest.raises(OpsError, match=r"\.env, line 2"):
        load_settings({}, {}, tmp_path)


def test_a_missing_env_file_that_was_asked_for_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OpsError, match=r"no environment file .*prod\.env"):
        load_settings({"env_file": "prod.env"}, {}, tmp_path)


def test_env_prod_reads_its_own_file_first(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("LOG_LEVEL=debug\n")
    (tmp_path / ".env.production").write_text("LOG_LEVEL=error\n")
    settings = load_settings({"env": "prod"}, {}, tmp_path)
    assert settings.variables()["LOG_LEVEL"] == "error"
    assert settings.variables()["ENVIRONMENT"] == "production"


def test_a_docker_engine_named_by_an_option_is_put_where_docker_looks(tmp_path: Path) -> None:
    environ = {"DOCKER_HOST": "unix:///one.sock", "TRADEBOT_CONTEXT": "from-env"}
    by_host = load_settings({"host": "ssh://ops@host"}, environ, tmp_path)
    assert (by_host.docker_from, by_host.environ["DOCKER_HOST"]) == ("--host", "ssh://ops@host")
    for flags, expected in (({"context": "typed"}, "typed"), ({}, "from-env")):
        settings = load_settings(flags, environ, tmp_path)
        assert (settings.docker_from, settings.environ["DOCKER_CONTEXT"]) == ("--context", expected)
        assert "DOCKER_HOST" not in settings.environ
    assert load_settings({}, {"DOCKER_HOST": "unix:///one.sock"}, tmp_path).docker_from == ""
    with pytest.raises(OpsError, match="both name a Docker engine"):
        load_settings({"host": "ssh://h", "context": "c"}, {}, tmp_path)
