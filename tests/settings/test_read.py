"""Reading: precedence, origins, and sentences for what cannot be read."""

from pathlib import Path
from typing import Any

import pytest

from tradebot_ops.errors import OpsError
from tradebot_ops.settings import DEFAULT_PROFILES, Value, load_settings


def test_flag_beats_environment_beats_toml_beats_default(tmp_path: Path) -> None:
    (tmp_path / "tradebot.toml").write_text('project = "from-toml"\nengine = "local"\n')
    environ = {"TRADEBOT_PROJECT": "from-env"}
    assert load_settings({}, {}, tmp_path).project == "from-toml"
    assert load_settings({}, environ, tmp_path).project == "from-env"
    assert load_settings({"project": "from-flag"}, environ, tmp_path).project == "from-flag"
    assert load_settings({}, {}, tmp_path).engine == "local"
    assert load_settings({}, {}, tmp_path / "elsewhere").project == "tradebot"


def test_what_nobody_sets(tmp_path: Path) -> None:
    found = load_settings({}, {"HOME": str(tmp_path)}, tmp_path)
    assert (found.project, found.project_chosen, found.env, found.engine, found.output) == (
        "tradebot", False, "dev", "auto", "table",
    )  # fmt: skip
    assert (found.timeout, found.yes, found.quiet, found.verbose, found.color) == (180.0, False, False, 0, None)
    assert DEFAULT_PROFILES == ("monitoring",), "at the first `up`"
    assert (found.files, found.profiles, found.docker_from, found.waivers) == ((), None, "", ())
    assert found.backups == tmp_path / ".local" / "share" / "tradebot" / "backups"


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


def test_variables_of_an_env_file_are_those_of_the_environment_and_of_the_lines_before(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("HOST=db\nURL=http://${HOST}:${PORT:-80}\nPLAIN='$HOST'\n")
    stack = load_settings({}, {}, tmp_path).stack
    assert (stack["URL"].text, stack["PLAIN"].text) == ("http://db:80", "$HOST")
    assert load_settings({}, {"HOST": "other", "PORT": "1"}, tmp_path).stack["URL"].text == "http://other:1"


def test_a_variable_that_nothing_sets_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("# ours\nDATABASE_PASSWORD=pa$word\n")
    with pytest.raises(OpsError, match=r"\.env, line 2: DATABASE_PASSWORD needs the variable word") as caught:
        load_settings({}, {}, tmp_path)
    assert "$$" in caught.value.hint


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
    for option, other in (("host", "context"), ("context", "host")):
        typed = load_settings({option: "typed"}, {f"TRADEBOT_{other.upper()}": "told"}, tmp_path)
        assert typed.docker_from == f"--{option}", "what is typed outranks the other one of the environment"
    with pytest.raises(OpsError, match="both name a Docker engine"):
        load_settings({"host": "ssh://h", "context": "c"}, {}, tmp_path)


YES, NO = ("1", "true", "yes", "on"), ("", "0", "false", "no", "off")


@pytest.mark.parametrize("told", [*YES, *NO])
def test_yes_of_the_environment(tmp_path: Path, told: str) -> None:
    for written in (told, told.upper(), told.title(), f"{told} "):
        assert load_settings({}, {"TRADEBOT_YES": written}, tmp_path).yes is (told in YES)
    assert load_settings({"yes": True}, {"TRADEBOT_YES": told}, tmp_path).yes


@pytest.mark.parametrize("told", ["y", "ja", "2", "-1", "true false"])
def test_what_is_neither_yes_nor_no_is_refused_and_what_is_typed_outranks_it(tmp_path: Path, told: str) -> None:
    with pytest.raises(OpsError) as caught:
        load_settings({}, {"TRADEBOT_YES": told}, tmp_path)
    assert (caught.value.message, caught.value.code) == (f"TRADEBOT_YES: '{told}' is neither on nor off.", "TB-0205")
    assert caught.value.hint == "Write one of on, true, yes, 1, off, false, no, 0."
    assert load_settings({"yes": True}, {"TRADEBOT_YES": told}, tmp_path).yes


@pytest.mark.parametrize("told", ["nan", "inf", "-inf", "0", "-1", "86401", "soon", "1,5"])
def test_a_timeout_that_would_never_or_always_be_over_is_refused(tmp_path: Path, told: str) -> None:
    with pytest.raises(OpsError, match="is not a timeout in seconds") as caught:
        load_settings({"timeout": told}, {}, tmp_path)
    assert caught.value.code == "TB-0205"


@pytest.mark.parametrize(("told", "seconds"), [("0.5", 0.5), ("86400", 86400.0), ("1e2", 100.0)])
def test_a_timeout(tmp_path: Path, told: str, seconds: float) -> None:
    assert load_settings({}, {"TRADEBOT_TIMEOUT": told}, tmp_path).timeout == seconds


@pytest.mark.parametrize("name", ["", "-demo", "Demo", "a/b", "..", "a" * 64, "de mo", "demo\n"])
def test_what_cannot_name_a_project(tmp_path: Path, name: str) -> None:
    with pytest.raises(OpsError, match="cannot name a project"):
        load_settings({"project": name}, {}, tmp_path)


@pytest.mark.parametrize(
    ("environ", "color"),
    [
        ({}, None),
        ({"CI": "1"}, False),
        ({"FORCE_COLOR": "1", "CI": "1"}, True),
        ({"FORCE_COLOR": "", "CI": "1"}, False),
        ({"NO_COLOR": ""}, None),
        ({"CI": ""}, None),
        ({"TERM": "xterm"}, None),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        ({"TERM": "dumb"}, False),
    ],
)
def test_who_decides_about_color(tmp_path: Path, environ: dict[str, str], color: bool | None) -> None:
    assert load_settings({}, environ, tmp_path).color is color
    assert load_settings({"no_color": True}, environ, tmp_path).color is False


@pytest.mark.parametrize(
    ("flag", "variable", "toml", "profiles"),
    [
        (["a"], "b", "profiles = ['c']", ("a",)),
        ([], "b, b,", "profiles = ['c']", ("b",)),
        (None, "", "profiles = ['c']", ()),
        (None, None, "profiles = 'cat'", ("cat",)),
        (None, None, "profiles = [' c ', 'c', '', 'core', 'd']", ("c", "d")),
        (["core"], None, "profiles = ['c']", ()),
        (None, None, "", None),
    ],
)
def test_the_first_who_names_profiles_decides(
    tmp_path: Path, flag: list[str] | None, variable: str | None, toml: str, profiles: tuple[str, ...] | None
) -> None:
    (tmp_path / "tradebot.toml").write_text(toml)
    environ = {} if variable is None else {"TRADEBOT_PROFILES": variable}
    assert load_settings({"profiles": flag}, environ, tmp_path).profiles == profiles


@pytest.mark.parametrize(
    ("name", "written", "meant"),
    [("LOG_LEVEL", "INFO", "info"), ("ENVIRONMENT", "prod", "production"), ("ENVIRONMENT", "Staging", "staging"),
     ("API_PORT", "", "8010"), ("API_PORT", " ", "8010")],
)  # fmt: skip
def test_what_shells_are_full_of_is_understood(tmp_path: Path, name: str, written: str, meant: str) -> None:
    assert load_settings({}, {name: written}, tmp_path).variables()[name] == meant


@pytest.mark.parametrize(
    "line",
    ["project = 5", "profiles = 5", "profiles = [5]", "timeout = [1]", "timeout = true", "settings = 3",
     "settings.API_PORT = [1]", "engine = {}"],
)  # fmt: skip
def test_a_value_of_the_wrong_type_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "tradebot.toml").write_text(line + "\n")
    with pytest.raises(OpsError, match="wrong kind of value") as caught:
        load_settings({}, {}, tmp_path)
    assert caught.value.code == "TB-0804"
    assert line.split(maxsplit=1)[0] in caught.value.message


@pytest.mark.parametrize("given", [None, 0, 1, 2])
def test_how_much_is_said(tmp_path: Path, given: int | None) -> None:
    found = load_settings({"verbose": given, "quiet": bool(given)}, {}, tmp_path)
    assert (found.verbose, found.quiet) == (given or 0, bool(given))


def test_a_file_names_paths_from_its_own_folder_and_the_shell_from_where_one_stands(tmp_path: Path) -> None:
    below = tmp_path / "project" / "below"
    below.mkdir(parents=True)
    (tmp_path / "project" / "compose.yaml").touch()
    (tmp_path / "project" / "tradebot.toml").write_text('file = "a.yaml::b.yaml"\n')
    folder = tmp_path / "project"
    assert load_settings({}, {}, below).files == (folder / "a.yaml", folder / "b.yaml")
    assert load_settings({}, {"TRADEBOT_FILE": "c.yaml:"}, below).files == (below / "c.yaml",)
    assert load_settings({"files": ["d.yaml"]}, {"TRADEBOT_FILE": "c.yaml"}, below).files == (below / "d.yaml",)


def test_where_backups_lie(tmp_path: Path) -> None:
    """The shell decides before the file, and both before the folder that this host has for data."""
    folder, below = tmp_path / "project", tmp_path / "project" / "below"
    below.mkdir(parents=True)
    (folder / "compose.yaml").touch()
    environ = {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "data")}
    assert load_settings({}, environ, below).backups == tmp_path / "data" / "tradebot" / "backups"
    (folder / "tradebot.toml").write_text('backups = "kept"\n')
    assert load_settings({}, environ, below).backups == folder / "kept"
    assert load_settings({}, environ | {"TRADEBOT_BACKUPS": "elsewhere"}, below).backups == below / "elsewhere"


@pytest.mark.parametrize(
    ("flags", "environ", "dotenv", "project", "chosen"),
    [
        ({}, {}, "", "tradebot", False),
        ({}, {"COMPOSE_PROJECT_NAME": "compose"}, "", "compose", True),
        ({}, {}, "COMPOSE_PROJECT_NAME=dotenv\n", "dotenv", True),
        ({}, {"TRADEBOT_PROJECT": "ours", "COMPOSE_PROJECT_NAME": "compose"}, "", "ours", True),
        ({"project": "typed"}, {"TRADEBOT_PROJECT": "ours"}, "", "typed", True),
    ],
)
def test_who_names_the_project(
    tmp_path: Path, flags: dict[str, str], environ: dict[str, str], dotenv: str, project: str, *, chosen: bool
) -> None:
    (tmp_path / ".env").write_text(dotenv)
    found = load_settings(flags, environ, tmp_path)
    assert (found.project, found.project_chosen) == (project, chosen)


KEYS = "backups, context, engine, env, env_file, file, host, output, profiles, project, settings, timeout, waiver"
NAMING = "Use lower-case letters, digits, '-' and '_', starting with a letter or digit: -p trading_bot"


@pytest.mark.parametrize(
    ("written", "flags", "code", "message", "hint"),
    [
        (
            (".env", b"A=1\nthis is none\n"),
            {},
            "TB-0804",
            "HERE/.env, line 2: this is no line of NAME=value.",
            "Write NAME=value, or # for a comment.",
        ),
        ((".env", b"A='open\n"), {}, "TB-0804", "HERE/.env, line 1: A has a quote that is never closed.", "Close it."),
        (
            (".env", b"A=\xff\n"),
            {},
            "TB-0804",
            "Cannot read HERE/.env: 'utf-8' codec can't decode byte 0xff in position 2: invalid start byte.",
            "Check that it is a readable UTF-8 file.",
        ),
        (None, {"env_file": "own.env"}, "TB-0804", "There is no environment file HERE/own.env.", "Check --env-file."),
        (
            ("tradebot.toml", b"project ="),
            {},
            "TB-0804",
            "HERE/tradebot.toml is not valid TOML: Invalid value (at end of document).",
            "Mend the line it names.",
        ),
        (
            ("tradebot.toml", b"profile = []"),
            {},
            "TB-0804",
            "HERE/tradebot.toml: `profile` is no key of this file.",
            f"Did you mean `profiles`? Its keys: {KEYS}.",
        ),
        (
            ("tradebot.toml", b"unlike = 1"),
            {},
            "TB-0804",
            "HERE/tradebot.toml: `unlike` is no key of this file.",
            f"Its keys: {KEYS}.",
        ),
        *(
            (
                ("tradebot.toml", line),
                {},
                "TB-0804",
                f"HERE/tradebot.toml: `{key}` holds the wrong kind of value.",
                f"Write {right}.",
            )
            for line, key, right in (
                (b"project = 5", "project", '"text"'),
                (b"profiles = 5", "profiles", '["text"]'),
                (b"profiles = ['a', 5]", "profiles", '["text"]'),
                (b"settings = 5", "settings", "a table: [settings]"),
                (b"settings.A = [5]", "settings.A", '"text" or a number'),
                (b"settings.A.B = 5", "settings.A", '"text" or a number'),
                (b"timeout = true", "timeout", "a number"),
            )
        ),
        (None, {"project": "Demo"}, "TB-0205", "'Demo' cannot name a project.", NAMING),
        (
            None,
            {"host": "ssh://a", "context": "b"},
            "TB-0205",
            "--host and --context both name a Docker engine.",
            "Give one of them.",
        ),
        (None, {"env": "test"}, "TB-0205", "'test' is not a value of --env.", "Use one of: dev, staging, prod."),
        (
            None,
            {"engine": "moby"},
            "TB-0205",
            "'moby' is not a value of --engine.",
            "Use one of: auto, docker, local, swarm.",
        ),
        (
            None,
            {"timeout": "soon"},
            "TB-0205",
            "'soon' is not a timeout in seconds.",
            "Use a number from 1 to 86400.",
        ),
    ],
)
def test_a_refusal_has_its_code_and_says_what_to_write(
    tmp_path: Path, written: tuple[str, bytes] | None, flags: dict[str, str], code: str, message: str, hint: str
) -> None:
    if written:
        (tmp_path / written[0]).write_bytes(written[1])
    with pytest.raises(OpsError) as caught:
        load_settings(flags, {}, tmp_path)
    found = caught.value
    assert (found.code, found.message.replace(str(tmp_path), "HERE"), found.hint) == (code, message, hint)


@pytest.mark.parametrize(
    ("name", "flag", "variable", "toml", "default"),
    [
        ("project", "typed", "told", '"written"', "tradebot"),
        ("engine", "docker", "local", '"swarm"', "auto"),
        ("env", "staging", "prod", '"staging"', "dev"),
        ("output", "json", "yaml", '"plain"', "table"),
        ("timeout", "1", "2", "3", "180"),
    ],
)
def test_each_option_is_heard_from_the_command_line_the_environment_and_the_file(
    tmp_path: Path, name: str, flag: str, variable: str, toml: str, default: str
) -> None:
    def found(flags: dict[str, Any], environ: dict[str, str]) -> Any:
        return getattr(load_settings(flags, environ, tmp_path), name)

    def value(text: str) -> Any:
        return float(text) if name == "timeout" else text.strip('"')

    environ = {f"TRADEBOT_{name.upper()}": variable}
    assert found({}, {}) == value(default)
    (tmp_path / "tradebot.toml").write_text(f"{name} = {toml}\n")
    assert found({}, {}) == value(toml)
    assert found({}, environ) == value(variable)
    assert found({name: flag}, environ) == value(flag)


@pytest.mark.parametrize("name", ["host", "context"])
def test_a_docker_engine_may_be_named_in_each_place_too(tmp_path: Path, name: str) -> None:
    variable = f"DOCKER_{name.upper()}"
    (tmp_path / "tradebot.toml").write_text(f'{name} = "written"\n')
    for flags, environ, expected in (
        ({}, {}, "written"),
        ({}, {f"TRADEBOT_{name.upper()}": "told"}, "told"),
        ({name: "typed"}, {f"TRADEBOT_{name.upper()}": "told"}, "typed"),
    ):
        assert load_settings(flags, environ, tmp_path).environ[variable] == expected


def test_an_engine_that_is_typed_leaves_no_other_one_that_is_written(tmp_path: Path) -> None:
    """Else `--host` here and a context in the file would be two."""
    (tmp_path / "tradebot.toml").write_text('context = "written"\n')
    found = load_settings({"host": "ssh://typed"}, {"TRADEBOT_CONTEXT": "told"}, tmp_path)
    assert (found.docker_from, found.environ) == ("--host", {"TRADEBOT_CONTEXT": "told", "DOCKER_HOST": "ssh://typed"})


def test_an_environment_file_is_heard_from_each_place_and_is_the_one_that_is_changed(tmp_path: Path) -> None:
    for name in ("typed", "told", "written", ".env"):
        (tmp_path / name).write_text(f"ODD={name}\n")
    (tmp_path / "tradebot.toml").write_text('env_file = "written"\n')
    for flags, environ, name in (
        ({}, {}, "written"),
        ({}, {"TRADEBOT_ENV_FILE": "told"}, "told"),
        ({"env_file": "typed"}, {"TRADEBOT_ENV_FILE": "told"}, "typed"),
    ):
        found = load_settings(flags, environ, tmp_path)
        assert (found.stack["ODD"].text, found.stack["ODD"].origin) == (name, name)
        assert found.env_file == tmp_path / name


def test_a_file_of_settings_may_begin_with_a_mark_of_its_encoding_and_hold_any_letter(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("\N{BYTE ORDER MARK}ODD=\N{EURO SIGN}\n", encoding="utf-8")
    (tmp_path / "tradebot.toml").write_text('\N{BYTE ORDER MARK}project = "bot"\n', encoding="utf-8")
    found = load_settings({}, {}, tmp_path)
    assert (found.project, found.stack["ODD"].text) == ("bot", "\N{EURO SIGN}")


def test_what_the_file_waives_is_handed_on_as_it_is_written(tmp_path: Path) -> None:
    (tmp_path / "tradebot.toml").write_text('[[waiver]]\ncheck = "SEC-01"\n')
    assert load_settings({}, {}, tmp_path).waivers == [{"check": "SEC-01"}]


def test_where_a_value_comes_from_is_known(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("LOG_LEVEL=debug\n")
    (tmp_path / "tradebot.toml").write_text("timeout = 1.5\n[settings]\nAPI_PORT = 8011\nODD = true\n")
    found = load_settings({}, {"GRAFANA_PORT": "3001"}, tmp_path)
    assert found.timeout == 1.5
    assert found.explicit == {"LOG_LEVEL", "API_PORT", "ODD", "GRAFANA_PORT"}
    assert (found.stack["API_PORT"].text, found.stack["ODD"].text) == ("8011", "True")
    assert found.stack["ENVIRONMENT"] == Value("dev", "default")
    staging = load_settings({"env": "staging"}, {}, tmp_path)
    assert staging.stack["ENVIRONMENT"] == Value("staging", "--env")
    (tmp_path / ".env.staging").write_text("ENVIRONMENT=prod\n")
    assert load_settings({"env": "staging"}, {}, tmp_path).stack["ENVIRONMENT"] == Value("prod", ".env.staging")


@pytest.mark.parametrize("name", ["a", "0", "a" * 63, "my-bot_2"])
def test_what_can_name_a_project(tmp_path: Path, name: str) -> None:
    assert load_settings({"project": name}, {}, tmp_path).project == name
