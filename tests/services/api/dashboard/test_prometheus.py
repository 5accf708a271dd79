"""The client against a server that answers well, badly, slowly, too much or not at all."""

import asyncio
import base64
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from pydantic import SecretStr

from services.api.dashboard import prometheus
from services.api.dashboard.prometheus import Found, Prometheus, QueryFailed
from services.api.dashboard.window import Window
from tests.prometheus import Answer, Form, StandIn, matrix, refusal, stand_in

SHOWN = Window(end=1000, step=15, points=5)


@pytest.fixture
def server() -> Iterator[StandIn]:
    with stand_in() as running:
        yield running


def ask(url: str, *, password: SecretStr | None = None, timeout_s: float = 5.0) -> list[Found]:
    async def once() -> list[Found]:
        client = Prometheus(url, "tradebot", password, timeout_s)
        try:
            return await client.ask("up", SHOWN)
        finally:
            await client.close()

    return asyncio.run(once())


def answering(status: int, body: bytes) -> Callable[[Form], Answer]:
    return lambda _form: (status, body)


def test_series_with_labels_and_values(server: StandIn) -> None:
    server.answer = lambda _form: matrix(({"job": "api"}, [(985, "1"), (1000, "2.5")]))
    assert ask(server.url) == [Found({"job": "api"}, [(985, 1.0), (1000, 2.5)])]
    asked = {"query": "up", "start": "940", "end": "1000", "step": "15", "timeout": "5s"}
    assert (server.asked, server.logins) == ([asked], [None])


def test_the_password_is_sent(server: StandIn) -> None:
    ask(server.url, password=SecretStr("open-sesame"))
    assert server.logins == ["Basic " + base64.b64encode(b"tradebot:open-sesame").decode()]


def test_the_client_keeps_no_readable_password() -> None:
    client = Prometheus("http://127.0.0.1:1", "tradebot", SecretStr("open-sesame"))
    kept = repr(vars(client)) + repr(vars(client._login))
    assert "open-sesame" not in kept
    assert base64.b64encode(b"tradebot:open-sesame").decode() not in kept


@pytest.mark.parametrize(
    ("status", "body", "reason", "unreachable"),
    [
        (*refusal("bad_data", 'parse error: unexpected ")"'), 'parse error: unexpected ")"', False),
        (401, b"Unauthorized", "Prometheus refused our password", True),
        (503, b"Service Unavailable", "Prometheus answered HTTP 503 with something else than series", False),
        (200, b'{"status": "success"}', "something else than series", False),
        (200, b"[1]", "something else than series", False),
    ],
)
def test_an_answer_that_is_none(server: StandIn, status: int, body: bytes, reason: str, unreachable: bool) -> None:
    server.answer = answering(status, body)
    with pytest.raises(QueryFailed) as raised:
        ask(server.url)
    assert reason in str(raised.value)
    assert raised.value.unreachable is unreachable


def test_a_silent_server_is_given_up_in_time(server: StandIn) -> None:
    end = threading.Event()

    def silent(_form: Form) -> Answer:
        end.wait(20)
        return matrix()

    server.answer = silent
    started = time.monotonic()
    try:
        with pytest.raises(QueryFailed, match=r"did not answer within 0\.3 s") as raised:
            ask(server.url, timeout_s=0.3)
    finally:
        end.set()
    assert raised.value.unreachable
    assert time.monotonic() - started < 5


def test_a_flood_is_cut_off(server: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prometheus, "MAX_ANSWER_BYTES", 1024**2)
    server.answer = answering(200, b" " * (1024**2 + 1))
    with pytest.raises(QueryFailed, match="larger than 1 MiB: too many series"):
        ask(server.url)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://127.0.0.1:1", "cannot be reached"),
        ("no-url", "cannot be reached"),
        ("http://[", "cannot be reached"),
        ("", "no Prometheus is configured"),
    ],
)
def test_nobody_there(url: str, reason: str) -> None:
    with pytest.raises(QueryFailed, match=reason) as raised:
        ask(url)
    assert raised.value.unreachable
