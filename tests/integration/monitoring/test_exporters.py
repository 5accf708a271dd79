"""What real exporters emit, against what our rules and panels are declared to rely on."""

import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.config.test_contract import exporters
from tests.integration.parts import PASSWORD, PostgresPart, RedisPart, make_postgres
from tests.paths import ROOT
from tests.programs import program
from tests.waiting import free_port, until

pytestmark = pytest.mark.integration


@contextmanager
def exporter(name: str, *options: str, folder: Path, **environ: str) -> Iterator[str]:
    """A running exporter; gives what it answers to a scrape."""
    address = f"127.0.0.1:{free_port()}"
    with (folder / f"{name}.log").open("wb") as log:
        command = [program(name), f"--web.listen-address={address}", *options]
        process = subprocess.Popen(command, env=environ, stdout=log, stderr=log)
    try:
        until(lambda: _scrape(address), f"{name} answers")
        yield _scrape(address)
    finally:
        process.terminate()
        process.wait(10)


def _scrape(address: str) -> str:
    try:
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as answer:
            return str(answer.read().decode())
    except OSError:
        return ""


def missing(source: str, text: str) -> list[str]:
    """Declared metrics of ``source`` that the text lacks, and declared labels that no sample has."""
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            # The parser gives every counter the ending _total; the Postgres exporter names some without it.
            for name in {sample.name, sample.name.removesuffix("_total")}:
                found.setdefault(name, set()).update(sample.labels)
    lacks = []
    for metric in exporters():
        if metric.source == source and metric.name not in found:
            lacks.append(metric.name)
        elif metric.source == source:
            lacks += [f"{metric.name}{{{label}}}" for label in sorted(metric.labels - found[metric.name])]
    return lacks


def test_node_exporter(tmp_path: Path) -> None:
    with exporter("node_exporter", "--no-collector.systemd", folder=tmp_path) as text:
        assert missing("node", text) == []


def test_redis_exporter(redis_server: RedisPart, tmp_path: Path) -> None:
    address = f"--redis.addr=redis://127.0.0.1:{redis_server.port}"
    options = (address, "--connection-timeout=3s")
    with exporter("redis_exporter", *options, folder=tmp_path, REDIS_PASSWORD=PASSWORD) as text:
        assert "redis_up 1" in text
        assert missing("redis", text) == []


@contextmanager
def watched_postgres(folder: Path) -> Iterator[tuple[PostgresPart, str]]:
    """Postgres, and its address for an exporter; statements are counted."""
    postgres = make_postgres(folder)
    postgres.command += ["-c", "shared_preload_libraries=pg_stat_statements"]
    postgres.start()
    try:
        with postgres.connect() as admin:
            admin.execute("CREATE EXTENSION pg_stat_statements")
        yield (
            postgres,
            f"{postgres.url()}?sslmode=disable&connect_timeout=3".replace("tradebot@", f"tradebot:{PASSWORD}@"),
        )
    finally:
        postgres.stop()


def collectors() -> tuple[str, ...]:
    """What compose.yaml tells the exporter to look at."""
    words = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["postgres-exporter"]["command"]
    return tuple(word for word in words if "collector." in word)


def test_postgres_exporter(tmp_path: Path) -> None:
    with (
        watched_postgres(tmp_path) as (_, dsn),
        exporter("postgres_exporter", *collectors(), folder=tmp_path, DATA_SOURCE_NAME=dsn) as text,
    ):
        assert "pg_up 1" in text
        assert missing("postgres", text) == []


def test_a_locked_table_is_no_outage_of_postgres(tmp_path: Path) -> None:
    """An exporter that waits for the lock gives no answer in time, and PostgresDown would fire."""
    with watched_postgres(tmp_path) as (postgres, dsn), postgres.connect() as somebody:
        somebody.execute("CREATE TABLE candle (at timestamptz)")
        with somebody.transaction():
            somebody.execute("LOCK TABLE candle IN ACCESS EXCLUSIVE MODE")
            with exporter("postgres_exporter", *collectors(), folder=tmp_path, DATA_SOURCE_NAME=dsn) as text:
                assert "pg_up 1" in text
