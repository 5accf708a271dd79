"""What people type for services."""

import itertools
from pathlib import Path

import pytest

from tests.operations.seen import refusal
from tradebot_ops.engines.base import LogLine, Replica, State
from tradebot_ops.errors import OpsError
from tradebot_ops.operations.select import (
    Chosen,
    chosen_replicas,
    chosen_services,
    refuse_unknown,
    replica_name,
    service_name,
    with_dependencies,
)
from tradebot_ops.stack.load import load
from tradebot_ops.stack.model import Stack
from tradebot_ops.stack.source import Source

TEXT = """
services:
  web: {image: i, depends_on: [api]}
  api: {image: i, depends_on: [db, cache]}
  worker: {image: i, depends_on: [db]}
  db: {image: i}
  cache: {image: i}
"""


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    path = tmp_path / "compose.yaml"
    path.write_text(TEXT, encoding="utf-8")
    return load(Source((path,), tmp_path, "a test"), {}, project="demo", cache=tmp_path / "cache")


@pytest.mark.parametrize(
    ("typed", "name"), [("api", "api"), ("service=api", "api"), ("workers", "worker"), ("service=workers", "worker")]
)
def test_names_and_their_other_spellings(stack: Stack, typed: str, name: str) -> None:
    assert service_name(stack, typed) == name


@pytest.mark.parametrize(
    ("typed", "services", "numbers"),
    [
        ("worker-2", ("worker",), {"worker": {2}}),
        ("worker 2", ("worker",), {"worker": {2}}),
        ("workers-1 worker-3", ("worker",), {"worker": {1, 3}}),
        ("worker 1 api", ("api", "worker"), {"worker": {1}}),
        ("worker worker-2", ("worker",), {}),
        ("cache-1 db", ("db", "cache"), {"cache": {1}}),
        ("", ("web", "api", "worker", "db", "cache"), {}),
    ],
)
def test_replicas_are_named_as_they_are_shown(
    stack: Stack, typed: str, services: tuple[str, ...], numbers: dict[str, set[int]]
) -> None:
    chosen = chosen_replicas(stack, typed.split())
    assert (set(chosen.services), chosen.numbers) == (set(services), numbers)
    assert [chosen.holds(LogLine(name, 2, "")) for name in services] == [2 in numbers.get(n, {2}) for n in services]


@pytest.mark.parametrize("typed", ["2", "api 1 2", "worker-x", "nobody-1"])
def test_a_number_belongs_to_a_service(stack: Stack, typed: str) -> None:
    with pytest.raises(OpsError, match="There is no service"):
        chosen_replicas(stack, typed.split())


def test_a_service_whose_own_name_ends_in_a_number_is_that_service(tmp_path: Path) -> None:
    path = tmp_path / "compose.yaml"
    path.write_text("services: {db: {image: i}, db-2: {image: i}}", encoding="utf-8")
    found = load(Source((path,), tmp_path, "a test"), {}, project="demo", cache=tmp_path / "cache")
    assert chosen_replicas(found, ["db-2"]).services == ("db-2",)
    assert chosen_replicas(found, ["service=db-2"]).services == ("db-2",)


def test_an_unknown_name_is_an_error_that_names_what_there_is(stack: Stack) -> None:
    with pytest.raises(OpsError, match="no service 'wroker'.*worker") as caught:
        service_name(stack, "wroker")
    assert caught.value.code == "TB-0201"
    assert caught.value.hint == "Services: web, api, worker, db, cache."


def test_nothing_named_is_everything_and_the_order_is_the_stacks(stack: Stack) -> None:
    assert chosen_services(stack, ()) == ("web", "api", "worker", "db", "cache")
    assert chosen_services(stack, ["db", "workers", "api", "db"]) == ("api", "worker", "db")


def test_dependencies_come_with_what_needs_them_however_far_away(stack: Stack) -> None:
    assert with_dependencies(stack, ["web"]) == ("web", "api", "db", "cache")
    assert with_dependencies(stack, ["worker"]) == ("worker", "db")
    assert with_dependencies(stack, []) == ()


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"worker": {1, 2}}, ""),
        ({"worker": {1, 9, 7}}, "worker has no replica 7; there are: 1, 2."),
        ({"worker": {1}, "store": {1}}, "store has no replica 1; there are: none."),
    ],
)
def test_a_number_that_no_replica_has_is_told_with_those_there_are(wanted: dict[str, set[int]], message: str) -> None:
    there = [Replica("worker", number, f"w{number}", f"w{number}", State.RUNNING) for number in (2, 1)]
    there.append(Replica("api", 7, "a", "a", State.RUNNING))
    if not message:
        refuse_unknown(Chosen(("worker",), wanted), there)
        return
    with pytest.raises(OpsError) as caught:
        refuse_unknown(Chosen(("worker",), wanted), there)
    assert refusal(caught.value) == ("TB-0212", message, "tradebot status")


def test_services_come_in_the_order_of_the_stack_and_each_once(stack: Stack) -> None:
    for typed in itertools.permutations(["cache", "web", "worker", "db", "workers"]):
        assert chosen_services(stack, typed) == ("web", "worker", "db", "cache")


def test_a_service_whose_name_has_dashes_has_replicas_as_others(tmp_path: Path) -> None:
    path = tmp_path / "compose.yaml"
    path.write_text("services: {redis-exporter: {image: i}, redis: {image: i}, app-2: {image: i}}", encoding="utf-8")
    stack = load(Source((path,), tmp_path, "a test"), {}, project="demo", cache=tmp_path / "cache")
    assert replica_name(stack, "redis-exporter-1") == ("redis-exporter", 1)
    assert replica_name(stack, "redis-2") == ("redis", 2)
    assert replica_name(stack, "app-2") == ("app-2", None), "that is its name"
    assert replica_name(stack, "app-2-3") == ("app-2", 3)
