"""Compose itself reads the same files and must come to the same answers. Only its client is needed, no engine."""

import json
import os
import shutil
import string
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import tradebot_ops
from tests.programs import missing
from tests.text.test_interpolate import Grammar, template
from tradebot_ops import units
from tradebot_ops.settings import load_settings
from tradebot_ops.stack.described import completed
from tradebot_ops.stack.load import load
from tradebot_ops.stack.model import MountKind, Service, Stack
from tradebot_ops.stack.source import Source

pytestmark = pytest.mark.integration

ROOT = Path(tradebot_ops.__file__).resolve().parent.parent
Config = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def compose() -> Config:
    """``docker compose config`` of some files as data."""
    command = _command()
    if command is None:
        missing("docker compose is not installed")

    def run(*files: Path, environ: Mapping[str, str] | None = None, project: str = "demo") -> dict[str, Any]:
        named = [word for file in files for word in ("-f", str(file))]
        done = subprocess.run(
            [*(command or []), "-p", project, *named, "--profile", "*", "config", "--format", "json"],
            env={"PATH": os.environ["PATH"], "HOME": str(files[0].parent), **(environ or {})},
            cwd=files[0].parent,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    return run


def _command() -> list[str] | None:
    if plugin := shutil.which("docker-compose"):
        return [plugin]
    if shutil.which("docker"):
        asked = subprocess.run(["docker", "compose", "version"], capture_output=True, timeout=60)
        return ["docker", "compose"] if asked.returncode == 0 else None
    return None


def ours(*files: Path, environ: Mapping[str, str] | None = None) -> Stack:
    home = {"HOME": str(files[0].parent)}
    source = Source(files, files[0].parent, "a test")
    return load(source, home | dict(environ or {}), project="demo", profiles=["*"])


def compared(service: Service) -> dict[str, Any]:
    """What both sides know of a service, in one spelling: this is ours."""
    check = service.healthcheck
    return {
        "image": service.image,
        "command": list(service.command),
        "entrypoint": list(service.entrypoint) if service.entrypoint is not None else None,
        "environment": dict(service.environment),
        "ports": sorted((port.host_ip, port.published, port.target) for port in service.ports),
        "mounts": sorted(
            (mount.kind, mount.source, mount.target, mount.read_only, mount.size or 0) for mount in service.mounts
        ),
        "files": sorted((ref.source, ref.target) for ref in (*service.secrets, *service.configs)),
        "depends_on": {dependency.service: str(dependency.condition) for dependency in service.depends_on},
        "health": check and (check.test, check.interval, check.timeout, check.retries, check.start_period),
        "limits": (service.limits.memory, service.limits.cpus, service.limits.pids),
        "networks": {name: list(aliases) for name, aliases in service.networks.items()},
        "lists": [list(service.cap_drop), list(service.cap_add), list(service.security_opt), list(service.expose)],
        "texts": [service.user, service.restart, service.stop_signal, service.working_dir],
        "flags": [service.init, service.read_only],
        "stop_grace": service.stop_grace,
        "labels": dict(service.labels),
        "logging": (service.logging.driver, dict(service.logging.options)),
        "replicas": service.replicas,
        "host": vars(service.host),
    }


def theirs(name: str, service: Mapping[str, Any]) -> dict[str, Any]:
    """And this is Compose's, defaults filled in and `$$` read back."""
    limits = service.get("deploy", {}).get("resources", {}).get("limits", {})
    pids = limits.get("pids")
    found = {
        "image": service.get("image", f"demo-{name}"),  # as `config --images` has it
        "command": service.get("command") or [],
        "entrypoint": service.get("entrypoint"),
        "environment": {key: text for key, text in service.get("environment", {}).items() if text is not None},
        "ports": sorted(_port(port) for port in service.get("ports", [])),
        "mounts": sorted([*map(_mount, service.get("volumes", [])), *map(_tmpfs, service.get("tmpfs", []))]),
        "files": sorted(
            [(ref["source"], _target(ref, "/run/secrets/")) for ref in service.get("secrets", [])]
            + [(ref["source"], _target(ref, "/")) for ref in service.get("configs", [])]
        ),
        "depends_on": {name: entry["condition"] for name, entry in service.get("depends_on", {}).items()},
        "health": _health(service.get("healthcheck")),
        "limits": (int(limits["memory"]) if "memory" in limits else None, limits.get("cpus"), pids),
        "networks": {name: (entry or {}).get("aliases", []) for name, entry in service["networks"].items()},
        "lists": [
            service.get("cap_drop", []),
            service.get("cap_add", []),
            service.get("security_opt", []),
            [int(port) for port in service.get("expose", [])],
        ],
        "texts": [
            service.get("user", ""),
            service.get("restart", "no"),
            service.get("stop_signal", "SIGTERM"),
            service.get("working_dir", ""),
        ],
        "flags": [service.get("init", False), service.get("read_only", False)],
        "stop_grace": units.seconds(service.get("stop_grace_period", "10s")),
        "labels": service.get("labels", {}),
        "logging": (service.get("logging", {}).get("driver", ""), service.get("logging", {}).get("options", {})),
        "replicas": service.get("deploy", {}).get("replicas", 1),
        "host": {
            **{name: service.get(name, "") for name in ("container_name", "hostname")},
            **{name: service.get(name, False) for name in ("tty", "stdin_open")},
            "extra_hosts": dict(line.split("=", 1) for line in service.get("extra_hosts", [])),
            "ulimits": {name: _ulimit(limit) for name, limit in service.get("ulimits", {}).items()},
            "shm_size": int(service["shm_size"]) if "shm_size" in service else None,
        },
    }
    return {key: _unescaped(value) for key, value in found.items()}


def _ulimit(limit: Any) -> tuple[int, int]:
    return (limit["soft"], limit["hard"]) if isinstance(limit, dict) else (limit, limit)


def _unescaped(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("$$", "$")
    if isinstance(value, list | tuple):
        return type(value)(_unescaped(entry) for entry in value)
    return {key: _unescaped(entry) for key, entry in value.items()} if isinstance(value, dict) else value


def _port(port: Mapping[str, Any]) -> tuple[str, int, int]:
    return port.get("host_ip", "0.0.0.0"), int(port.get("published", "0").split("-")[0]), port["target"]


def _mount(mount: Mapping[str, Any]) -> tuple[str, str, str, bool, int]:
    size = int(mount.get("tmpfs", {}).get("size", 0))
    return mount["type"], mount.get("source", ""), mount["target"], mount.get("read_only", False), size


def _tmpfs(text: str) -> tuple[str, str, str, bool, int]:
    target, _, options = text.partition(":")
    size = next((option[5:] for option in options.split(",") if option.startswith("size=")), "0")
    return MountKind.TMPFS, "", target, False, units.size(size)


def _target(reference: Mapping[str, Any], folder: str) -> str:
    return os.path.join(folder, reference.get("target", reference["source"]))  # noqa: PTH118 - a path of a container


def _health(check: Mapping[str, Any] | None) -> Any:
    if check is None or check.get("disable"):
        return None if check is None else (("NONE",), 30.0, 30.0, 3, 0.0)
    interval, timeout = (units.seconds(check.get(key, "30s")) for key in ("interval", "timeout"))
    return (
        tuple(check["test"]),
        interval,
        timeout,
        check.get("retries", 3),
        units.seconds(check.get("start_period", "0s")),
    )


def agree(compose: Config, *files: Path, environ: Mapping[str, str] | None = None) -> None:
    stack, config = ours(*files, environ=environ), compose(*files, environ=environ)
    assert stack.services.keys() == config["services"].keys()
    for name, service in stack.services.items():
        assert compared(service) == theirs(name, config["services"][name]), name
    for section in ("volumes", "networks"):
        named = {key: found.name for key, found in getattr(stack, section).items()}
        assert named.items() >= {key: found["name"] for key, found in config.get(section, {}).items()}.items()
    for section in ("secrets", "configs"):
        placed = {key: str(found.file) for key, found in getattr(stack, section).items()}
        assert placed.items() >= {key: found["file"] for key, found in config.get(section, {}).items()}.items()


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"API_PORT": "8099", "REDIS_IMAGE": "tradebot/redis:1", "WORKER_MEMORY_LIMIT": "4gb", "LOG_LEVEL": "debug"},
        {"TRADEBOT_SECRETS": "/somewhere/else", "WORKER_METRICS_PORT": "9091-9190", "TRADEBOT_UID": "0"},
    ],
)
def test_on_the_stack_this_repository_ships(compose: Config, environ: dict[str, str]) -> None:
    agree(compose, ROOT / "compose.yaml", environ=environ)


EVERYTHING = r"""
version: "3.8"
x-base: &base {restart: on-failure:3, labels: {from: anchor}}
services:
  app:
    <<: *base
    image: "app:${TAG:-1}"
    build: {context: ./src, dockerfile: d/Dockerfile, args: [A=1]}
    command: run 'a b' "c d" e\ f --x=$$HOME
    entrypoint: [tini, --]
    environment: [A=1, "B=x=y", "C=", "D=$$5 ${TAG:-1}", PASSED, ABSENT]
    env_file: [a.env, {path: none.env, required: false}]
    ports: ["127.0.0.1:8010:80", "8011:81", "82", "[::1]:8013:83", "9100-9199:90", {target: 84, published: "8014"}]
    expose: ["9091", 80]
    volumes:
      - ./conf:/conf:ro
      - ~/conf:/home-conf
      - data:/data
      - {type: bind, source: ./conf, target: /long, read_only: true, bind: {create_host_path: false}}
      - {type: volume, source: data, target: /long-data}
      - {type: tmpfs, target: /scratch, tmpfs: {size: 64m, mode: 0700}}
    tmpfs: ["/tmp:size=16m,mode=1777"]
    secrets: [key, {source: key, target: other, mode: 0400}]
    configs: [conf, {source: conf, target: /etc/conf.yml}]
    networks: {back: {aliases: [x, y]}, default: }
    depends_on: {db: {condition: service_healthy}, once: {condition: service_completed_successfully}}
    healthcheck: {test: "curl -f x || exit 1", interval: 1m30s, timeout: 500ms, retries: 5, start_period: 2s}
    deploy: {replicas: 2, resources: {limits: {memory: 1.5g, cpus: "0.5", pids: 64}}}
    user: "1:1"
    working_dir: /here
    stop_signal: SIGINT
    stop_grace_period: 1m
    init: true
    read_only: true
    cap_drop: [ALL]
    cap_add: [CHOWN]
    security_opt: ["no-new-privileges:true"]
    logging: {driver: json-file, options: {max-file: 3, max-size: 10m}}
    x-tradebot: {scalable: true}
  db: {image: db, networks: [back], depends_on: [once], healthcheck: {test: [CMD, a]}, stop_grace_period: 90s}
  once: {image: once, command: [], labels: [a=b, c], restart: "no"}
  bare: {image: q, entrypoint: , command: }
  named:
    image: q
    container_name: my.bot
    hostname: bot.local
    extra_hosts: ["host.docker.internal:host-gateway", "a=192.0.2.7", "six=::1", "seven:[::1]"]
    ulimits: {nofile: 1024, nproc: {soft: 10, hard: -1}}
    shm_size: 64m
    tty: true
    stdin_open: true
    pull_policy: missing
    volumes: ["./conf:/conf:cached", "./conf:/other:ro,delegated"]
  mapped: {image: q, extra_hosts: {a: 192.0.2.7}, shm_size: 67108864}
  cleared: {image: q, entrypoint: [], command: }
  quiet: {image: q, healthcheck: {disable: true}, profiles: [never], environment: {N: 1.5, T: true, Y: yes}}
networks: {back: {internal: true, name: my-back}}
volumes: {data: }
secrets: {key: {file: ./key, x-tradebot: {derive: something}}}
configs: {conf: {file: "${CONF:-./conf/c.yml}"}}
"""
OVERRIDE = """
services:
  app:
    command: [other]
    environment: {A: 2, NEW: n}
    ports: ["127.0.0.1:8010:80", "127.0.0.1:8020:85"]
    volumes: ["./other:/conf", "./other:/more"]
    secrets: [{source: key, target: third}]
    networks: {back: {aliases: [z]}}
    depends_on: [db, more]
    healthcheck: {test: [CMD, b]}
    deploy: {resources: {limits: {cpus: "2"}}}
    cap_drop: [KILL]
    tmpfs: !override ["/run"]
    labels: !reset {}
  db: {image: "db:2", depends_on: {more: {condition: service_started}}}
  more: {image: m}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("conf", "other", "src"):
        (tmp_path / name).mkdir()
    (tmp_path / "conf" / "c.yml").write_text("c\n", encoding="utf-8")
    (tmp_path / "key").write_text("k", encoding="utf-8")
    (tmp_path / "a.env").write_text("A=0\nE=\"q ${TAG:-1}\"\nF='lit$$x ${TAG}'\nexport G=1 # c\n", encoding="utf-8")
    (tmp_path / "compose.yaml").write_text(EVERYTHING, encoding="utf-8")
    (tmp_path / "override.yaml").write_text(OVERRIDE, encoding="utf-8")
    return tmp_path


def test_on_every_key_and_spelling(compose: Config, folder: Path) -> None:
    agree(compose, folder / "compose.yaml", environ={"PASSED": "through", "TAG": "7"})


def test_on_merging_two_files(compose: Config, folder: Path) -> None:
    agree(compose, folder / "compose.yaml", folder / "override.yaml")


SCALARS = """
services:
  app:
    image: !override 5
    command: !override 7
    environment: {N: !override null, E: !override , H: !override 0x10, R: !override 1e3, T: !override True}
    labels: {nothing: !override null, number: !override 08, quoted: !override "9"}
    init: !override true
    read_only: !override False
    healthcheck: {retries: !override 3, timeout: !override 7s}
    deploy:
      replicas: !override 3
      resources: {limits: {cpus: !override 0.5, memory: !override 1000000, pids: !override 9}}
    ports: [!override 86]
    tty: !override false
    shm_size: !override 1000000
"""


def test_on_scalars_that_replace_another(compose: Config, folder: Path) -> None:
    """Compose takes each as the text that was written, and only its place makes a number or a truth of it."""
    (folder / "override.yaml").write_text(SCALARS, encoding="utf-8")
    agree(compose, folder / "compose.yaml", folder / "override.yaml")


WITHOUT_VALUES = """
services:
  app: {image: , command: , environment: {A: , E: }, env_file: , ports: , volumes: , networks: , depends_on: , deploy: }
  db:
  built:
networks: {back: }
volumes:
secrets:
"""


def test_on_keys_without_a_value(compose: Config, folder: Path) -> None:
    (folder / "override.yaml").write_text(WITHOUT_VALUES, encoding="utf-8")
    text = (folder / "compose.yaml").read_text(encoding="utf-8")
    (folder / "compose.yaml").write_text(
        text.replace("  db: {image", "  built: {build: ./src}\n  db: {image"), encoding="utf-8"
    )
    agree(compose, folder / "compose.yaml", folder / "override.yaml", environ={"A": "of the shell"})


@pytest.mark.parametrize(
    ("top", "dotenv", "environ", "expected"),
    [
        ("name: from-file", "", {}, "from-file"),
        ("name: 'From File'", "", {}, "fromfile"),
        ("name: ${N:-plain} # why", "", {}, "plain"),
        ('name: "x-${N}"', "N=1", {}, "x-1"),
        ("name: from-file", "COMPOSE_PROJECT_NAME=dotenv", {}, "dotenv"),
        ("name: from-file", "COMPOSE_PROJECT_NAME=dotenv", {"COMPOSE_PROJECT_NAME": "shell"}, "shell"),
    ],
)
def test_on_the_name_of_the_project(
    tmp_path: Path, top: str, dotenv: str, environ: dict[str, str], expected: str
) -> None:
    command = _command() or missing("docker compose is not installed")
    (tmp_path / "sub").mkdir()
    (tmp_path / "compose.yaml").write_text(f"{top}\nservices: {{a: {{image: a}}}}\n", encoding="utf-8")
    (tmp_path / ".env").write_text(dotenv, encoding="utf-8")
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), **environ}
    done = subprocess.run(
        [*command, "config", "--format", "json"], env=env, cwd=tmp_path / "sub", capture_output=True, timeout=60
    )
    assert json.loads(done.stdout)["name"] == expected
    assert completed(load_settings({}, env, tmp_path / "sub")).project == expected


DOTENV = r"""
# ours
A=1
B=x y # c
C= #c
D="q \t\n\x \$A $A ${A} \" \\ e" # c
E='l $A \n \' \\'
F: yaml
PASSED
ABSENT
export H=1
I=$A-${NONE:-d}-$$x-${NONE:-{"a":{}}}
K="multi
line"
HOST=file
M=http://$HOST
a-b.c=1
EMPTY=
P='a\b'Q=3
"""


def test_on_env_files_and_the_env_file(compose: Config, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("\ufeff" + DOTENV, encoding="utf-8")
    (tmp_path / "a.env").write_text(DOTENV.replace("A=1", "A=other"), encoding="utf-8")
    (tmp_path / "b.env").write_text("Z=$A-$SVC-$P\r\nY=1\r\n", encoding="utf-8", newline="")
    file = tmp_path / "compose.yaml"
    named = {f"from_{name}": f"${{{name}:-}}" for name in "ABCDEFHIKMPQ"}
    app = {"image": "a", "env_file": ["a.env", "b.env"], "environment": {"SVC": "s", **named}}
    file.write_text(json.dumps({"services": {"app": app}}), encoding="utf-8")
    environ = {"PASSED": "through", "HOST": "shell"}
    read = {name: value.text for name, value in load_settings({}, environ, tmp_path).stack.items()}
    expected = compose(file, environ=environ)["services"]["app"]["environment"]
    assert dict(ours(file, environ=read).services["app"].environment) == _unescaped(expected)


# The shapes of compose files that are published with trading bots, in our own words.
PUBLISHED = {
    "one bot with its folder": """
version: '3'
services:
  bot:
    image: example/bot:stable
    restart: unless-stopped
    container_name: bot
    volumes: ["./data:/bot/data"]
    ports: ["127.0.0.1:8080:8080"]
    command: >
      trade
      --db-url sqlite:////bot/data/trades.sqlite
      --config /bot/data/config.json
""",
    "a bot on a terminal": """
services:
  bot:
    container_name: maker
    build: {context: .}
    volumes: [./data:/home/bot/conf, "./data:/home/bot/logs:cached"]
    logging: {driver: json-file, options: {max-size: "10m", max-file: "5"}}
    tty: true
    stdin_open: true
    environment: [CONFIG_PASSWORD=a, STRATEGY=b.yml]
""",
    "a bot with its stores": """
services:
  bot:
    image: example/bot:latest
    depends_on: [postgres, cache]
    tty: true
    env_file: [.env]
    ports: ["9000:9000", "8888:8888"]
    volumes: [".:/home"]
    command: bash -c "bot install --quiet && bot run"
    container_name: trader
  postgres:
    image: postgres:17
    restart: always
    environment: [POSTGRES_USER=bot, POSTGRES_PASSWORD=password, POSTGRES_DB=bot]
    volumes: [pg:/var/lib/postgresql/data]
    healthcheck: {test: [CMD-SHELL, "pg_isready -U bot"], interval: 5s, timeout: 5s, retries: 5}
    shm_size: 128mb
    hostname: db
  cache:
    image: redis:8
    container_name: cache
    command: redis-server --save "" --appendonly no
    ulimits: {nofile: {soft: 65536, hard: 65536}}
volumes: {pg: }
""",
    "a broker behind a bridge": """
services:
  broker:
    container_name: broker
    image: example/broker:5
    environment: ["SEEDS=[broker@node1.local]"]
    networks: {bridge: {aliases: [node1.local]}}
    expose: [1883]
    healthcheck: {test: [CMD, status], interval: 5s, timeout: 25s, retries: 5}
  api:
    image: example/api
    pull_policy: if_not_present
    extra_hosts: ["host.docker.internal:host-gateway"]
    labels: {traefik.enable: "false"}
    depends_on: {broker: {condition: service_healthy}}
    networks: [bridge]
networks: {bridge: {driver: bridge}}
""",
}


@pytest.mark.parametrize("text", PUBLISHED.values(), ids=PUBLISHED.keys())
def test_on_shapes_that_are_published(compose: Config, tmp_path: Path, text: str) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / ".env").write_text("MODE=paper\n", encoding="utf-8")
    (tmp_path / "compose.yaml").write_text(text, encoding="utf-8")
    agree(compose, tmp_path / "compose.yaml")


PLAIN = st.text(st.sampled_from(string.ascii_letters + string.digits + " -_:?+=./'\"\\#é"), max_size=6)


@st.composite
def batches(draw: st.DrawFn) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """An environment, and templates with what they must mean in it."""
    names = st.sampled_from(["AA", "B_1", "_C", "D"])
    environ = draw(st.dictionaries(names, st.none() | PLAIN, min_size=1))
    # Without `?`: Compose refuses `${SET:-${NONE:?}}` for a variable it never needs.
    grammar = Grammar(environ, PLAIN, ("", ":-", "-", ":+", "+"))
    built = draw(st.lists(template(grammar, 3), min_size=20, max_size=40))
    known = {name: value for name, value in environ.items() if value is not None}
    return known, [(text, meaning) for text, meaning in built if meaning is not None]


@settings(
    max_examples=15, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)  # every example runs Compose
@given(batches())
def test_on_interpolation(
    compose: Config, tmp_path_factory: pytest.TempPathFactory, batch: tuple[dict[str, str], list[tuple[str, str]]]
) -> None:
    environ, cases = batch
    file = tmp_path_factory.mktemp("interpolate") / "compose.yaml"
    keys = {f"K{number}": text for number, (text, _) in enumerate(cases)}
    file.write_text(json.dumps({"services": {"app": {"image": "a", "environment": keys}}}), encoding="utf-8")
    expected = {f"K{number}": meaning for number, (_, meaning) in enumerate(cases)}
    assert dict(ours(file, environ=environ).services["app"].environment) == expected
    config = compose(file, environ=environ)["services"]["app"].get("environment", {})
    assert _unescaped(config) == _unescaped({key: value.replace("$", "$$") for key, value in expected.items()})
