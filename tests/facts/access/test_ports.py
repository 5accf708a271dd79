"""Ports are connected to, from this host's own addresses; processes' sockets are read from the kernel."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tradebot_ops.clients import probe
from tradebot_ops.context import Ops
from tradebot_ops.engines.inspection import Binding, EngineInfo, Inspected
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import Unreachable
from tradebot_ops.facts.access import ports
from tradebot_ops.facts.access.ports import Seen, Shown
from tradebot_ops.facts.asking import Facts
from tradebot_ops.facts.fact import NotHere, Skip
from tradebot_ops.settings import load_settings

HERE = EngineInfo("stub", "1", "Linux", 1, 1, "/", on_this_host=True)


@pytest.fixture
def ops(tmp_path: Path) -> Ops:
    environ = {"TRADEBOT_STATE": str(tmp_path), "HOME": str(tmp_path), "TRADEBOT_PROFILES": "core"}
    return Ops(load_settings({"project": "demo"}, environ, Path(__file__).parents[2]), StubEngine("demo"))


@pytest.fixture
def everywhere() -> Iterator[int]:
    with socket.create_server(("0.0.0.0", 0)) as listener:
        yield int(listener.getsockname()[1])


@pytest.fixture
def here() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield int(listener.getsockname()[1])


def process(*bindings: Binding) -> Inspected:
    return Inspected("redis", 1, "r", "r", "running", contained=False, pid=os.getpid(), bindings=bindings)


def test_what_listens_everywhere_is_reached_and_what_listens_on_loopback_is_not(
    ops: Ops, everywhere: int, here: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ports, "_own_addresses", lambda: ("127.0.0.2",))
    found = {each.port: each for each in ports.seen(ops, (process(),), HERE).ports}
    assert found[everywhere].reached == ("127.0.0.2",)
    assert found[everywhere].beyond_loopback
    assert not found[here].beyond_loopback
    assert not found[here].published


def test_a_process_that_listens_wider_than_it_says_is_seen(ops: Ops, everywhere: int) -> None:
    found = ports.seen(ops, (process(Binding(6379, "127.0.0.1", everywhere)),), HERE).ports
    assert [each.address for each in found if each.port == everywhere and each.published] == ["127.0.0.1", "0.0.0.0"]


def test_ports_of_another_hosts_engine_are_only_read(ops: Ops) -> None:
    away = EngineInfo("docker", "1", "Linux", 1, 1, "/", on_this_host=False)
    container = Inspected("api", 1, "a", "a", "running", bindings=(Binding(8010, "0.0.0.0", 8010),))
    assert ports.seen(ops, (container,), away) == Seen((Shown("api", "api-1", 8010, "0.0.0.0", 8010),), ())


def test_addresses_of_one_link_and_of_loopback_are_no_way_in() -> None:
    assert not [address for address in ports._own_addresses() if address.startswith(("127.", "fe80", "::1"))]


def test_without_monitoring_there_is_no_door(ops: Ops) -> None:
    found = ports.doors
    assert Facts(ops).value(found) == NotHere(Skip.ENGINE, "The stub engine reports no more about its replicas.")
    with pytest.raises(Exception, match="is part of this stack"):
        ports.doors(ops, Seen((), ()))


def test_who_gives_no_answer_is_unknown(here: int) -> None:
    with pytest.raises(Unreachable, match="gave no answer"):
        probe.status("127.0.0.1", here, "/", timeout=0.2)
