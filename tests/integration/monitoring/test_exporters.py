"""What real exporters emit, against what our rules and panels are declared to rely on."""

import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.config.test_contract import exporters
from tests.integration.parts import PASSWORD, RedisPart, free_port, make_postgres, wait_until
from tests.programs import program

pytestmark = pytest.mark.integration


@contextmanager
def exporter(name: str, *options: str, folder: Path, **environ: str) -> Iterator[str]:
    """A running exporter; gives what it answers to a scrape."""
    address = f"127.0.0.1:{free_port()}"
    with (folder / f"{name}.log").open("wb") as log:
        command = [program(name), f"--web.listen-address={address}", *options]
        process = subprocess.Popen(command, env=environ, stdout=log, stderr=log)
    try:
        wait_until(lambda: _scrape(address), f"{name} answers")
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


def test_postgres_exporter(tmp_path: Path) -> None:
    postgres = make_postgres(tmp_path)
    postgres.command += ["-c", "shared_preload_libraries=pg_stat_statements"]
    postgres.start()
    try:
        with postgres.connect() as admin:
            admin.execute("CREATE EXTENSION pg_stat_statements")
        dsn = f"{postgres.url()}?sslmode=disable&connect_timeout=3".replace("tradebot@", f"tradebot:{PASSWORD}@")
        options = ("--collector.stat_statements",)
        with exporter("postgres_exporter", *options, folder=tmp_path, DATA_SOURCE_NAME=dsn) as text:
            assert "pg_up 1" in text
            assert missing("postgres", text) == []
    finally:
        postgres.stop()
