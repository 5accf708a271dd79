"""What does not fit together in a stack: rings of services, names that nobody declares, ports that are taken."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.operations.seen import refusal
from tradebot_ops.errors import OpsError
from tradebot_ops.stack.crosscheck import _clash, place_of
from tradebot_ops.stack.model import Port, Stack
from tradebot_ops.stack.reading.document import parse

SERVICES = "abcde"


def text(depends: dict[str, str]) -> str:
    lines = [f"  {name}: {{image: i, depends_on: [{', '.join(depends.get(name, ''))}]}}" for name in SERVICES]
    return "\n".join(["services:", *lines]) + "\n"


@pytest.mark.parametrize(
    ("depends", "ring"),
    [
        ({"a": "b", "b": "a"}, "a → b → a"),
        ({"a": "a"}, "a → a"),
        ({"d": "e", "e": "d"}, "d → e → d"),  # nobody before them waits for them
        ({"a": "c", "c": "de", "e": "c"}, "c → e → c"),  # reached through one that is not in the ring
        ({"a": "b", "b": "c", "c": "d", "d": "e", "e": "b"}, "b → c → d → e → b"),
    ],
)
def test_a_ring_is_found(refused: Callable[..., OpsError], depends: dict[str, str], ring: str) -> None:
    error = refused(text(depends))
    assert error.code == "TB-0818"
    assert re.search(rf"in a circle: {re.escape(ring)}", f"{error.message} {error.detail}")


@pytest.mark.parametrize(
    "depends", [{"a": "bc", "b": "d", "c": "d"}, {"e": "abcd", "d": "abc", "c": "ab", "b": "a"}, {}]
)
def test_what_meets_again_is_no_ring(load_text: Callable[..., Stack], depends: dict[str, str]) -> None:
    assert set(load_text(text(depends)).services) == set(SERVICES)


# Ports


@pytest.mark.parametrize(
    ("one", "other", "clash"),
    [
        (Port(1, 80), Port(2, 80), True),
        (Port(1, 80), Port(1, 81), False),
        (Port(1, 0), Port(1, 0), False),  # any free one
        (Port(1, 80, "127.0.0.1"), Port(1, 80, "127.0.0.2"), False),
        (Port(1, 80, "127.0.0.1"), Port(1, 80, "0.0.0.0"), True),
        (Port(1, 80, "::"), Port(1, 80, "127.0.0.1"), True),
        (Port(1, 80, ""), Port(1, 80, "192.0.2.7"), True),
        (Port(1, 80, "0.0.0.0"), Port(1, 81, "0.0.0.0"), False),
        (Port(1, 0, "0.0.0.0"), Port(1, 0, ""), False),
    ],
)
def test_two_ports_that_cannot_be_at_once(one: Port, other: Port, *, clash: bool) -> None:
    assert _clash(one, other) is _clash(other, one) is clash


def test_a_port_is_compared_with_those_of_every_service_before(refused: Callable[..., OpsError]) -> None:
    lines = [f"  s{number}: {{image: i, ports: ['{port}:1']}}" for number, port in enumerate((80, 81, 82, 80, 82))]
    error = refused("\n".join(["services:", *lines]))
    said = f"{error.message} {error.detail}"
    assert error.code == "TB-0819"
    assert "publishes 0.0.0.0:80, which s0 publishes already" in said
    assert "publishes 0.0.0.0:82, which s2 publishes already" in said


# Replicas, names, memory, tasks


def service(keys: str, top: str = "") -> str:
    return f"services:\n  app: {{image: i, {keys}}}\n{top}"


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        (service("configs: [c]"), "TB-0817", "uses 'c', which the top-level `configs` do not declare"),
        (service("secrets: [c]"), "TB-0817", "uses 'c', which the top-level `secrets` do not declare"),
        (service("networks: [c]"), "TB-0817", "uses 'c', which the top-level `networks` do not declare"),
        (service("volumes: ['c:/c']"), "TB-0817", "uses 'c', which the top-level `volumes` do not declare"),
        (service("deploy: {replicas: 2}"), "TB-0815", "asks for 2 replicas of a service that cannot be scaled"),
        (
            service("container_name: one", "  b: {image: i, container_name: one}\n"),
            "TB-0815",
            "is 'one', as that of app",
        ),
        (service("container_name: one, x-tradebot: {scalable: true}"), "TB-0815", "the service may have several"),
        *(
            (
                service(
                    f"restart: {word}",
                    "  b: {image: i, depends_on: {app: {condition: service_completed_successfully}}}\n",
                ),
                "TB-0815",
                f"is '{word}', but others wait for it to complete",
            )
            for word in ("always", "unless-stopped")
        ),
        (
            service("deploy: {resources: {limits: {memory: 1gb}}}, x-tradebot: {needs_memory: 1025mb}"),
            "TB-0815",
            "is 1024mb, but the service is set to use 1025mb",
        ),
    ],
)
def test_what_does_not_fit_together(refused: Callable[..., OpsError], text: str, code: str, said: str) -> None:
    error = refused(text)
    assert error.code == code
    assert said in f"{error.message} {error.detail}"


@pytest.mark.parametrize(
    "text",
    [
        service("deploy: {replicas: 1}"),
        service("deploy: {replicas: 0}"),
        service("deploy: {replicas: 2}, x-tradebot: {scalable: true}"),
        service("container_name: one", "  b: {image: i, container_name: two}\n"),
        service(
            "restart: on-failure", "  b: {image: i, depends_on: {app: {condition: service_completed_successfully}}}\n"
        ),
        service("restart: always", "  b: {image: i, depends_on: [app]}\n"),
        service("deploy: {resources: {limits: {memory: 1gb}}}, x-tradebot: {needs_memory: 1gb}"),
        service("deploy: {resources: {limits: {memory: 1gb}}}"),
        service("x-tradebot: {needs_memory: 1gb}"),
        service("networks: [default]"),
    ],
)
def test_what_does(load_text: Callable[..., Stack], text: str) -> None:
    assert "app" in load_text(text).services


def test_every_problem_of_every_service_is_found(refused: Callable[..., OpsError]) -> None:
    error = refused(
        "services:\n  a: {image: i, secrets: [x], deploy: {replicas: 2}}\n"
        "  b: {image: i, configs: [y], ports: ['1:1', '1:2']}\n"
    )
    said = f"{error.message} {error.detail}"
    for part in ("uses 'x'", "asks for 2 replicas", "uses 'y'", "publishes 0.0.0.0:1"):
        assert part in said


@pytest.mark.parametrize(
    ("text", "code", "place", "said", "hint"),
    [
        (
            service("depends_on: [aps]"),
            "TB-0817",
            "depends_on",
            "waits for 'aps', which is no service",
            "Did you mean `app`? Services are: app.",
        ),
        (
            service("depends_on: {unlike: {condition: service_started}}"),
            "TB-0817",
            "depends_on.unlike",
            "waits for 'unlike', which is no service",
            "Services are: app.",
        ),
        (
            service("depends_on: [b]", "  b: {image: i, profiles: [x]}\n"),
            "TB-0817",
            "depends_on",
            "waits for 'b', which belongs to a profile that is not chosen",
            "Choose it with --profile.",
        ),
        (
            service("secrets: [on]", "secrets: {one: {file: a}}\n"),
            "TB-0817",
            "secrets",
            "uses 'on', which the top-level `secrets` do not declare",
            "Did you mean `one`? Declared are: one.",
        ),
        (
            service("secrets: [unlike]"),
            "TB-0817",
            "secrets",
            "uses 'unlike', which the top-level `secrets` do not declare",
            "Declared are: none.",
        ),
        (
            service("deploy: {replicas: 2}"),
            "TB-0815",
            "deploy.replicas",
            "asks for 2 replicas of a service that cannot be scaled",
            "Write replicas: 1, or mark it `x-tradebot: {scalable: true}` if several can work side by side.",
        ),
        (
            service(
                "restart: always",
                "  b: {image: i, depends_on: {app: {condition: service_completed_successfully}}}\n",
            ),
            "TB-0815",
            "restart",
            "is 'always', but others wait for it to complete",
            'Write restart: "no" or on-failure.',
        ),
        (
            service("deploy: {resources: {limits: {memory: 1gb}}}, x-tradebot: {needs_memory: 2gb}"),
            "TB-0815",
            "deploy.resources.limits.memory",
            "is 1024mb, but the service is set to use 2048mb",
            "Raise it, such as to 4096mb.",
        ),
        (
            service("deploy: {resources: {limits: {memory: '${B:-1}${A:-gb}'}}}, x-tradebot: {needs_memory: 2gb}"),
            "TB-0815",
            "deploy.resources.limits.memory",
            "is 1024mb, but the service is set to use 2048mb",
            "Raise A or B, such as to 4096mb.",
        ),
        (
            service("container_name: one, x-tradebot: {scalable: true}"),
            "TB-0815",
            "container_name",
            "names one container, but the service may have several",
            "Remove the key: replicas are named <project>-<service>-<number>.",
        ),
        (
            service("ports: ['127.0.0.1:80:1', '80:2']"),
            "TB-0819",
            "ports",
            "publishes 0.0.0.0:80, which app publishes already",
            "Choose another port outside.",
        ),
        (
            service("depends_on: [app]"),
            "TB-0818",
            "depends_on",
            "waits in a circle: app → app",
            "Remove one of these dependencies.",
        ),
        (
            service("configs: [on]", "configs: {one: {file: compose.yaml}}\n"),
            "TB-0817",
            "configs",
            "uses 'on', which the top-level `configs` do not declare",
            "Did you mean `one`? Declared are: one.",
        ),
        (
            service("networks: [unlike]"),
            "TB-0817",
            "networks",
            "uses 'unlike', which the top-level `networks` do not declare",
            "Declared are: default.",
        ),
        (
            service("volumes: [{type: volume, source: unlike, target: /a}]", "volumes: {b: , a: }\n"),
            "TB-0817",
            "volumes",
            "uses 'unlike', which the top-level `volumes` do not declare",
            "Declared are: a, b.",
        ),
        (
            service("ulimits: {nofile: -2}"),
            "TB-0815",
            "ulimits.nofile",
            "is -2",
            "Write a whole number from -1 up.",
        ),
        (
            service("ulimits: {nofile: {soft: -1, hard: -2}}"),
            "TB-0815",
            "ulimits.nofile.hard",
            "is -2",
            "Write a whole number from -1 up.",
        ),
    ],
)
def test_a_problem_is_named_with_its_line_and_what_to_write(
    refused: Callable[..., OpsError], tmp_path: Path, text: str, code: str, place: str, said: str, hint: str
) -> None:
    message = f"{tmp_path / 'compose.yaml'}:2: services.app.{place} {said}."
    assert refusal(refused(text)) == (code, message, hint)


def test_a_name_that_two_containers_have_is_told_of_the_second(
    refused: Callable[..., OpsError], tmp_path: Path
) -> None:
    error = refused(
        "services:\n  a: {image: i, container_name: one}\n  b: {image: i}\n  c: {image: i, container_name: one}\n"
    )
    message = f"{tmp_path / 'compose.yaml'}:4: services.c.container_name is 'one', as that of a."
    assert refusal(error) == ("TB-0815", message, "Choose another name.")


def test_only_a_name_and_several_replicas_are_too_many(refused: Callable[..., OpsError]) -> None:
    error = refused("services:\n  a: {image: i, container_name: one, deploy: {replicas: 2}}\n")
    assert len(error.detail) == 2
    assert "names one container" in error.detail[1]


def test_where_a_path_is_written_is_where_its_last_key_is() -> None:
    tree = parse("a:\n  b:\n    c: 1\n  d: [1]\n", Path("compose.yaml"))
    expected = {
        (): (1, ""),
        ("a",): (1, "a"),
        ("a", "b", "c"): (3, "a.b.c"),
        ("a", "b", "x", "c"): (2, "a.b"),
        ("a", "d", "1"): (4, "a.d"),
    }
    places = {keys: place_of(tree, *keys) for keys in expected}
    assert {keys: (place.line, place.path) for keys, place in places.items()} == expected


def test_one_ring_is_told_and_what_waits_for_it_is_not_in_it(refused: Callable[..., OpsError]) -> None:
    error = refused(text({"a": "b", "b": "c", "c": "b", "d": "e", "e": "d"}))
    assert error.detail == ()
    assert error.message.endswith("services.b.depends_on waits in a circle: b → c → b.")
