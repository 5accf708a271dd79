from collections.abc import Callable
from pathlib import Path

import pytest

from tests.operations.seen import refusal
from tradebot_ops.errors import OpsError
from tradebot_ops.stack.load import Wanted, load, tree_of
from tradebot_ops.stack.model import (
    Condition,
    Dependency,
    Healthcheck,
    Limits,
    Logging,
    Mount,
    MountKind,
    Port,
    Probe,
    SecretMount,
    Service,
    Stack,
)
from tradebot_ops.stack.source import Source

Load = Callable[..., Stack]
LoadService = Callable[..., Service]
Refused = Callable[..., OpsError]

EVERYWHERE = "0.0.0.0"
ONE = "services:\n  app: {image: app:1}\n"


def test_a_service_with_nothing_but_an_image_gets_every_default(load_text: Load, tmp_path: Path) -> None:
    stack = load_text(ONE)
    app = stack.services["app"]
    assert (stack.project, stack.folder, stack.files) == ("demo", tmp_path, (tmp_path / "compose.yaml",))
    assert stack.networks["default"].name == "demo_default"
    assert app.networks == {"default": ()}
    assert (app.command, app.entrypoint, app.restart, app.replicas) == ((), None, "no", 1)
    assert (app.stop_grace, app.stop_signal, app.probe, app.one_shot) == (10.0, "SIGTERM", None, False)
    assert len(app.spec_hash) == 64


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ('"127.0.0.1:8010:80"', Port(80, 8010, "127.0.0.1", explicit=True)),
        ('"8010:80"', Port(80, 8010, EVERYWHERE, explicit=True)),
        ('"80"', Port(80, 0, EVERYWHERE)),
        ("80", Port(80, 0, EVERYWHERE)),
        ('"127.0.0.1::80"', Port(80, 0, "127.0.0.1")),
        ('"[::1]:8010:80/tcp"', Port(80, 8010, "::1", explicit=True)),
        ('"9091-9190:9091"', Port(9091, 9091, EVERYWHERE, explicit=True)),
        ("{target: 80, published: 8010, host_ip: 127.0.0.1}", Port(80, 8010, "127.0.0.1", explicit=True)),
        ('{target: 80, published: "8010", protocol: tcp}', Port(80, 8010, EVERYWHERE, explicit=True)),
    ],
)
def test_ports_in_every_spelling(load_service: LoadService, entry: str, expected: Port) -> None:
    assert load_service(f"ports: [{entry}]").ports == (expected,)


@pytest.mark.parametrize(
    ("entry", "environ", "explicit", "expected"),
    [
        ("${P:-8010}:80", {}, set(), False),
        ("${P:-8010}:80", {"P": "8010"}, set(), False),
        ("${P:-8010}:80", {"P": "8020"}, {"P"}, True),
        ("8010:80", {}, set(), True),
    ],
)
def test_a_port_is_explicit_when_somebody_chose_it(
    load_service: LoadService, entry: str, environ: dict[str, str], explicit: set[str], expected: bool
) -> None:
    for spelling in (f'ports: ["{entry}"]', f'ports: [{{target: 80, published: "{entry.removesuffix(":80")}"}}]'):
        port = load_service(spelling, environ=environ, explicit=frozenset(explicit)).ports[0]
        assert port.explicit is expected
        assert port.published == int(environ.get("P", 8010))


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("volumes: [./conf:/etc/conf:ro]", Mount(MountKind.BIND, "{here}/conf", "/etc/conf", read_only=True)),
        ("volumes: ['~/conf:/etc/conf']", Mount(MountKind.BIND, "{here}/conf", "/etc/conf")),
        ("volumes: ['/:/host:ro']", Mount(MountKind.BIND, "/", "/host", read_only=True)),
        ("volumes: [data:/data]", Mount(MountKind.VOLUME, "data", "/data")),
        (
            "volumes: [{type: bind, source: ./conf, target: /c, read_only: true, bind: {create_host_path: false}}]",
            Mount(MountKind.BIND, "{here}/conf", "/c", read_only=True),
        ),
        (
            'volumes: [{type: tmpfs, target: /t, tmpfs: {size: 64m, mode: "0700"}}]',
            Mount(MountKind.TMPFS, "", "/t", size=64 * 1024**2, mode=0o700),
        ),
        ("tmpfs: /t", Mount(MountKind.TMPFS, "", "/t")),
        ("tmpfs: ['/t:size=1m,mode=1777']", Mount(MountKind.TMPFS, "", "/t", size=1024**2, mode=0o1777)),
    ],
)
def test_mounts_in_every_spelling(load_service: LoadService, tmp_path: Path, keys: str, expected: Mount) -> None:
    (tmp_path / "conf").mkdir()
    app = load_service(keys, "volumes: {data: }\n", environ={"HOME": str(tmp_path)})
    source = expected.source.format(here=tmp_path)
    assert app.mounts == (
        Mount(expected.kind, source, expected.target, expected.read_only, expected.size, expected.mode),
    )


@pytest.mark.parametrize(
    ("keys", "field", "expected"),
    [
        ("command: [run, '--a b']", "command", ("run", "--a b")),
        ("command: run 'a b' \"c d\" e\\ f", "command", ("run", "a b", "c d", "e f")),
        ("command:", "command", ()),
        ("entrypoint: [tini, --]", "entrypoint", ("tini", "--")),
        ("entrypoint: []", "entrypoint", ()),
        ("entrypoint:", "entrypoint", None),
        ("entrypoint: ~", "entrypoint", None),
        (
            "environment: {A: 1, B: true, C: 'x=y', D: 1.50, E: ''}",
            "environment",
            {"A": "1", "B": "true", "C": "x=y", "D": "1.50", "E": ""},
        ),
        ("environment: [A=1, B=x=y, C=]", "environment", {"A": "1", "B": "x=y", "C": ""}),
        ("depends_on: [db]", "depends_on", (Dependency("db"),)),
        ("depends_on: {db: {condition: service_healthy}}", "depends_on", (Dependency("db", Condition.HEALTHY),)),
        ("secrets: [key]", "secrets", (SecretMount("key", "/run/secrets/key"),)),
        ("secrets: [{source: key, target: k, mode: 0440}]", "secrets", (SecretMount("key", "/run/secrets/k", 0o440),)),
        ("secrets: [{source: key, target: /etc/k}]", "secrets", (SecretMount("key", "/etc/k"),)),
        ("configs: [conf]", "configs", (SecretMount("conf", "/conf"),)),
        ("networks: [back]", "networks", {"back": ()}),
        ("networks: {back: {aliases: [x, y]}, default: }", "networks", {"back": ("x", "y"), "default": ()}),
        ("healthcheck: {test: curl x}", "healthcheck", Healthcheck(("CMD-SHELL", "curl x"))),
        (
            "healthcheck: {test: [CMD, a], interval: 10s, timeout: 90s, retries: 5, start_interval: 1s}",
            "healthcheck",
            Healthcheck(("CMD", "a"), 10.0, 90.0, 5, 0.0, 1.0),
        ),
        ("healthcheck: {disable: true}", "healthcheck", Healthcheck(("NONE",))),
        ("restart: on-failure:3", "restart", "on-failure:3"),
        ("restart: no", "restart", "no"),
        (
            "deploy: {resources: {limits: {memory: 4gb, cpus: '0.5', pids: 64}}}",
            "limits",
            Limits(4 * 1024**3, 0.5, 64),
        ),
        ("logging: {driver: json-file, options: {max-file: 3}}", "logging", Logging("json-file", {"max-file": "3"})),
        ("labels: [a=b, c]", "labels", {"a": "b", "c": ""}),
        ("stop_grace_period: 1m30s", "stop_grace", 90.0),
        ("init: 'true'", "init", True),
        ("expose: [9091, '80']", "expose", (9091, 80)),
        ("x-tradebot: {probe: {protocol: http, port: 80, path: /up}}", "probe", Probe("http", 80, "/up")),
        ("x-tradebot: {probe: {protocol: redis, port: 6379}}", "probe", Probe("redis", 6379)),
        ("x-tradebot: {scalable: true}", "scalable", True),
        ("x-tradebot: {one_shot: true}", "one_shot", True),
        ("x-tradebot: {reload: SIGHUP}", "reload", "SIGHUP"),
        ("x-tradebot: {something: {else: [1]}}", "x", {"something": {"else": [1]}}),
        ("x-other: {whatever: 1}", "x", {}),
    ],
)
def test_keys_in_every_spelling(
    load_service: LoadService, tmp_path: Path, keys: str, field: str, expected: object
) -> None:
    (tmp_path / "conf").write_text("c", encoding="utf-8")
    top = "  db: {image: db}\nnetworks: {back: }\nsecrets: {key: {file: ./key}}\nconfigs: {conf: {file: ./conf}}\n"
    assert getattr(load_service(keys, top), field) == expected


def test_build_paths_are_absolute(load_service: LoadService, tmp_path: Path) -> None:
    build = load_service("build: {context: ./a, dockerfile: d/Dockerfile, args: [V=1], target: t}").build
    assert build is not None
    assert (build.context, build.dockerfile) == (tmp_path / "a", tmp_path / "a" / "d" / "Dockerfile")
    assert (build.args, build.target) == ({"V": "1"}, "t")
    short = load_service("build: ./b").build
    assert short is not None
    assert short.dockerfile == tmp_path / "b" / "Dockerfile"


def test_names_on_the_engine_carry_the_project(load_text: Load, tmp_path: Path) -> None:
    text = (
        ONE
        + "volumes: {data: {}, own: {name: mine}, old: {external: true}}\nnetworks: {back: {internal: true}}\n"
        + "secrets: {acl: {file: '${DIR:-./secrets}/acl', x-tradebot: {derive: redis_acl}}}\n"
    )
    stack = load_text(text)
    assert {key: volume.name for key, volume in stack.volumes.items()} == {
        "data": "demo_data",
        "own": "mine",
        "old": "old",
    }
    assert (stack.networks["back"].name, stack.networks["back"].internal) == ("demo_back", True)
    assert (stack.secrets["acl"].file, stack.secrets["acl"].derive) == (tmp_path / "secrets" / "acl", "redis_acl")


def test_the_files_own_name_is_used_when_no_project_is_given(load_text: Load) -> None:
    assert load_text("name: from-file\n" + ONE, project="").project == "from-file"
    assert load_text("name: from-file\n" + ONE).project == "demo"


def test_who_is_waited_for_to_complete_is_a_one_shot(load_text: Load) -> None:
    text = """
services:
  migrate: {image: a}
  api: {image: a, depends_on: {migrate: {condition: service_completed_successfully}}}
"""
    services = load_text(text).services
    assert (services["migrate"].one_shot, services["api"].one_shot) == (True, False)


PROFILES = """
services:
  app: {image: a}
  grafana: {image: "${GRAFANA_IMAGE}", profiles: [monitoring]}
  extra: {image: e, profiles: [debug, monitoring]}
"""


@pytest.mark.parametrize(
    ("options", "active"),
    [
        ({}, ["app"]),
        ({"profiles": ["debug"]}, ["app", "extra"]),
        ({"profiles": ["monitoring"]}, ["app", "grafana", "extra"]),
        ({"profiles": ["*"]}, ["app", "grafana", "extra"]),
        ({"services": ["grafana"]}, ["app", "grafana"]),
    ],
)
def test_profiles_choose_services(load_text: Load, options: dict[str, list[str]], active: list[str]) -> None:
    stack = load_text(PROFILES, environ={"GRAFANA_IMAGE": "g"}, **options)
    assert list(stack.services) == active
    assert set(stack.inactive) == {"app", "grafana", "extra"} - set(active)


def test_variables_of_services_nobody_asked_for_may_be_missing(load_text: Load, refused: Refused) -> None:
    assert list(load_text(PROFILES).services) == ["app"]
    assert refused(PROFILES, profiles=["monitoring"]).code == "TB-0814"


SCALABLE = "services:\n  worker: {image: w, deploy: {replicas: 2}, x-tradebot: {scalable: true}}\n"


@pytest.mark.parametrize(("replicas", "expected"), [({}, 2), ({"worker": 6}, 6), ({"worker": 0}, 0), ({"gone": 3}, 2)])
def test_desired_replicas_outrank_the_file(load_text: Load, replicas: dict[str, int], expected: int) -> None:
    assert load_text(SCALABLE, replicas=replicas).services["worker"].replicas == expected


def test_the_environment_comes_from_files_first(load_service: LoadService, tmp_path: Path) -> None:
    (tmp_path / "a.env").write_text(
        "# comment\nA=1\nB=\"two words\"\nexport C=${A}-$HOST\nD='lit$eral'\nE=cost$$5\nF\n", encoding="utf-8"
    )
    app = load_service(
        "env_file: [a.env, {path: none.env, required: false}]\nenvironment: {B: 3, PASSED: , ABSENT: }",
        environ={"HOST": "h", "PASSED": "through"},
    )
    assert app.environment == {
        "A": "1",
        "B": "3",
        "C": "1-h",
        "D": "lit$eral",
        "E": "cost$5",
        "PASSED": "through",
    }


def test_several_files_are_merged_before_reading(load_text: Load) -> None:
    over = "services:\n  app: {environment: {A: 1}}\n  more: {image: m, depends_on: [app]}\n"
    stack = load_text(ONE, over)
    assert stack.services["app"].environment == {"A": "1"}
    assert [service.name for service in stack.in_order()] == ["app", "more"]


def test_values_typed_after_interpolation(load_service: LoadService) -> None:
    app = load_service(
        'deploy: {replicas: "${N:-1}"}\nread_only: ${RO}\nstop_grace_period: ${G:-5s}\nuser: "${U:-1}:${U:-1}"',
        environ={"RO": "true", "U": "10001"},
    )
    assert (app.replicas, app.read_only, app.stop_grace, app.user) == (1, True, 5.0, "10001:10001")


@pytest.mark.parametrize(
    ("text", "code", "said", "hint"),
    [
        (
            "services:\n  app: {image: '${NOPE}'}\n",
            "TB-0814",
            ":2: services.app.image needs the variable NOPE",
            "Set it in .env (NOPE=…), or give it a default: ${NOPE:-value}.",
        ),
        (
            "services:\n  app: {image: a, command: [run, '$5']}\n",
            "TB-0814",
            ":2: services.app.command[1] ",
            "Write $$ for a plain dollar sign.",
        ),
        (
            "# nothing\nservices: {}\n",
            "TB-0815",
            ":2: describes no active service",
            "Add one below `services:`, or choose a --profile.",
        ),
        ("services:\n  app: {image: a}\nservice: 1\n", "TB-0813", ":3: service is a key tradebot does not read", ""),
    ],
)
def test_what_is_wrong_is_said_with_its_line(
    refused: Refused, tmp_path: Path, text: str, code: str, said: str, hint: str
) -> None:
    error = refused(text)
    assert error.code == code
    assert error.message.startswith(f"{tmp_path / 'compose.yaml'}{said}")
    assert error.hint == hint or (not hint and "`services`" in error.hint)


@pytest.mark.parametrize(
    ("content", "reason"), [(None, "No such file or directory"), (b"\xff", "it is not UTF-8 text")]
)
def test_a_file_that_cannot_be_read_is_said_to_be_one(tmp_path: Path, content: bytes | None, reason: str) -> None:
    file = tmp_path / "compose.yaml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(OpsError) as caught:
        load(Source((file,), tmp_path, ""), {}, project="p")
    assert refusal(caught.value) == ("TB-0810", f"Cannot read {file}: {reason}.", "Name a readable file with -f.")


def test_only_what_belongs_to_a_service_that_is_not_wanted_may_be_missing(refused: Refused) -> None:
    text = "services:\n  app: {image: '${ONE}', profiles: [p]}\n  app2: {image: '${TWO}'}\nx-app: '${THREE}'\n"
    error = refused(text)
    assert "TWO" in error.detail[0]
    assert "THREE" in error.detail[1]
    assert len(error.detail) == 2


@pytest.mark.parametrize(
    ("replicas", "outranked"), [({}, {}), ({"worker": 6}, {"worker": 2}), ({"worker": 2}, {}), ({"gone": 3}, {})]
)
def test_what_the_file_asked_for_is_known_where_another_number_was_stored(
    load_text: Load, replicas: dict[str, int], outranked: dict[str, int]
) -> None:
    assert load_text(SCALABLE, replicas=replicas).outranked == outranked


@pytest.mark.parametrize(
    ("profiles", "services", "listed", "wanted"),
    [
        ((), (), (), True),
        ((), (), ("p",), False),
        (("p",), (), ("p", "q"), True),
        (("r",), (), ("p", "q"), False),
        (("*",), (), ("p",), True),
        ((), ("app",), ("p",), True),
        ((), ("other",), ("p",), False),
    ],
)
def test_who_is_wanted(
    profiles: tuple[str, ...], services: tuple[str, ...], listed: tuple[str, ...], wanted: bool
) -> None:
    assert Wanted(frozenset(profiles), frozenset(services)).wants("app", listed) is wanted


def test_the_tree_is_merged_and_its_variables_are_replaced(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("services:\n  app: {image: 'a:${TAG}', tty: true, command: ['$X']}\n")
    (tmp_path / "b.yaml").write_text("services:\n  app: {tty: !reset true, user: '1'}\n")
    source = Source((tmp_path / "a.yaml", tmp_path / "b.yaml"), tmp_path, "")
    tree = tree_of(source, {"TAG": "2", "X": "run"})
    assert tree.plain() == {"services": {"app": {"image": "a:2", "command": ["run"], "user": "1"}}}


def test_who_is_done_at_exit_0(load_text: Load) -> None:
    condition = "{condition: service_completed_successfully}"
    text = f"""
services:
  a: {{image: a}}
  b: {{image: a, x-tradebot: {{one_shot: true}}}}
  c: {{image: a}}
  d: {{image: a, depends_on: {{a: {condition}, c: {{condition: service_healthy}}}}}}
"""
    assert [name for name, each in load_text(text).services.items() if each.one_shot] == ["a", "b"]


def test_home_and_the_project_are_what_the_caller_says(load_text: Load, tmp_path: Path) -> None:
    (tmp_path / "~").mkdir()
    text = "services:\n  app: {build: ., volumes: ['~/:/home']}\n"
    assert load_text(text, environ={"HOME": str(tmp_path)}).services["app"].mounts[0].source == str(tmp_path)
    assert load_text(text).services["app"].mounts[0].source == str(tmp_path / "~"), "where nobody has a home"
    assert load_text(text, project="other").services["app"].image == "other-app"
    assert load_text(f"name: filed\n{text}", project="").services["app"].image == "filed-app"


def test_a_tree_is_read_as_far_as_its_variables_are_there(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("services:\n  app: {image: '${NOPE}', command: '$5'}\n")
    tree = tree_of(Source((tmp_path / "a.yaml",), tmp_path, ""), {})
    assert tree.plain() == {"services": {"app": {"image": "${NOPE}", "command": "$5"}}}
