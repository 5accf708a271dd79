"""Each key of a service with its values and its default, and what is said of one that cannot be."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from tests.stack.reading.kit import Told, read
from tradebot_ops.stack.model import (
    Build,
    Condition,
    Dependency,
    Healthcheck,
    Host,
    Limits,
    Logging,
    Mount,
    MountKind,
    Port,
    Probe,
    SecretMount,
    Service,
    Trust,
)
from tradebot_ops.stack.reading.mounts import Paths
from tradebot_ops.stack.reading.service import ReadContext, read_service

CONTEXT = ReadContext(Paths(Path("/"), "/root"), {"PASSED": "on"}, frozenset(), "demo")


def service(keys: str) -> tuple[Service, list[Told]]:
    return read(f"it: {{{keys}}}\n", lambda reader, item: read_service(reader, "app", item, CONTEXT))


RESTARTS = ("always", "unless-stopped", "on-failure", "on-failure:3")
STARTING = "start_period: 4s, start_interval: 5s}"
CONDITIONS = "service_started, service_healthy, service_completed_successfully"
#: What a service has of which only the image is written.
PLAIN = Service("app", "a", (), networks={"default": ()})


def test_what_nobody_writes_has_the_default_of_compose() -> None:
    assert service("image: a") == (PLAIN, [])
    assert (PLAIN.restart, PLAIN.replicas, PLAIN.stop_grace, PLAIN.stop_signal) == ("no", 1, 10.0, "SIGTERM")


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("command: run it", {"command": ("run", "it")}),
        ("entrypoint: [tini, --]", {"entrypoint": ("tini", "--")}),
        ("entrypoint: []", {"entrypoint": ()}),
        ("entrypoint: ", {}),
        ("build: here", {"build": Build(Path("/here"), Path("/here/Dockerfile"))}),
        ("build: {}", {"build": Build(Path("/"), Path("/Dockerfile"))}),
        (
            "build: {context: here, dockerfile: d/File, args: {A: 1, B: }, target: t}",
            {"build": Build(Path("/here"), Path("/here/d/File"), {"A": "1", "B": ""}, "t")},
        ),
        ("environment: {A: 1, PASSED: , GONE: }", {"environment": {"A": "1", "PASSED": "on"}}),
        ("ports: ['8010:80', 81]", {"ports": (Port(80, 8010, "0.0.0.0", explicit=True), Port(81, 0, "0.0.0.0"))}),
        ("expose: [80, '81']", {"expose": (80, 81)}),
        ("volumes: ['d:/d']", {"mounts": (Mount(MountKind.VOLUME, "d", "/d"),)}),
        ("secrets: [k]", {"secrets": (SecretMount("k", "/run/secrets/k"),)}),
        ("configs: [c]", {"configs": (SecretMount("c", "/c"),)}),
        ("networks: [one, two]", {"networks": {"one": (), "two": ()}}),
        ("networks: {one: {aliases: [a, b]}, two: }", {"networks": {"one": ("a", "b"), "two": ()}}),
        ("networks: {}", {}),
        ("networks: ", {}),
        ("depends_on: [db]", {"depends_on": (Dependency("db"),)}),
        (
            "depends_on: {a: {condition: service_healthy}, b: {}, c: {condition: service_completed_successfully}}",
            {"depends_on": (Dependency("a", Condition.HEALTHY), Dependency("b"), Dependency("c", Condition.COMPLETED))},
        ),
        ("healthcheck: {test: [CMD, a]}", {"healthcheck": Healthcheck(("CMD", "a"), 30.0, 30.0, 3, 0.0, None)}),
        ("healthcheck: {test: [NONE]}", {"healthcheck": Healthcheck(("NONE",))}),
        ("healthcheck: {disable: true}", {"healthcheck": Healthcheck(("NONE",))}),
        ("healthcheck: {test: a b}", {"healthcheck": Healthcheck(("CMD-SHELL", "a b"))}),
        (
            "healthcheck: {test: [CMD-SHELL, a], interval: 1s, timeout: 2s, retries: 1, disable: false, " + STARTING,
            {"healthcheck": Healthcheck(("CMD-SHELL", "a"), 1.0, 2.0, 1, 4.0, 5.0)},
        ),
        *((f"restart: {word}", {"restart": word}) for word in RESTARTS),
        ("restart: 'no'", {}),
        ("deploy: {replicas: 0}", {"replicas": 0}),
        ("deploy: {replicas: 3}", {"replicas": 3}),
        ("deploy: {resources: {limits: {memory: 1k}}}", {"limits": Limits(memory=1024)}),
        ("deploy: {resources: {limits: {cpus: 0.5}}}", {"limits": Limits(cpus=0.5)}),
        ("deploy: {resources: {limits: {pids: 1}}}", {"limits": Limits(pids=1)}),
        ("profiles: [one, two]", {"profiles": ("one", "two")}),
        ("user: '1000'", {"user": "1000"}),
        ("read_only: true", {"read_only": True}),
        ("cap_drop: [ALL]", {"cap_drop": ("ALL",)}),
        ("cap_add: [KILL]", {"cap_add": ("KILL",)}),
        ("group_add: ['7']", {"group_add": ("7",)}),
        ("security_opt: ['a:b']", {"security_opt": ("a:b",)}),
        ("init: true", {"init": True}),
        ("working_dir: /a", {"working_dir": "/a"}),
        ("stop_grace_period: 1m", {"stop_grace": 60.0}),
        ("stop_signal: SIGINT", {"stop_signal": "SIGINT"}),
        ("labels: {a: 1, b: }", {"labels": {"a": "1", "b": ""}}),
        ("logging: {driver: journald, options: {max-file: 1, max-size: 1m, tag: x}}",
         {"logging": Logging("journald", {"max-file": "1", "max-size": "1m", "tag": "x"})}),
        ("hostname: a", {"host": Host(hostname="a")}),
        ("x-tradebot: {probe: {protocol: tcp, port: 80}}", {"probe": Probe("tcp", 80, "/")}),
        ("x-tradebot: {probe: {protocol: http, port: 1, path: /up}}", {"probe": Probe("http", 1, "/up")}),
        ("x-tradebot: {probe: {protocol: http, port: 1, ca: ./ca, name: n}}", {"probe": Probe("http", 1, "/")}),
        (
            "x-tradebot: {probe: {protocol: https, port: 1, ca: ./ca}}",
            {"probe": Probe("https", 1, "/", Trust(Path("/ca"), "localhost"))},
        ),
        (
            "x-tradebot: {probe: {protocol: https, port: 1, path: /up, ca: ~/ca, name: n}}",
            {"probe": Probe("https", 1, "/up", Trust(Path("/root/ca"), "n"))},
        ),
        ("x-tradebot: {probe: {protocol: redis, port: 1}}", {"probe": Probe("redis", 1)}),
        ("x-tradebot: {probe: {protocol: postgres, port: 1}}", {"probe": Probe("postgres", 1)}),
        ("x-tradebot: {scalable: true}", {"scalable": True}),
        ("x-tradebot: {one_shot: true}", {"one_shot": True}),
        ("x-tradebot: {reload: SIGHUP}", {"reload": "SIGHUP"}),
        ("x-tradebot: {needs_memory: 1k}", {"needs_memory": 1024}),
        ("x-tradebot: {ours: {a: [1]}, one_shot: false}", {"x": {"ours": {"a": [1]}}}),
    ],
)  # fmt: skip
def test_a_key(keys: str, expected: dict[str, Any]) -> None:
    found, told = service(f"image: a, {keys}")
    assert told == []
    for field in fields(Service):
        assert getattr(found, field.name) == expected.get(field.name, getattr(PLAIN, field.name)), field.name


def test_what_is_built_needs_no_name_of_its_image() -> None:
    found, told = service("build: .")
    assert (found.image, told) == ("demo-app", [])
    assert service("build: ., image: mine")[0].image == "mine"


KEY = "is a key tradebot does not read"


@pytest.mark.parametrize(
    ("keys", "code", "place", "message", "hint"),
    [
        (
            "healthcheck: {interval: 1s}",
            "TB-0815",
            "healthcheck",
            "has no `test`",
            'Write test: ["CMD", "program", "argument"].',
        ),
        *(
            (
                f"healthcheck: {{test: {words}}}",
                "TB-0815",
                "healthcheck.test",
                "starts with none of CMD, CMD-SHELL, NONE",
                'Write ["CMD", "program", "argument"].',
            )
            for words in ("[]", "[curl, x]")
        ),
        (
            "healthcheck: {test: a, retries: 0}",
            "TB-0815",
            "healthcheck.retries",
            "is 0",
            "Write a whole number from 1 up.",
        ),
        ("expose: [0]", "TB-0815", "expose[0]", "is 0", "Write a whole number from 1 up."),
        ("deploy: {replicas: -1}", "TB-0815", "deploy.replicas", "is -1", "Write a whole number from 0 up."),
        (
            "deploy: {resources: {limits: {pids: 0}}}",
            "TB-0815",
            "deploy.resources.limits.pids",
            "is 0",
            "Write a whole number from 1 up.",
        ),
        (
            "restart: sometimes",
            "TB-0815",
            "restart",
            "is 'sometimes'",
            'Write "no", always, unless-stopped, on-failure or on-failure:3.',
        ),
        (
            "restart: on-failure:x",
            "TB-0815",
            "restart",
            "is 'on-failure:x'",
            'Write "no", always, unless-stopped, on-failure or on-failure:3.',
        ),
        (
            "depends_on: {db: {condition: healthy}}",
            "TB-0815",
            "depends_on.db.condition",
            "is 'healthy'",
            f"Did you mean `service_healthy`? Write one of: {CONDITIONS}.",
        ),
        (
            "logging: {options: {max-size: lots}}",
            "TB-0815",
            "logging.options.max-size",
            "is 'lots'",
            "Write a size such as 512m or 4gb.",
        ),
        (
            "logging: {options: {max-file: 0}}",
            "TB-0815",
            "logging.options.max-file",
            "is 0",
            "Write a whole number from 1 up.",
        ),
        (
            "x-tradebot: {scaleable: true}",
            "TB-0815",
            "x-tradebot.scaleable",
            "is no key of x-tradebot",
            "Did you mean `scalable`?",
        ),
        (
            "x-tradebot: {probe: {port: 1}}",
            "TB-0815",
            "x-tradebot.probe",
            "has no `protocol`",
            "Add a `protocol:` line.",
        ),
        (
            "x-tradebot: {probe: {protocol: tcp}}",
            "TB-0815",
            "x-tradebot.probe",
            "has no `port`",
            "Add a `port:` line.",
        ),
        (
            "x-tradebot: {probe: {protocol: https, port: 1}}",
            "TB-0815",
            "x-tradebot.probe",
            "has no `ca`",
            "Add a `ca:` line.",
        ),
        (
            "x-tradebot: {probe: {protocol: udp, port: 1}}",
            "TB-0815",
            "x-tradebot.probe.protocol",
            "is 'udp'",
            "Write one of: http, https, redis, postgres, tcp.",
        ),
        (
            "x-tradebot: {probe: {protocol: tcp, port: 0}}",
            "TB-0815",
            "x-tradebot.probe.port",
            "is 0",
            "Write a whole number from 1 up.",
        ),
        ("build: {ssh: a}", "TB-0813", "build.ssh", KEY, "Supported here: args, context, dockerfile, target."),
        (
            "networks: {a: {zone: 1}}",
            "TB-0813",
            "networks.a.zone",
            KEY,
            "Supported here: aliases.",
        ),
        ("depends_on: {a: {why: 1}}", "TB-0813", "depends_on.a.why", KEY, "Supported here: condition."),
        (
            "healthcheck: {test: a, zone: 1}",
            "TB-0813",
            "healthcheck.zone",
            KEY,
            "Supported here: disable, interval, retries, start_interval, start_period, test, timeout.",
        ),
        ("deploy: {zone: 1}", "TB-0813", "deploy.zone", KEY, "Supported here: replicas, resources."),
        ("deploy: {resources: {zone: 1}}", "TB-0813", "deploy.resources.zone", KEY, "Supported here: limits."),
        (
            "deploy: {resources: {limits: {zone: 1}}}",
            "TB-0813",
            "deploy.resources.limits.zone",
            KEY,
            "Supported here: cpus, memory, pids.",
        ),
        ("logging: {zone: 1}", "TB-0813", "logging.zone", KEY, "Supported here: driver, options."),
        (
            "x-tradebot: {probe: {protocol: tcp, port: 1, zone: 1}}",
            "TB-0813",
            "x-tradebot.probe.zone",
            KEY,
            "Supported here: ca, name, path, port, protocol.",
        ),
    ],
)
def test_what_cannot_be_is_said_in_full(keys: str, code: str, place: str, message: str, hint: str) -> None:
    assert service(f"image: a, {keys}")[1] == [(code, f"1: it.{place}", message, hint)]


def test_a_service_without_an_image() -> None:
    hint = "Name an image, or say what one is built from."
    assert service("command: a")[1] == [("TB-0815", "1: it", "has neither `image` nor `build`", hint)]


@pytest.mark.parametrize(
    ("keys", "name", "value"),
    [
        ("healthcheck: {interval: 1s}", "healthcheck", None),
        ("x-tradebot: {probe: {protocol: tcp}}", "probe", None),
        ("x-tradebot: {probe: {protocol: udp, port: 7}}", "probe", Probe("tcp", 7)),
        ("x-tradebot: {probe: {protocol: https, port: 7}}", "probe", Probe("https", 7)),
        ("depends_on: {db: {condition: healthy}}", "depends_on", (Dependency("db"),)),
        ("stop_signal: SIGNOPE", "stop_signal", "SIGTERM"),
        ("stop_grace_period: 7", "stop_grace", 10.0),
        ("healthcheck: {test: a, interval: 7, timeout: 7, retries: x, start_period: 7, start_interval: 7}",
         "healthcheck", Healthcheck(("CMD-SHELL", "a"))),
        ("deploy: {replicas: -1}", "replicas", 1),
    ],
)  # fmt: skip
def test_what_is_read_all_the_same(keys: str, name: str, value: object) -> None:
    assert getattr(service(f"image: a, {keys}")[0], name) == value


def test_its_names_on_all_its_networks() -> None:
    found, _ = service("image: a, networks: {one: {aliases: [a, b]}, two: {aliases: [c]}, three: }")
    assert found.aliases == set("abc")
