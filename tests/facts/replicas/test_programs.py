"""Which release of each program runs."""

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from tradebot_ops.clients.postgres import Postgres
from tradebot_ops.clients.prometheus import Prometheus, Series
from tradebot_ops.clients.redis import Redis
from tradebot_ops.context import Ops
from tradebot_ops.engines.inspection import EngineInfo
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import NotRunning
from tradebot_ops.facts.replicas import programs
from tradebot_ops.settings import load_settings

ITSELF = {"__name__": "prometheus_build_info", "version": "2.53.3"}
EXPORTED = {"__name__": "pg_static", "short_version": "17.2"}
DIRECT = {"valkey": "8.0.1", "postgres": "17.6"}


def ops_of(folder: Path, *series: dict[str, str]) -> Ops:
    made = Ops(load_settings({}, {"TRADEBOT_STATE": str(folder)}, folder), StubEngine("demo"))
    found = [Series(labels, ((0.0, 1.0),)) for labels in series]
    made.prometheus = cast("Prometheus", SimpleNamespace(query=lambda expression: found))
    made.redis = cast("Redis", SimpleNamespace(info=lambda section: {"valkey_version": "8.0.1"}))
    rows = [{"server_version": "17.6 (Debian 17.6-0+deb13u1)"}]
    made.postgres_monitor = cast("Postgres", SimpleNamespace(rows=lambda query: rows))
    return made


INFO = EngineInfo("local", "", "linux", 0, 0, "/", on_this_host=True)


@pytest.mark.parametrize(
    ("series", "found"),
    [
        ((ITSELF, EXPORTED), {"prometheus": "2.53.3", "postgres": "17.2"}),
        ((ITSELF,), {"prometheus": "2.53.3", **DIRECT}),
        ((), DIRECT),
    ],
)
def test_a_prometheus_that_knows_nothing_yet_is_not_the_last_word(
    tmp_path: Path, series: tuple[dict[str, str], ...], found: dict[str, str]
) -> None:
    assert programs.releases(ops_of(tmp_path, *series), INFO) == found


def test_without_prometheus_the_stores_answer_themselves(tmp_path: Path) -> None:
    def gone(_expression: str) -> None:
        raise NotRunning("No Prometheus.")

    ops = ops_of(tmp_path)
    ops.prometheus = cast("Prometheus", SimpleNamespace(query=gone))
    assert programs.releases(ops, INFO) == DIRECT
