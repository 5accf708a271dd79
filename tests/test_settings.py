"""Settings: precedence, origins, sizes, and sentences for what cannot be read."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradebot_ops.errors import OpsError
from tradebot_ops.settings import STACK_SETTINGS, Secret, load_settings, parse_size


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


def test_sizes_reach_each_service_in_the_form_it_reads(tmp_path: Path) -> None:
    environ = {"WORKER_MEMORY_LIMIT": "4gb", "REDIS_MAXMEMORY": "1.5gb", "POSTGRES_SHARED_BUFFERS": "4GB"}
    variables = load_settings({}, environ, tmp_path).variables()
    assert variables["WORKER_MEMORY_LIMIT"] == str(4 * 1024**3)
    assert variables["REDIS_MAXMEMORY"] == str(1536 * 1024**2)
    assert variables["POSTGRES_SHARED_BUFFERS"] == f"{4 * 1024**2}kB"


@given(st.integers(0, 2**40), st.sampled_from(["", "b", "k", "kb", "M", "MB", "g", "Gb"]))
def test_sizes_count_in_1024s(number: int, unit: str) -> None:
    power = {"": 0, "b": 0, "k": 1, "m": 2, "g": 3}[unit.lower()[:1]]
    assert parse_size(f"{number}{unit}") == number * 1024**power


@pytest.mark.parametrize("text", ["", "4 apples", "gb", "-1gb", "1e9", "4gib gb"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a size"):
        parse_size(text)


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"WORKER_REPLICAS": "many"}, "WORKER_REPLICAS (from environment)"),
        ({"WORKER_REPLICAS": "1000"}, "from 0 to 100"),
        ({"LOG_FORMAT": "xml"}, "json, console"),
        ({"API_PORT": "70000"}, "from 1 to 65535"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_with_its_origin(
    tmp_path: Path, environ: dict[str, str], named: str
) -> None:
    with pytest.raises(OpsError, match="from environment") as raised:
        load_settings({}, environ, tmp_path).variables()
    assert named in raised.value.message
    assert raised.value.exit_code == 8


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


def test_every_default_passes_its_own_check(tmp_path: Path) -> None:
    assert set(load_settings({}, {}, tmp_path).variables()) >= {setting.name for setting in STACK_SETTINGS}


def test_memory_limits_follow_from_what_is_asked_for_unless_they_are_set(tmp_path: Path) -> None:
    environ = {"POSTGRES_SHARED_BUFFERS": "4GB", "WORKER_MEMORY_LIMIT": "4gb", "REDIS_MEMORY_LIMIT": "3gb"}
    variables = load_settings({}, environ, tmp_path).variables()
    assert variables["POSTGRES_MEMORY_LIMIT"] == str(9 * 1024**3)
    assert variables["JOB_MEMORY_LIMIT"] == str(2 * 1024**3)
    assert variables["REDIS_MEMORY_LIMIT"] == "3gb"


def test_a_secret_never_shows_itself() -> None:
    secret = Secret("hunter2")
    assert "hunter2" not in f"{secret} {secret!r} {secret:>20} {[secret]}" + "%s" % secret  # noqa: UP031
    assert secret.reveal() == "hunter2"
    assert json.dumps({"it": str(secret)}) == '{"it": "[REDACTED]"}'


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
