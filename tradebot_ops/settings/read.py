"""Read the settings of a command.

Precedence, highest first: command-line flag, environment variable, ``tradebot.toml``, ``.env`` file, default.
Every value remembers where it came from, so that ``config show`` can say it. What is typed, or stands in the
environment, names paths from the folder one stands in; a file names them from its own.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tradebot_ops.errors import OpsError
from tradebot_ops.settings.declared import ENVIRONMENTS, STACK_SETTINGS
from tradebot_ops.settings.files import env_file, env_path, known, read_toml
from tradebot_ops.settings.folder import TOML, settings_folder
from tradebot_ops.settings.forms import is_on
from tradebot_ops.settings.model import CORE, DEFAULT_PROJECT, Settings, Value

PROJECT_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
PROJECT_NAME_HINT = "Use lower-case letters, digits, '-' and '_', starting with a letter or digit: -p trading_bot"


def load_settings(flags: Mapping[str, Any], environ: Mapping[str, str], cwd: Path) -> Settings:
    """Read everything once. ``flags`` holds only options that were given; names as in ``Settings``.

    Raises ``OpsError`` TB-0804 for a file that cannot be read and TB-0803 for a value that cannot be used.
    """
    typed_files = flags.get("files") or _split(environ.get("TRADEBOT_FILE", ""))
    folder = settings_folder([_path(cwd, name) for name in typed_files], cwd)
    toml = known(read_toml(folder / TOML), folder / TOML)

    def pick(name: str, default: str) -> str:
        if flags.get(name) is not None:
            return str(flags[name])
        return environ.get(f"TRADEBOT_{name.upper()}") or str(toml.get(name, default))

    env = _choice("env", pick("env", "dev"), tuple(ENVIRONMENTS))
    typed = bool(flags.get("host") or flags.get("context"))
    named = {name: flags.get(name) or "" if typed else pick(name, "") for name in ("host", "context")}
    docker_from, environ = _docker_engine(named["host"], named["context"], environ)
    files = [_path(cwd, name) for name in typed_files] or [
        _path(folder, name) for name in _split(str(toml.get("file", "")))
    ]
    named_env = pick("env_file", "")
    start = cwd if flags.get("env_file") or environ.get("TRADEBOT_ENV_FILE") else folder
    found = env_file(named_env, env, start, environ)
    stack = _stack_values(env, toml, found, environ)
    project = pick("project", "") or _compose_project(stack)
    chosen = bool(project) or flags.get("project") is not None
    return Settings(
        project=_project_name(project) if chosen else DEFAULT_PROJECT,
        project_chosen=chosen,
        files=tuple(files),
        profiles=_profiles(flags.get("profiles"), environ.get("TRADEBOT_PROFILES"), toml.get("profiles")),
        engine=_choice("engine", pick("engine", "auto"), ("auto", "docker", "local", "swarm")),
        docker_from=docker_from,
        output=pick("output", "table"),
        env=env,
        quiet=bool(flags.get("quiet")),
        verbose=int(flags.get("verbose") or 0),
        color=_color(flags, environ),
        yes=bool(flags.get("yes")) or _is_on("TRADEBOT_YES", environ),
        timeout=_seconds(pick("timeout", "180")),
        cwd=cwd,
        folder=folder,
        environ=dict(environ),
        waivers=toml.get("waiver", ()),
        backups=_backups(environ, toml, cwd, folder),
        env_file=env_path(found[0], start),
        stack=stack,
    )


def _project_name(text: str) -> str:
    if not PROJECT_NAME.fullmatch(text):
        raise OpsError(f"'{text}' cannot name a project.", code="TB-0205", hint=PROJECT_NAME_HINT)
    return text


def _compose_project(stack: Mapping[str, Value]) -> str:
    """Compose's own variable, from the environment or .env, so that both mean the same project."""
    return stack["COMPOSE_PROJECT_NAME"].text if "COMPOSE_PROJECT_NAME" in stack else ""


def _backups(environ: Mapping[str, str], toml: Mapping[str, Any], cwd: Path, folder: Path) -> Path:
    if chosen := environ.get("TRADEBOT_BACKUPS"):
        return _path(cwd, chosen)
    if chosen := toml.get("backups"):
        return _path(folder, chosen)
    data = environ.get("XDG_DATA_HOME") or str(Path(environ.get("HOME") or Path.home()) / ".local" / "share")
    return Path(data) / "tradebot" / "backups"


def _split(names: str) -> list[str]:
    return [name for name in names.split(":") if name]


def _path(folder: Path, name: str | Path) -> Path:
    return (folder / Path(name).expanduser()).resolve()


def _docker_engine(host: str, context: str, environ: Mapping[str, str]) -> tuple[str, Mapping[str, str]]:
    """``--host`` and ``--context`` in Docker's own variables, where everything that asks Docker finds them."""
    if host and context:
        raise OpsError("--host and --context both name a Docker engine.", code="TB-0205", hint="Give one of them.")
    if host:
        return "--host", {**environ, "DOCKER_HOST": host}
    if context:
        # Docker's own order would let DOCKER_HOST outrank it.
        kept = {name: value for name, value in environ.items() if name != "DOCKER_HOST"}
        return "--context", {**kept, "DOCKER_CONTEXT": context}
    return "", environ


def _stack_values(
    env: str, toml: Mapping[str, Any], env_file: tuple[str, Mapping[str, str]], environ: Mapping[str, str]
) -> dict[str, Value]:
    values = {setting.name: Value(setting.default, "default") for setting in STACK_SETTINGS}
    if env != "dev":
        values["ENVIRONMENT"] = Value(ENVIRONMENTS[env], "--env")
    origin, pairs = env_file
    values |= {name: Value(text, origin) for name, text in pairs.items()}
    values |= {name: Value(str(text), "tradebot.toml") for name, text in dict(toml.get("settings", {})).items()}
    values |= {name: Value(text, "environment") for name, text in environ.items()}
    # An empty value takes the default, as ``${NAME:-default}`` has it.
    return values | {
        setting.name: Value(setting.default, "default")
        for setting in STACK_SETTINGS
        if setting.default and not values[setting.name].text.strip()
    }


def _profiles(flag: Sequence[str] | None, variable: str | None, toml: Any) -> tuple[str, ...] | None:
    """The chosen profiles; ``core`` is the name of having none."""
    for chosen in (flag or None, None if variable is None else variable.split(","), toml):
        if chosen is not None:
            words = [chosen] if isinstance(chosen, str) else list(chosen)
            return tuple(dict.fromkeys(word.strip() for word in words if word.strip() not in {"", CORE}))
    return None


def _choice(name: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise OpsError(
            f"'{value}' is not a value of --{name}.",
            code="TB-0205",
            hint=f"Use one of: {', '.join(allowed)}.",
        )
    return value


def _is_on(name: str, environ: Mapping[str, str]) -> bool:
    try:
        return is_on(environ.get(name, ""))
    except ValueError as error:
        wrong, _, typed = str(error).partition("; ")
        raise OpsError(f"{name}: {wrong}.", code="TB-0205", hint=f"{typed[0].upper()}{typed[1:]}.") from None


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 86400:
        raise OpsError(f"'{text}' is not a timeout in seconds.", code="TB-0205", hint="Use a number from 1 to 86400.")
    return seconds


def _color(flags: Mapping[str, Any], environ: Mapping[str, str]) -> bool | None:
    """False or True where it was decided; None lets the terminal decide."""
    if flags.get("no_color") or environ.get("NO_COLOR") or environ.get("TERM") == "dumb":
        return False
    if environ.get("FORCE_COLOR"):
        return True
    return False if environ.get("CI") else None
