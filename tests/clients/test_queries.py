"""PromQL questions against a server that answers well, badly, slowly, too much or not at all."""

import base64
import json
import math
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime

import pytest

from tests.prometheus import Answer, Form, StandIn, matrix, refusal, stand_in, vector
from tests.waiting import free_port
from tradebot_ops.clients.prometheus import Prometheus, Series
from tradebot_ops.clients.rest import Login
from tradebot_ops.errors import OpsError
from tradebot_ops.settings import Secret

START, END = datetime.fromtimestamp(940.25, UTC), datetime.fromtimestamp(1000.75, UTC)
TIMEOUT_S = 0.3


@pytest.fixture
def server() -> Iterator[StandIn]:
    with stand_in() as running:
        yield running


def client(url: str, timeout: float = 5.0) -> Prometheus:
    return Prometheus(url, Login("tradebot", Secret("open-sesame")), timeout)


def answering(status: int, body: bytes) -> Callable[[Form], Answer]:
    return lambda _form: (status, body)


def document(kind: str, result: object) -> Callable[[Form], Answer]:
    data = {"resultType": kind, "result": result}
    return answering(200, json.dumps({"status": "success", "data": data}).encode())


def code_of(ask: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(OpsError) as caught:
        ask()
    return caught.value.code, caught.value.message


def test_an_instant_query_has_one_point_a_series(server: StandIn) -> None:
    server.answer = lambda _form: vector(({"job": "api"}, 1000.5, "1"), ({"job": "worker"}, 1000.5, "0"))
    assert client(server.url).query("up", END) == [
        Series({"job": "api"}, ((1000.5, 1.0),)),
        Series({"job": "worker"}, ((1000.5, 0.0),)),
    ]
    assert server.asked == [{"query": "up", "time": "1000.75", "timeout": "5s"}]


def test_the_ends_of_a_window_are_asked_for_as_they_are(server: StandIn) -> None:
    """The library alone would round them to whole seconds."""
    server.answer = lambda _form: matrix(({"job": "api"}, [(985, "1"), (1000, "2.5")]))
    found = client(server.url).query_range("up", START, END, 15)
    assert found == [Series({"job": "api"}, ((985.0, 1.0), (1000.0, 2.5)))]
    assert server.asked == [{"query": "up", "start": "940.25", "end": "1000.75", "step": "15", "timeout": "5s"}]


def test_the_password_is_sent_whatever_its_letters(server: StandIn) -> None:
    server.answer = lambda _form: vector()
    Prometheus(server.url, Login("tradebot", Secret("Ünïcode✓"))).query("up")
    assert server.logins == ["Basic " + base64.b64encode("tradebot:Ünïcode✓".encode()).decode()]


def test_values_that_are_no_numbers_of_json(server: StandIn) -> None:
    server.answer = lambda _form: vector(({}, 1, "NaN"), ({}, 1, "+Inf"), ({}, 1, "-Inf"))
    values = [series.value for series in client(server.url).query("up")]
    assert math.isnan(values[0])
    assert values[1:] == [math.inf, -math.inf]


@pytest.mark.parametrize(
    ("kind", "result", "expected"),
    [
        ("scalar", [1, "2"], [Series({}, ((1.0, 2.0),))]),
        ("string", [1, "some text"], []),
        ("vector", [], []),
        ("vector", [{"metric": {}, "histogram": [1, {}]}], []),
        ("matrix", [{"metric": {}, "values": [[1, "2"]]}], [Series({}, ((1.0, 2.0),))]),
    ],
)
def test_every_kind_of_result(server: StandIn, kind: str, result: object, expected: list[Series]) -> None:
    server.answer = document(kind, result)
    assert client(server.url).query("up") == expected


def test_what_prometheus_cannot_read_is_marked(server: StandIn) -> None:
    words = 'invalid parameter "query": 1:7: parse error: unexpected ")"'
    server.answer = lambda _form: refusal("bad_data", words)
    with pytest.raises(OpsError) as caught:
        client(server.url).query("rate(x))")
    assert caught.value.code == "TB-0103"
    assert caught.value.detail == ("rate(x))", "      ^")


@pytest.mark.parametrize(
    ("status", "body", "code", "words"),
    [
        (*refusal("execution", "found duplicate series"), "TB-0120", "found duplicate series"),
        (*refusal("timeout", "query timed out"), "TB-0510", "did not answer within 5 s"),
        (*refusal("internal", "disk on fire"), "TB-0512", "failed: disk on fire"),
        (400, b'{"status": "error"}', "TB-0512", "failed: HTTP 400"),
        (401, b"Unauthorized", "TB-0511", "refused this project's password"),
        (403, b"", "TB-0511", "refused this project's password"),
        (302, b"", "TB-0512", "no JSON (HTTP 302)"),
        (404, b"<h1>", "TB-0512", "no JSON (HTTP 404)"),
        (500, b"out of memory", "TB-0512", "failed: out of memory"),
        (503, b"", "TB-0512", "no JSON (HTTP 503)"),
        (200, b"<h1>", "TB-0512", "no JSON (HTTP 200)"),
        (200, b'{"status": "success"}', "TB-0512", "not the answer to a query"),
        (200, b"[1]", "TB-0512", "not the answer to a query"),
        (200, b'{"data": {"result": [{"metric": {}, "value": "1"}]}}', "TB-0512", "not the answer to a query"),
    ],
)
def test_an_answer_that_is_none(server: StandIn, status: int, body: bytes, code: str, words: str) -> None:
    server.answer = answering(status, body)
    found = code_of(lambda: client(server.url).query("up"))
    assert found[0] == code
    assert words in found[1]
    assert len(server.asked) == 1, "an error was asked for again"


def test_a_silent_server_is_given_up_in_time_and_not_asked_again(server: StandIn) -> None:
    end = threading.Event()

    def silent(_form: Form) -> Answer:
        end.wait(20)
        return vector()

    server.answer = silent
    began = time.monotonic()
    try:
        found = code_of(lambda: client(server.url, TIMEOUT_S).query("up"))
    finally:
        end.set()
    assert found == ("TB-0510", f"Prometheus at {server.url} did not answer within 0.3 s.")
    assert time.monotonic() - began < 2
    assert len(server.asked) == 1


def test_a_server_that_sends_drop_by_drop_is_given_up_in_time() -> None:
    """Each read gets a byte, so no read ever takes too long."""
    end = threading.Event()

    def drip(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with closing(connection):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            while not end.wait(0.05):
                connection.sendall(b" ")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip, args=(listener,))
        thread.start()
        began = time.monotonic()
        try:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            assert code_of(lambda: client(url, TIMEOUT_S).query("up"))[0] == "TB-0510"
            assert time.monotonic() - began < 2
        finally:
            end.set()
            thread.join()


def test_nobody_there_is_told_in_the_words_of_the_system() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    began = time.monotonic()
    assert code_of(lambda: client(url).query("up")) == (
        "TB-0510",
        f"Prometheus at {url} cannot be reached: [Errno 111] Connection refused.",
    )
    assert time.monotonic() - began < 2


def test_proxies_and_passwords_of_the_environment_are_left_alone(
    server: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    server.answer = lambda _form: vector()
    assert client(server.url).query("up") == []


def test_a_query_loads_neither_httpx_nor_the_librarys_analysis(server: StandIn) -> None:
    """Each would make the command `query` slower, for nothing."""
    server.answer = lambda _form: vector()
    script = (
        "import sys; from tradebot_ops.clients.prometheus import Prometheus; "
        f"assert Prometheus({server.url!r}).query('up') == []; "
        "print(*sorted({'httpx', 'pandas', 'numpy', 'matplotlib', 'dateparser', 'requests'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == ["requests"]
