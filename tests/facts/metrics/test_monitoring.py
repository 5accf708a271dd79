"""Whether the monitoring answers: a refusal is an answer, and what is not chosen is nothing to look at."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.paths import ROOT
from tradebot_ops.clients.prometheus import Prometheus
from tradebot_ops.clients.rest import Login
from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError, Unreachable
from tradebot_ops.facts.alerting import alert_channels, alertmanager, runbooks
from tradebot_ops.facts.alerting.alert_delivery import Trip, trip
from tradebot_ops.facts.asking import Facts
from tradebot_ops.facts.fact import Effect, Fact, NotApplicable, NotHere, Skip, Unknown
from tradebot_ops.facts.metrics import monitoring, prometheus
from tradebot_ops.records import Absence, ChannelTests, UnavailableServices
from tradebot_ops.settings import Secret, load_settings


def made(tmp_path: Path, profiles: str = "monitoring") -> Ops:
    environ = {"TRADEBOT_STATE": str(tmp_path), "HOME": str(tmp_path), "TRADEBOT_PROFILES": profiles}
    return Ops(load_settings({"project": "demo"}, environ, ROOT), StubEngine("demo"))


@pytest.fixture
def ops(tmp_path: Path) -> Ops:
    return made(tmp_path)


def test_what_does_not_run_is_an_answer_and_what_cannot_is_told_apart(ops: Ops) -> None:
    ops.state.store(UnavailableServices({"grafana": Absence("In no package.", "tradebot dash")}))
    found = Facts(ops).value(monitoring.services)
    assert isinstance(found, tuple)
    answers = {answer.service: answer for answer in found}
    assert answers.keys() == {
        "prometheus", "alertmanager", "node-exporter", "redis-exporter", "postgres-exporter", "grafana"
    }  # fmt: skip
    assert not any(answer.ok for answer in found)
    assert [answer.service for answer in found if answer.absent] == ["grafana"]
    assert answers["prometheus"].detail == "Prometheus does not run."


def test_what_only_prometheus_knows_is_skipped_while_it_is_silent(ops: Ops) -> None:
    facts = Facts(ops)
    assert facts.value(monitoring.prometheus) == NotHere(
        Skip.PREREQUISITE, "Prometheus does not answer: Prometheus does not run."
    )
    unknown = facts.value(prometheus.targets)
    assert isinstance(unknown, Unknown)
    assert isinstance(unknown.error, Unreachable)
    held = facts.value(alertmanager.alerts)
    assert isinstance(held, Unknown)


def test_a_profile_that_is_not_chosen_is_nothing_to_look_at(tmp_path: Path) -> None:
    facts = Facts(made(tmp_path, "core"))
    facts_of_it: tuple[Fact[Any], ...] = (monitoring.services, monitoring.prometheus, monitoring.alertmanager)
    for each in facts_of_it:
        found = facts.value(each)
        assert isinstance(found, NotHere)
        assert found.reason is Skip.PROFILE


def test_a_way_that_breaks_is_the_answer_and_offline_it_is_not_tried(ops: Ops) -> None:
    found = Facts(ops).value(trip)
    assert isinstance(found, Trip)
    assert found.broken == "The alert's way broke at «API answers»: The API does not run."
    offline = Facts(ops, {Effect.ALERT}).value(trip)
    assert isinstance(offline, NotHere)


def test_tests_of_channels_are_remembered(ops: Ops) -> None:
    assert Facts(ops).value(alert_channels.tests) == {}
    now = ops.clock()
    ops.state.store(ChannelTests({"critical/slack": now.isoformat()}))
    assert Facts(ops).value(alert_channels.tests) == {"critical/slack": now}


def test_headings_of_runbooks(ops: Ops) -> None:
    found = Facts(ops).value(runbooks.pages)
    assert isinstance(found, dict)
    assert found["RedisDown"][:2] == ("RedisDown", "Meaning")


# Services that answer otherwise than they should


@contextmanager
def answering(reply: bytes | None) -> Iterator[str]:
    """A server that gives every connection the same reply, or with None takes it and says nothing."""
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while not ended.is_set():
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(4096)
                    if reply is None:
                        ended.wait(10)
                    else:
                        connection.sendall(reply)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        ended.set()
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def http(status: str, body: bytes = b"{}") -> bytes:
    headers = (
        f"HTTP/1.1 {status}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "Connection: close",
    )
    head = "".join(f"{line}\r\n" for line in headers) + "\r\n"
    return head.encode() + body


@pytest.mark.parametrize(
    ("reply", "code", "said"),
    [
        (None, "TB-0510", "did not answer within 0.3 s"),
        (http("401 Unauthorized"), "TB-0511", "refused this project's password"),
        (http("200 OK", b"<html>"), "TB-0512", "its answer is no JSON"),
    ],
)
def test_a_prometheus_that_hangs_or_refuses_is_unknown(ops: Ops, reply: bytes | None, code: str, said: str) -> None:
    with answering(reply) as address:
        ops.prometheus = Prometheus(address, Login("tradebot", Secret("wrong")), timeout=0.3)
        found = Facts(ops).value(prometheus.targets)
    assert isinstance(found, Unknown)
    assert found.error is not None
    assert found.error.code == code
    assert said in found.why


def test_a_password_that_is_refused_fails_the_service_and_skips_what_it_knows(ops: Ops) -> None:
    with answering(http("401 Unauthorized")) as address:
        ops.prometheus = Prometheus(address, Login("tradebot", Secret("wrong")), timeout=1)
        facts = Facts(ops)
        gate = facts.value(monitoring.prometheus)
    assert isinstance(gate, NotHere)
    assert "refused this project's password" in gate.why


# What a screen has nothing to show without


def raising(error: Exception) -> Fact[int]:
    def ask(ops: Ops) -> int:
        raise error

    return Fact("raising", ask)


def test_a_screen_gets_what_asking_raised(ops: Ops) -> None:
    known: Fact[int] = Fact("known", lambda ops: 1)
    assert Facts(ops).required(known) == 1
    error = OpsError("Redis is away.", code="TB-0530")
    with pytest.raises(OpsError) as caught:
        Facts(ops).required(raising(error))
    assert caught.value is error
    for other in (KeyError("x"), NotApplicable(Skip.ENGINE, "No containers.")):
        with pytest.raises(Unreachable) as caught:
            Facts(ops).required(raising(other))
        assert caught.value.code == "TB-0607"
