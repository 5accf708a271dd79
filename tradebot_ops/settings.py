"""The only reader of the environment, ``tradebot.toml`` and ``.env`` files.

Precedence, highest first: command-line flag, environment variable, ``tradebot.toml``, ``.env`` file, default.
Every value remembers where it came from, so that ``config show`` can say it.
"""

import io
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tradebot_ops.errors import OpsError

ENVIRONMENTS = {"dev": "dev", "staging": "staging", "prod": "production"}
_UNITS = {"": 1, "b": 1, "k": 1024, "kb": 1024, "m": 1024**2, "mb": 1024**2, "g": 1024**3, "gb": 1024**3}


class Secret(str):
    """A string that does not show itself: printing, formatting and ``repr`` give ``[REDACTED]``."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "[REDACTED]"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format("[REDACTED]", spec)

    def reveal(self) -> str:
        """The real value, for the one place that sends it to the service it belongs to."""
        return str.__str__(self)


def parse_size(text: str) -> int:
    """Bytes of ``4gb``, ``512m``, ``65536``: units are powers of 1024, as in Compose and Redis.

    Raises ``ValueError`` for anything else.
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*", text.lower())
    if match is None or match[2] not in _UNITS:
        raise ValueError(f"'{text}' is not a size; write a number with b, kb, mb or gb, such as 512mb")
    return int(float(match[1]) * _UNITS[match[2]])


def _size(text: str) -> str:
    return str(parse_size(text))


def _postgres_size(text: str) -> str:
    """Postgres reads a bare number as 8 kB pages and knows only ``kB``, ``MB``, ``GB``: always say kB."""
    return f"{parse_size(text) // 1024}kB"


def _prometheus_size(text: str) -> str:
    """Prometheus knows only whole numbers of B, KB, MB, GB."""
    return f"{parse_size(text) // 1024**2}MB"


def _duration(text: str) -> str:
    if not re.fullmatch(r"[1-9]\d*[hdwy]", text.strip()):
        raise ValueError(f"'{text}' is not a time to keep; write hours, days, weeks or years, such as 15d")
    return text.strip()


def _switch(text: str) -> str:
    if text.strip().lower() not in {"", "on", "off", "true", "false", "yes", "no", "1", "0"}:
        raise ValueError(f"'{text}' is neither on nor off")
    return text.strip().lower()


def _whole(low: int, high: int) -> Callable[[str], str]:
    def check(text: str) -> str:
        if not re.fullmatch(r"-?\d+", text.strip()) or not low <= int(text) <= high:
            raise ValueError(f"'{text}' is not a whole number from {low} to {high}")
        return str(int(text))

    return check


def _one_of(*allowed: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        if text not in allowed:
            raise ValueError(f"'{text}' is not one of {', '.join(allowed)}")
        return text

    return check


@dataclass(frozen=True)
class Setting:
    """One setting of the stack. ``check`` returns the value as ``compose.yaml`` gets it, or raises ``ValueError``."""

    name: str
    default: str
    help: str
    check: Callable[[str], str]


MAX_REPLICAS = 100
CORE = "core"
DEFAULT_PROFILES = ("monitoring",)

#: Settings of the stack by the names the brief gives them; ``compose.yaml`` may use each as ``${NAME}``.
STACK_SETTINGS = (
    Setting("ENVIRONMENT", "dev", "What this stack is for", _one_of(*ENVIRONMENTS.values())),
    Setting("WORKER_REPLICAS", "2", "Workers that `up` starts; `scale` overrides it", _whole(0, MAX_REPLICAS)),
    Setting("WORKER_MEMORY_LIMIT", "2gb", "Memory one worker may use, its job included", _size),
    Setting("WORKER_GRACE_SECONDS", "30", "Time a stopping worker gives its running job", _whole(1, 3600)),
    Setting("REDIS_MAXMEMORY", "512mb", "Memory Redis may use; the queue is never evicted", _size),
    Setting("POSTGRES_SHARED_BUFFERS", "256mb", "Postgres' own cache", _postgres_size),
    Setting("LOG_FORMAT", "json", "How API and workers write logs", _one_of("json", "console")),
    Setting("LOG_LEVEL", "info", "Least level that is logged", _one_of("debug", "info", "warning", "error")),
    Setting("API_PORT", "8010", "Port of the API on 127.0.0.1", _whole(1, 65535)),
    Setting("PROMETHEUS_PORT", "9090", "Port of Prometheus on 127.0.0.1", _whole(1, 65535)),
    Setting("ALERTMANAGER_PORT", "9093", "Port of Alertmanager on 127.0.0.1", _whole(1, 65535)),
    Setting("GRAFANA_PORT", "3000", "Port of Grafana on 127.0.0.1", _whole(1, 65535)),
    Setting("PROMETHEUS_RETENTION", "15d", "How long metrics are kept", _duration),
    Setting("PROMETHEUS_RETENTION_SIZE", "2GB", "Disk that metrics may take; the oldest go first", _prometheus_size),
    Setting("ALERT_SLACK_CHANNEL", "", "Slack channel; secret slack_webhook_url", str),
    Setting("ALERT_EMAIL_TO", "", "Address to mail; login: secret smtp_password", str),
    Setting("ALERT_EMAIL_FROM", "", "Sender of those mails", str),
    Setting("ALERT_EMAIL_SMARTHOST", "", "Mail server, host:port", str),
    Setting("ALERT_EMAIL_USERNAME", "", "Login at the mail server, if it wants one", str),
    Setting("ALERT_PAGERDUTY", "", "on or off; secret pagerduty_routing_key", _switch),
    Setting("ALERT_OPSGENIE", "", "on or off; secret opsgenie_api_key", _switch),
    Setting("ALERT_WEBHOOK", "", "on or off; secret alert_webhook_url", _switch),
    Setting("WORKER_METRICS_PORT", "9091", "Port of worker 1's metrics on 127.0.0.1", _whole(1, 65535)),
)


@dataclass(frozen=True)
class Value:
    """A setting's value as written, and where it was written."""

    text: str
    origin: str


@dataclass(frozen=True)
class Settings:
    """Everything a command was told, read once. ``stack`` holds every variable ``compose.yaml`` may use.

    ``docker_from`` is the option that named a Docker engine (it then stands in ``environ``), or empty.
    """

    project: str = "tradebot"
    files: tuple[Path, ...] = ()
    engine: str = "auto"
    docker_from: str = ""
    #: Empty: the core alone. None: nobody said; then it is as it was at the last `up`, at first DEFAULT_PROFILES.
    profiles: tuple[str, ...] | None = None
    output: str = "table"
    env: str = "dev"
    quiet: bool = False
    verbose: int = 0
    color: bool | None = None
    yes: bool = False
    timeout: float = 180.0
    cwd: Path = field(default_factory=Path.cwd)
    environ: Mapping[str, str] = field(default_factory=dict)
    stack: Mapping[str, Value] = field(default_factory=dict)

    @property
    def explicit(self) -> frozenset[str]:
        """Names the user set anywhere: what was chosen is never moved silently."""
        return frozenset(name for name, value in self.stack.items() if value.origin != "default")

    def variables(self) -> dict[str, str]:
        """Variables for ``compose.yaml``: declared settings checked and in the form each service reads.

        Memory limits that nobody set follow from what the service inside is told to use.

        Raises ``OpsError`` TB-0803 naming the setting, its origin and what to write.
        """
        checks = {setting.name: setting.check for setting in STACK_SETTINGS}
        given = {name: _checked(name, value, checks.get(name)) for name, value in self.stack.items()}
        return _memory_limits(given) | given


def _memory_limits(given: Mapping[str, str]) -> dict[str, str]:
    """Redis forks to rewrite its log and may double what changes meanwhile; Postgres wants as much again as its
    cache for sessions and sorting; a job gets half of its worker's memory."""
    redis = int(given["REDIS_MAXMEMORY"])
    postgres = parse_size(given["POSTGRES_SHARED_BUFFERS"])
    return {
        "REDIS_MEMORY_LIMIT": str(2 * redis + 256 * 1024**2),
        "POSTGRES_MEMORY_LIMIT": str(2 * postgres + 1024**3),
        "JOB_MEMORY_LIMIT": str(int(given["WORKER_MEMORY_LIMIT"]) // 2),
    }


def _checked(name: str, value: Value, check: Callable[[str], str] | None) -> str:
    if check is None:
        return value.text
    try:
        return check(value.text)
    except ValueError as error:
        raise OpsError(
            f"{name} (from {value.origin}): {error}.", code="TB-0803", hint=f"Set {name} to a valid value."
        ) from None


def load_settings(flags: Mapping[str, Any], environ: Mapping[str, str], cwd: Path) -> Settings:
    """Read everything once. ``flags`` holds only options that were given; names as in ``Settings``.

    Raises ``OpsError`` TB-0804 for a file that cannot be read and TB-0803 for a value that cannot be used.
    """
    toml = _read_toml(cwd / "tradebot.toml")

    def pick(name: str, default: str) -> str:
        if flags.get(name) is not None:
            return str(flags[name])
        return environ.get(f"TRADEBOT_{name.upper()}") or str(toml.get(name, default))

    env = _choice("env", pick("env", "dev"), tuple(ENVIRONMENTS))
    project = pick("project", "tradebot")
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,62}", project):
        raise OpsError(
            f"'{project}' cannot name a project.",
            code="TB-0205",
            hint="Use lower-case letters, digits, '-' and '_', starting with a letter or digit: -p trading_bot",
        )
    typed = bool(flags.get("host") or flags.get("context"))
    named = {name: flags.get(name) or "" if typed else pick(name, "") for name in ("host", "context")}
    docker_from, environ = _docker_engine(named["host"], named["context"], environ)
    files = flags.get("files") or [name for name in pick("file", "").split(":") if name]
    return Settings(
        project=project,
        files=tuple((cwd / name).resolve() for name in files),
        profiles=_profiles(flags.get("profiles"), environ.get("TRADEBOT_PROFILES"), toml.get("profiles")),
        engine=_choice("engine", pick("engine", "auto"), ("auto", "docker", "local", "swarm")),
        docker_from=docker_from,
        output=_choice("output", pick("output", "table"), ("table", "json", "yaml", "plain")),
        env=env,
        quiet=bool(flags.get("quiet")),
        verbose=int(flags.get("verbose") or 0),
        color=_color(flags, environ),
        yes=bool(flags.get("yes")) or environ.get("TRADEBOT_YES", "") in {"1", "true"},
        timeout=_seconds(pick("timeout", "180")),
        cwd=cwd,
        environ=dict(environ),
        stack=_stack_values(env, toml, _env_file(pick("env_file", ""), env, cwd), environ),
    )


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
    return values | {name: Value(text, "environment") for name, text in environ.items()}


def _env_file(chosen: str, env: str, cwd: Path) -> tuple[str, Mapping[str, str]]:
    """The ``.env`` file in force: the chosen one, else ``.env.<environment>``, else ``.env``."""
    names = [chosen] if chosen else [f".env.{ENVIRONMENTS[env]}", ".env"]
    for name in names:
        path = cwd / name
        if path.is_file():
            return name, _read_env(path)
    if chosen:
        raise OpsError(f"There is no environment file {cwd / chosen}.", code="TB-0804", hint="Check --env-file.")
    return "", {}


def _read_env(path: Path) -> dict[str, str]:
    """Names and values by python-dotenv; a line it cannot read is an error here, not a log line."""
    from dotenv.parser import parse_stream

    pairs = {}
    for binding in parse_stream(io.StringIO(_text(path))):
        if binding.error or (binding.key is not None and binding.value is None):
            raise OpsError(
                f"{path}, line {binding.original.line}: this is not NAME=value.",
                code="TB-0804",
                hint="Write NAME=value, or # for a comment.",
            )
        if binding.key is not None and binding.value is not None:
            pairs[binding.key] = binding.value
    return pairs


def _read_toml(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        return tomllib.loads(_text(path))
    except tomllib.TOMLDecodeError as error:
        raise OpsError(f"{path} is not valid TOML: {error}.", code="TB-0804", hint="Mend the line it names.") from None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise OpsError(
            f"Cannot read {path}: {error}.", code="TB-0804", hint="Check that it is a readable UTF-8 file."
        ) from None


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


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 86400:
        raise OpsError(f"'{text}' is not a timeout in seconds.", code="TB-0205", hint="Use a number from 1 to 86400.")
    return seconds


def _color(flags: Mapping[str, Any], environ: Mapping[str, str]) -> bool | None:
    """False or True where somebody decided; None lets the terminal decide."""
    if flags.get("no_color") or environ.get("NO_COLOR") or environ.get("TERM") == "dumb":
        return False
    if environ.get("FORCE_COLOR"):
        return True
    return False if environ.get("CI") else None
