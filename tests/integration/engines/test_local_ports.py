"""Ports of the local engine: taken ones, several projects side by side, and what is remembered."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from tests.engines.contract import Harness
from tests.integration.engines.conftest import Project
from tests.waiting import free_port, until
from tradebot_ops.engines.local.ports import Ports, Wish
from tradebot_ops.engines.ports import is_free
from tradebot_ops.errors import OpsError
from tradebot_ops.stack.model import Port, Stack
from tradebot_ops.state import ProjectState

pytestmark = pytest.mark.integration


def _served(port: int) -> bool:
    return not is_free(port)


@contextmanager
def _listening(port: int = 0) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", port)) as server:
        yield server.getsockname()[1]


def _publishing(harness: Harness, *, explicit: bool) -> Stack:
    return harness.changed("web", ports=(Port(harness.port, harness.port, explicit=explicit),))


def _published(harness: Harness) -> Harness:
    """The same project, its web service published on its default port."""
    return replace(harness, stack=_publishing(harness, explicit=False))


def test_two_projects_run_side_by_side(project: Project) -> None:
    first = _published(project())
    second = _published(project(port=first.port))
    one, two = first.up(), second.up()
    assert one.pid != two.pid
    addresses = [harness.engine.endpoint("web", harness.port) for harness in (first, second)]
    assert addresses[0].port == first.port
    assert addresses[1].port != first.port
    for address in addresses:
        until(partial(_served, address.port), f"{address} is served")
    # Before it was served its launch script may not have marked its start yet, and the moment moves by milliseconds.
    served = second.now()
    assert served is not None
    assert served.pid == two.pid
    first.engine.destroy(first.stack, volumes=True)
    assert second.now() == served


def test_a_taken_default_port_moves_names_the_holder_and_is_remembered(project: Project) -> None:
    harness = _published(project())
    told: list[str] = []
    with _listening(harness.port):
        harness.engine.prepare(harness.stack, lambda service, line: told.append(f"{service}: {line}"))
    moved = Ports(ProjectState(harness.engine._layout.state)).known()["web-1"][str(harness.port)]  # type: ignore[attr-defined]
    assert moved != harness.port
    assert len(told) == 1
    assert f"web: port {harness.port} is taken by " in told[0]
    assert f"(process {os.getpid()} of user " in told[0]
    assert told[0].endswith(f": using {moved}")
    harness.up()
    assert harness.engine.endpoint("web", harness.port).port == moved
    harness.engine.destroy(harness.stack, volumes=False)
    harness.up()
    assert harness.engine.endpoint("web", harness.port).port == moved


def test_a_taken_explicit_port_is_refused_naming_the_holder(project: Project) -> None:
    harness = project()
    stack = _publishing(harness, explicit=True)
    with _listening(harness.port), pytest.raises(OpsError) as caught:
        harness.engine.prepare(stack, lambda _service, _line: None)
    assert caught.value.code == "TB-0821"
    assert f"Port {harness.port} for web is taken by " in caught.value.message
    assert f"process {os.getpid()} of user" in caught.value.message


def test_an_explicit_port_of_ones_own_running_replica_is_no_conflict(project: Project) -> None:
    harness = project()
    stack = _publishing(harness, explicit=True)
    harness.engine.prepare(stack, lambda _service, _line: None)
    first = harness.engine.apply(stack, "web", 1)
    assert [(one.target, one.address.port) for one in first.published] == [(harness.port, harness.port)]
    until(partial(_served, harness.port), "the port is served")
    harness.engine.prepare(stack, lambda _service, _line: None)
    assert harness.engine.apply(stack, "web", 1) == first


def test_a_dependant_told_a_port_that_moved_no_longer_matches_its_description(project: Project) -> None:
    harness = _published(project())
    caller = replace(harness.stack.services["stubborn"], environment={"WEB": f"http://web:{harness.port}/"})
    stack = replace(harness.stack, services={**harness.stack.services, "stubborn": caller})
    harness.engine.prepare(stack, lambda _service, _line: None)
    web = harness.engine.apply(stack, "web", 1)
    assert harness.engine.apply(stack, "stubborn", 1).spec_hash == "stubborn-1"
    harness.engine.stop(web, 5)
    with _listening(harness.port):
        harness.engine.prepare(stack, lambda _service, _line: None)
    stale = harness.now("stubborn")
    assert stale is not None
    assert stale.spec_hash == ""
    assert harness.engine.apply(stack, "stubborn", 1).spec_hash == "stubborn-1"


def test_projects_started_at_once_look_for_unpublished_ports_in_different_places(project: Project) -> None:
    first = project()
    second = project(port=first.port)
    for harness in (first, second):
        harness.up()
    ports = {harness.engine.endpoint("web", harness.port).port for harness in (first, second)}
    assert len(ports) == 2
    assert first.port not in ports


def test_replicas_take_the_next_free_ports_and_keep_them(tmp_path: Path) -> None:
    ports = Ports(ProjectState(tmp_path))
    base = free_port()
    wishes = [Wish("worker", number, 9091, base) for number in (2, 3, 4)]
    assigned = [ports.assign(wish, held={}, report=print) for wish in wishes]
    assert assigned[0] == base
    assert assigned == sorted(set(assigned))
    assert [ports.assign(wish, held={}, report=print) for wish in wishes] == assigned
