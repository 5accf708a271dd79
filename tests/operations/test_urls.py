"""Addresses of what runs, by the names that people type, and where its password lies."""

from dataclasses import replace
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.operations.seen import refusal, whole
from tests.paths import ROOT
from tradebot_ops.context import Ops
from tradebot_ops.engines.base import Address, Published, Replica, State
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError
from tradebot_ops.operations import urls
from tradebot_ops.records import Absence, UnavailableServices
from tradebot_ops.settings import load_settings


def replica(service: str, port: int, state: State = State.RUNNING, number: int = 1) -> Replica:
    published = (Published(port, Address("127.0.0.1", port + number - 1)),)
    return Replica(service, number, f"{service}-{number}", f"demo-{service}-{number}", state, published=published)


class Engine(StubEngine):
    there: tuple[Replica, ...] = ()

    def list(self) -> tuple[Replica, ...]:
        return self.there


def ops_with(folder: Path, *there: Replica, **environ: str) -> Ops:
    given = {"TRADEBOT_STATE": str(folder / "state"), "HOME": str(folder), **environ}
    engine = Engine("demo")
    engine.there = there
    return Ops(load_settings({"project": "demo"}, given, ROOT), engine)


ALL = (
    replica("api", 8010),
    replica("redis", 6379),
    replica("worker", 9091),
    replica("worker", 9091, number=2),
    replica("worker", 9091, State.EXITED, 3),
    replica("prometheus", 9090),
    replica("alertmanager", 9093),
    replica("grafana", 3000),
    Replica("postgres", 1, "postgres-1", "demo-postgres-1", State.RUNNING),
)


def test_screens(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    seen = [ops_with(tmp_path, *ALL), ops_with(tmp_path), ops_with(tmp_path, ALL[1], ALL[2])]
    seen.append(ops_with(tmp_path, ALL[0], API_SCHEME="https"))
    text = "\n\n".join(whole(urls.urls(each)) for each in seen)
    assert text.replace(str(tmp_path), "HOME") == snapshot


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("api", "http://127.0.0.1:8010"),
        ("API", "http://127.0.0.1:8010"),
        ("docs", "http://127.0.0.1:8010/docs"),
        ("Metrics", "http://127.0.0.1:8010/metrics"),
        ("dashboard", "http://127.0.0.1:8010/dashboard"),
        ("worker metrics", "http://127.0.0.1:9092/metrics"),
        ("grafana", "http://127.0.0.1:3000"),
        ("redis", "127.0.0.1:6379"),
    ],
)
def test_a_page_is_found_by_what_people_type(tmp_path: Path, typed: str, url: str) -> None:
    assert urls.find(ops_with(tmp_path, *ALL), typed) == url


def test_one_that_does_not_run_and_one_that_there_is_not(tmp_path: Path) -> None:
    ops = ops_with(tmp_path)
    ops.state.store(UnavailableServices({"grafana": Absence("There is no image", "tradebot pull")}))
    pages = "alertmanager, api, api documentation, api metrics, dashboard, grafana, prometheus, worker metrics"
    seen = []
    for typed in ("grafana", "Prometheus", "zebra"):
        with pytest.raises(OpsError) as raised:
            urls.find(ops, typed)
        seen.append(refusal(raised.value))
    assert seen == [
        ("TB-0115", "grafana cannot be opened: There is no image.", "tradebot status"),
        ("TB-0115", "Prometheus cannot be opened: It does not run.", "tradebot status"),
        ("TB-0214", "There is no page zebra.", f"Pages: {pages}."),
    ]


def test_passwords_in_several_folders_are_named_with_theirs(tmp_path: Path) -> None:
    ops = ops_with(tmp_path, ALL[0], ALL[5])
    secrets = dict(ops.stack.secrets)
    secrets["api_key"] = replace(secrets["api_key"], file=tmp_path / "vault" / "key")
    ops.__dict__["stack"] = replace(ops.stack, secrets=secrets)
    section = urls.urls(ops).sections[1]
    assert section.lines == ()
    assert [row[2] for row in section.tables[0].rows] == [
        str(tmp_path / "vault" / "key"),
        str(tmp_path / "vault" / "key"),
        str(ops.state.secrets / "prometheus_password"),
    ]
