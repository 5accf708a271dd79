"""Every way to get the description wrong: which code, where, and what the operator is told to write."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.operations.seen import refusal
from tradebot_ops.errors import ExitCode, OpsError
from tradebot_ops.stack.load import load
from tradebot_ops.stack.problems import Code, Place, Problems, listed
from tradebot_ops.stack.source import Source

Refused = Callable[..., OpsError]


def app(keys: str) -> str:
    lines = "\n".join(f"    {line}" for line in keys.strip().splitlines())
    return f"services:\n  app:\n    image: a\n{lines}\n"


@pytest.mark.parametrize(
    ("text", "code", "said", "hint"),
    [
        pytest.param(app("depend_on: [db]"), "TB-0813", ":4: services.app.depend_on", "`depends_on`", id="typo"),
        pytest.param(
            app("mem_limit: 4g"), "TB-0813", "services.app.mem_limit", "deploy.resources.limits.memory", id="old key"
        ),
        pytest.param(app("network_mode: host"), "TB-0813", "does not read", "Write networks", id="unsupported key"),
        pytest.param(app("pull_policy: always"), "TB-0815", "'always'", "tradebot pull", id="pull policy"),
        pytest.param(app("container_name: x"), "TB-0815", "'x'", "two at least", id="container's name"),
        pytest.param(
            app("container_name: xy\nx-tradebot: {scalable: true}"), "TB-0815", "may have several", "Remove", id="named"
        ),
        pytest.param(app("extra_hosts: [alone]"), "TB-0815", "'alone'", "host-gateway", id="extra host"),
        pytest.param(app("ulimits: {nofile: {soft: 1}}"), "TB-0815", "has no `hard`", "hard", id="half a limit"),
        pytest.param(
            app("deploy: {placement: {}}"), "TB-0813", "services.app.deploy.placement", "replicas", id="deep key"
        ),
        pytest.param("service: {}\n", "TB-0813", "service is a key", "`services`", id="top-level typo"),
        pytest.param(
            app("x-tradebot: {scaleable: true}"), "TB-0815", "x-tradebot.scaleable", "`scalable`", id="own typo"
        ),
        pytest.param(
            app("command: ${NOPE}"), "TB-0814", "services.app.command needs the variable NOPE", "NOPE=", id="variable"
        ),
        pytest.param(app("command: ${NOPE:?ask Bob}"), "TB-0814", "ask Bob", "NOPE", id="required variable"),
        pytest.param(app("command: costs $5"), "TB-0814", "starts no variable", "$$", id="lone dollar"),
        pytest.param(app("command: ${X"), "TB-0814", "never closed", "$$", id="open brace"),
        pytest.param(
            "services:\n  app: {command: a}\n",
            "TB-0815",
            "services.app has neither `image` nor `build`",
            "Name",
            id="no image",
        ),
        pytest.param(
            "services:\n  app: text\n",
            "TB-0815",
            "services.app is 'text', not a mapping",
            "key: value",
            id="no mapping",
        ),
        pytest.param("services: [a]\n", "TB-0815", "services is a list", "key: value", id="services is a list"),
        pytest.param("services: {}\n", "TB-0815", "no active service", "--profile", id="no services"),
        pytest.param(
            app("ports: {a: b}"), "TB-0815", "services.app.ports is a mapping, not a list", "- value", id="no list"
        ),
        pytest.param(
            app("ports: ['80:x']"), "TB-0819", "services.app.ports[0] is '80:x'", "127.0.0.1:8010:8010", id="bad port"
        ),
        pytest.param(app("ports: ['0:70000']"), "TB-0819", "outside 1-65535", "127.0.0.1", id="port too high"),
        pytest.param(app("ports: ['80:80/udp']"), "TB-0819", "udp", "127.0.0.1", id="udp"),
        pytest.param(app("ports: ['80-81:80-81']"), "TB-0819", "no port", "127.0.0.1", id="port range"),
        pytest.param(app("ports: [{published: 80}]"), "TB-0819", "no usable port", "127.0.0.1", id="no target"),
        pytest.param(
            app("ports: ['1:80', '1:81']"), "TB-0819", "app publishes already", "another port", id="port twice"
        ),
        pytest.param(
            app("volumes: ['./gone:/x']"), "TB-0816", "gone, which does not exist", "Create it", id="bind source"
        ),
        pytest.param(app("volumes: [/x]"), "TB-0815", "no source and absolute target", "volume-name:", id="no source"),
        pytest.param(app("volumes: ['v:/x:rslave']"), "TB-0815", "mode 'rslave'", "ro or rw", id="mount mode"),
        pytest.param(app("volumes: ['v:/x']"), "TB-0817", "'v', which the top-level `volumes`", "none", id="volume"),
        pytest.param(
            app("volumes: [{type: npipe, source: a, target: /b}]"),
            "TB-0815",
            "'npipe'",
            "bind, volume, tmpfs",
            id="type",
        ),
        pytest.param(app("tmpfs: ['/t:noexec']"), "TB-0815", "'/t:noexec'", "size=64m", id="tmpfs option"),
        pytest.param(app("secrets: [key]"), "TB-0817", "services.app.secrets uses 'key'", "Declared are", id="secret"),
        pytest.param(
            app("secrets: [kye]") + "secrets: {key: {file: ./k}}\n", "TB-0817", "uses 'kye'", "`key`", id="secret typo"
        ),
        pytest.param(app("networks: [back]"), "TB-0817", "uses 'back'", "default", id="network"),
        pytest.param(
            app("depends_on: [bd]") + "  db: {image: d}\n",
            "TB-0817",
            "'bd', which is no service",
            "app, db",
            id="dependency",
        ),
        pytest.param(
            app("depends_on: [db]") + "  db: {image: d, profiles: [p]}\n",
            "TB-0817",
            "not chosen",
            "--profile",
            id="inactive",
        ),
        pytest.param(app("depends_on: [app]"), "TB-0818", "app → app", "Remove", id="waits for itself"),
        pytest.param(
            "services:\n  a: {image: i, depends_on: [b]}\n  b: {image: i, depends_on: [c]}\n"
            "  c: {image: i, depends_on: [a]}\n",
            "TB-0818",
            "a → b → c → a",
            "Remove",
            id="cycle",
        ),
        pytest.param(
            app("depends_on: {db: {condition: healthy}}"), "TB-0815", "'healthy'", "service_healthy", id="condition"
        ),
        pytest.param(app("stop_grace_period: 10"), "TB-0815", "is '10'", "10s", id="duration"),
        pytest.param(app("deploy: {resources: {limits: {memory: lots}}}"), "TB-0815", "'lots'", "4gb", id="size"),
        pytest.param(
            app("logging: {options: {max-size: lots}}"), "TB-0815", "max-size is 'lots'", "512m", id="log size"
        ),
        pytest.param(app("logging: {options: {max-file: 0}}"), "TB-0815", "max-file is 0", "from 1 up", id="log files"),
        pytest.param(app("deploy: {resources: {limits: {cpus: 0}}}"), "TB-0815", "'0'", "above 0", id="cpus"),
        pytest.param(app("deploy: {replicas: -1}"), "TB-0815", "is -1", "0 up", id="negative replicas"),
        pytest.param(app("deploy: {replicas: few}"), "TB-0815", "'few'", "whole number", id="replicas"),
        pytest.param(app("deploy: {replicas: 2}"), "TB-0815", "cannot be scaled", "scalable: true", id="not scalable"),
        pytest.param(
            app("deploy: {resources: {limits: {memory: '${L:-1gb}'}}}\nx-tradebot: {needs_memory: 2gb}"),
            "TB-0815",
            "limits.memory is 1024mb, but the service is set to use 2048mb",
            "Raise L, such as to 4096mb",
            id="limit too small",
        ),
        pytest.param(app("restart: sometimes"), "TB-0815", "'sometimes'", "unless-stopped", id="restart"),
        pytest.param(app("init: maybe"), "TB-0815", "'maybe'", "true or false", id="boolean"),
        pytest.param(app('command: "say \'hi"'), "TB-0815", "say", "quote", id="open quote"),
        pytest.param(app("healthcheck: {test: [curl, x]}"), "TB-0815", "CMD-SHELL", "CMD", id="health test"),
        pytest.param(app("healthcheck: {interval: 1s}"), "TB-0815", "has no `test`", "test:", id="no health test"),
        pytest.param(app("env_file: gone.env"), "TB-0816", "gone.env, which does not exist", "Create", id="env_file"),
        pytest.param(
            app("x-tradebot: {probe: {protocol: http}}"), "TB-0815", "has no `port`", "port:", id="probe port"
        ),
        pytest.param(app("x-tradebot: {probe: {protocol: htp, port: 1}}"), "TB-0815", "'htp'", "`http`", id="probe"),
        pytest.param(
            app("secrets: [k]") + "secrets: {k: {}}\n", "TB-0815", "secrets.k has no `file`", "file:", id="secret file"
        ),
        pytest.param(
            app("") + "configs: {c: {file: ./gone}}\n", "TB-0816", "gone, which does not exist", "Create", id="config"
        ),
        pytest.param(
            app("secrets: [{source: k, mode: 400}]") + "secrets: {k: {file: ./k}}\n",
            "TB-0815",
            "'400'",
            "0400",
            id="mode",
        ),
        pytest.param(app("image: b"), "TB-0811", "services.app.image is written twice", "Keep one", id="key twice"),
        pytest.param("services:\n\tapp: {}\n", "TB-0811", ":2: not valid YAML", "indentation", id="yaml"),
    ],
)
def test_is_refused(refused: Refused, text: str, code: str, said: str, hint: str) -> None:
    error = refused(text)
    told = "\n".join((error.message, error.hint, *error.detail))
    assert (error.code, error.exit_code) == (code, ExitCode.CONFIG_INVALID)
    assert said in told
    assert hint in told
    assert "compose.yaml" in told


def test_all_problems_are_told_at_once(refused: Refused) -> None:
    error = refused(app("ports: ['x']\ninit: maybe\nrestrat: always\nvolumes: ['./gone:/x']"))
    assert error.message == "The stack description has 4 problems."
    assert [line.split(": ")[0].rpartition(":")[2] for line in error.detail] == ["6", "4", "7", "5"]
    assert "config validate" in error.hint


def test_the_same_mistake_in_a_shared_anchor_is_told_once(refused: Refused) -> None:
    error = refused("x-a: &a {image: i, init: maybe}\nservices:\n  one: {<<: *a}\n  two: {<<: *a}\n")
    assert len(error.detail or [error.message]) == 2  # one for each service that has it


def test_two_services_cannot_publish_one_port(refused: Refused) -> None:
    text = "services:\n  a: {image: i, ports: ['127.0.0.1:80:1']}\n  b: {image: i, ports: ['80:1']}\n"
    error = refused(text)
    assert error.message.endswith("services.b.ports publishes 0.0.0.0:80, which a publishes already.")


def test_the_same_port_on_two_addresses_is_fine(tmp_path: Path) -> None:
    file = tmp_path / "compose.yaml"
    file.write_text(
        "services:\n  a: {image: i, ports: ['127.0.0.1:80:1']}\n  b: {image: i, ports: ['127.0.0.2:80:1']}\n",
        encoding="utf-8",
    )
    assert len(load(Source((file,), tmp_path, ""), {}, project="p", cache=tmp_path).services) == 2


def test_a_problem_in_an_override_names_that_file(refused: Refused) -> None:
    error = refused(app(""), "services:\n  app:\n    init: maybe\n")
    assert "override1.yaml:3: services.app.init" in error.message


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_an_unreadable_file_is_refused(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "compose.yaml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(OpsError, match="Cannot read") as caught:
        load(Source((file,), tmp_path, ""), {}, project="p")
    assert caught.value.code == "TB-0810"


def test_a_broken_env_file_names_its_line(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "a.env").write_text("A=1\n=x\nB=${NOPE}\n", encoding="utf-8")
    error = refused(app("env_file: a.env"))
    assert f"{tmp_path / 'a.env'}:2: " in error.detail[0]
    assert "NOPE" in error.detail[1]


@pytest.mark.parametrize("entry", ['"٣:٣"', '"1_0:80"', '{target: "٣"}', '{target: 80, published: "8_0"}'])
def test_only_plain_digits_are_ports(refused: Refused, entry: str) -> None:
    assert refused(app(f"ports: [{entry}]")).code == "TB-0819"


@pytest.mark.parametrize("key", ["pids: 1_0", "cpus: 1_0", "pids: '٣'", "cpus: .inf", "cpus: 1e3", "memory: '٣m'"])
def test_only_plain_digits_are_numbers(refused: Refused, key: str) -> None:
    assert refused(app(f"deploy: {{resources: {{limits: {{{key}}}}}}}")).code == "TB-0815"


@pytest.mark.parametrize("key", ['env_file: "a\\0b"', 'volumes: ["./a\\0b:/c"]'])
def test_a_nul_character_is_refused(refused: Refused, key: str) -> None:
    assert refused(app(key)).code == "TB-0811"


def test_problems_are_told_once_each_with_what_to_write() -> None:
    problems = Problems()
    problems.raise_if_any()
    here, whole = Place(Path("a.yaml"), 3, "services.app"), Place(Path("a.yaml"))
    problems.add(Code.VALUE, here, "is odd", "Write another one.")
    problems.add(Code.VALUE, here, "is odd", "Write another one.")
    with pytest.raises(OpsError) as caught:
        problems.raise_if_any()
    assert refusal(caught.value) == ("TB-0815", "a.yaml:3: services.app is odd.", "Write another one.")
    assert caught.value.detail == ()
    problems.add(Code.KEY, whole, "it is empty")
    with pytest.raises(OpsError) as caught:
        problems.raise_if_any()
    assert refusal(caught.value) == (
        "TB-0815",
        "The stack description has 2 problems.",
        "Repair the lines named above, then check with: tradebot config validate",
    )
    assert caught.value.detail == ("a.yaml:3: services.app is odd. Write another one.", "a.yaml: it is empty.")
    assert [listed(words) for words in ((), ("b", "a"))] == ["none", "a, b"]
