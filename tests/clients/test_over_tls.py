"""Prometheus behind TLS, as commands ask it: by httpx, by the library for queries, and by the API's code for panels."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.operations.tls import pairs
from tests.paths import ROOT
from tests.prometheus import StandIn, stand_in, steady, vector
from tradebot_ops.clients.panels import Panels
from tradebot_ops.clients.prometheus import Prometheus
from tradebot_ops.clients.rest import Login
from tradebot_ops.errors import OpsError
from tradebot_ops.settings import Secret
from tradebot_ops.stack.model import Trust

NAME = "trading.example.com"
LOGIN = Login("tradebot", Secret("s3cret"))
BOARD = ROOT / "config/grafana/dashboards/trading-bot-dashboard.json"
ASKS: list[Callable[[Prometheus], Any]] = [Prometheus.rules, lambda each: each.query("up")]


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    return pairs.pair(tmp_path, NAME)[1]


@pytest.fixture
def server(authority: Path) -> Iterator[StandIn]:
    with stand_in(authority.with_name("pair.pem")) as running:
        yield running


def test_it_is_asked_by_its_name_wherever_it_is(server: StandIn, authority: Path) -> None:
    server.answer = lambda _form: vector(({"job": "api"}, 1000.5, "1"))
    client = Prometheus(server.url, LOGIN, trust=Trust(authority, NAME))
    assert client.rules() == []
    assert [each.value for each in client.query("up")] == [1]
    server.answer = steady("7")
    found = Panels(server.url, LOGIN, Trust(authority, NAME)).look(BOARD, "15m")
    assert (found["note"], found["status"]) == ("", "ok")


@pytest.mark.parametrize("ask", ASKS, ids=["by httpx", "by the library"])
@pytest.mark.parametrize(
    ("file", "name", "code", "why"),
    [
        ("ca.pem", "localhost", "TB-0510", "its certificate is not trusted: Hostname mismatch"),
        ("other/ca.pem", NAME, "TB-0510", "its certificate is not trusted: unable to get local issuer certificate"),
        ("none.pem", NAME, "TB-0878", "none.pem: No such file or directory"),
    ],
)
def test_whoever_else_answers_is_refused_and_the_password_stays_here(
    server: StandIn, tmp_path: Path, ask: Callable[[Prometheus], Any], file: str, name: str, code: str, why: str
) -> None:
    (tmp_path / "other").mkdir()
    pairs.pair(tmp_path / "other", NAME)
    with pytest.raises(OpsError) as raised:
        ask(Prometheus(server.url, LOGIN, trust=Trust(tmp_path / file, name)))
    assert (raised.value.code, why in raised.value.message) == (code, True), raised.value.message
    assert server.logins == []


@pytest.mark.parametrize("ask", ASKS, ids=["by httpx", "by the library"])
def test_one_that_speaks_no_tls_is_named_so(authority: Path, ask: Callable[[Prometheus], Any]) -> None:
    with stand_in() as plain, pytest.raises(OpsError, match="it speaks no TLS; did API_SCHEME or MONITORING_SCHEME"):
        ask(Prometheus(plain.url.replace("http:", "https:"), LOGIN, trust=Trust(authority, NAME)))


def test_panels_of_another_are_unavailable(server: StandIn, authority: Path) -> None:
    found = Panels(server.url, LOGIN, Trust(authority, "localhost")).look(BOARD, "15m")
    assert (found["status"], "Hostname mismatch" in found["note"]) == ("unavailable", True)
