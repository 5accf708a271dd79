"""Prometheus and Alertmanager behind TLS, as the API asks them: one authority is believed, for one name."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.api.alerts.notifier import Alertmanager, AlertmanagerAway
from services.api.dashboard.prometheus import Found, Prometheus, QueryFailed
from services.api.dashboard.window import Window
from services.api.trust import Trust
from services.common.settings import Settings
from tests.operations.tls import pairs
from tests.prometheus import StandIn, matrix, stand_in

NAME = "trading.example.com"


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    return pairs.pair(tmp_path, NAME)


@pytest.fixture
def server(files: tuple[Path, Path]) -> Iterator[StandIn]:
    with stand_in(files[0]) as running:
        running.answer = lambda _form: matrix(({"job": "api"}, [(985, "1")]))
        yield running


def ask(url: str, trust: Trust | None) -> list[Found]:
    async def once() -> list[Found]:
        client = Prometheus(url, "tradebot", None, trust=trust)
        try:
            return await client.ask("up", Window(end=1000, step=15, points=5))
        finally:
            await client.close()

    return asyncio.run(once())


def test_in_the_clear_or_without_an_authority_nobody_is_trusted_apart(tmp_path: Path) -> None:
    assert Trust.of(Settings(monitoring_ca_file=tmp_path), "http://prometheus:9090") is None
    assert Trust.of(Settings(), "https://prometheus.example.com") is None
    found = Trust.of(Settings(monitoring_ca_file=tmp_path, tls_name=NAME), "https://prometheus:9090")
    assert found == Trust(tmp_path, NAME)


def test_both_are_asked_by_that_name_wherever_they_are(server: StandIn, files: tuple[Path, Path]) -> None:
    assert ask(server.url, Trust(files[1], NAME)) == [Found({"job": "api"}, [(985, 1.0)])]
    settings = Settings(alertmanager_url=server.url, monitoring_ca_file=files[1], tls_name=NAME)
    Alertmanager(settings).post([{"labels": {}}])
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("authority", "name", "why"),
    [
        ("ca.pem", "localhost", "Hostname mismatch"),
        ("other/ca.pem", NAME, "unable to get local issuer certificate"),
        ("none.pem", NAME, "No such file or directory"),
        ("empty.pem", NAME, "cannot be reached"),
    ],
)
def test_whoever_else_answers_is_unreachable(
    server: StandIn, files: tuple[Path, Path], tmp_path: Path, authority: str, name: str, why: str
) -> None:
    (tmp_path / "other").mkdir()
    pairs.pair(tmp_path / "other", NAME)
    (tmp_path / "empty.pem").touch()
    with pytest.raises(QueryFailed, match=why) as failed:
        ask(server.url, Trust(tmp_path / authority, name))
    assert failed.value.unreachable
    settings = Settings(alertmanager_url=server.url, monitoring_ca_file=tmp_path / authority, tls_name=name)
    with pytest.raises(AlertmanagerAway, match=why):
        Alertmanager(settings).post([{"labels": {}}])
    assert server.asked == []
