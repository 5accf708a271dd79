"""Whether replicas run the source that lies there now."""

from pathlib import Path

from tests.engines.local.records import a_record
from tradebot_ops.engines.local.source import facts, source_of
from tradebot_ops.stack.model import Build, Service, Stack


def test_only_replicas_of_older_source_are_named(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "code.py").write_text("1")
    builds = {name: Build(tmp_path / name, tmp_path / name / "Dockerfile") for name in ("one", "two")}
    services = (
        Service("api", "app", ("python",), build=builds["one"]),
        Service("worker", "app", ("python",), build=builds["one"]),
        Service("other", "app", ("python",), build=builds["two"]),
        Service("redis", "redis", ("redis-server",)),
    )
    stack = Stack("demo", tmp_path, (), {service.name: service for service in services})
    records = [a_record(service=service.name, source=source_of(service)) for service in services]
    gone = a_record(service="gone", source="x")
    assert facts(stack, [*records, gone]).edited == frozenset()
    assert records[-1].source == ""

    (tmp_path / "one" / "code.py").write_text("2")
    assert facts(stack, records).edited == {"api", "worker"}
    again = a_record(service="api", source=source_of(stack.services["api"]))
    assert facts(stack, [again, *records[2:]]).edited == frozenset()


def test_a_record_of_an_older_tradebot_counts_as_older_source(tmp_path: Path) -> None:
    service = Service("api", "app", ("python",), build=Build(tmp_path, tmp_path / "Dockerfile"))
    assert facts(Stack("demo", tmp_path, (), {"api": service}), [a_record(service="api")]).edited == {"api"}
