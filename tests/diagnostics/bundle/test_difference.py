"""What is another between two bundles is named; what never rests is not."""

from pathlib import Path
from typing import Any

from tests.paths import ROOT
from tradebot_ops.context import Ops
from tradebot_ops.diagnostics.bundle.command import bundle
from tradebot_ops.diagnostics.bundle.difference import Difference, diff, differences
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.settings import load_settings

BEFORE: dict[str, Any] = {
    "settings.json": {"WORKER_REPLICAS": {"value": "2", "origin": "default"}},
    "replicas.json": {"worker-1": {"state": "running", "memory": 1}, "worker-2": {"state": "running", "memory": 1}},
    "alerts/firing.json": [{"name": "RedisDown", "state": "firing", "labels": {"job": "redis"}, "value": 1}],
    "errors.json": {"groups": [{"id": "a1", "count": 3, "key": {"event": "old"}}]},
    "logs/x.json": {"never": "compared"},
}


def test_each_change_is_named_once() -> None:
    after = {
        "settings.json": {"WORKER_REPLICAS": {"value": "1", "origin": ".env"}},
        "replicas.json": {"worker-1": {"state": "exited", "memory": 9}},
        "alerts/firing.json": [],
        "errors.json": {
            "groups": [{"id": "b2", "count": 1, "key": {"event": "new"}}, *BEFORE["errors.json"]["groups"]]
        },
        "logs/x.json": {"never": "seen"},
    }
    assert differences(BEFORE, after) == [
        Difference("alerts/firing.json RedisDown job=redis", "there", None),
        Difference("alerts/firing.json RedisDown job=redis labels job", "redis", None),
        Difference("alerts/firing.json RedisDown job=redis name", "RedisDown", None),
        Difference("alerts/firing.json RedisDown job=redis state", "firing", None),
        Difference("errors.json groups b2", None, "there"),
        Difference("errors.json groups b2 key event", None, "new"),
        Difference("replicas.json worker-1 state", "running", "exited"),
        Difference("replicas.json worker-2 state", "running", None),
        Difference("settings.json WORKER_REPLICAS origin", "default", ".env"),
        Difference("settings.json WORKER_REPLICAS value", "2", "1"),
    ]
    assert differences(BEFORE, BEFORE) == []


def project(folder: Path, **environ: str) -> Ops:
    settings = load_settings({"project": "demo"}, {"TRADEBOT_STATE": str(folder / "state"), **environ}, ROOT)
    return Ops(settings, StubEngine("demo"))


def test_a_bundle_against_now_and_against_another(tmp_path: Path) -> None:
    bundle(project(tmp_path), tmp_path / "a.tar.gz")
    assert diff(project(tmp_path), tmp_path / "a.tar.gz", None).sections[0].lines[0] == "Nothing differs."
    changed = project(tmp_path, REDIS_MAXMEMORY="1gb")
    bundle(changed, tmp_path / "b.tar.gz")
    found = [diff(changed, tmp_path / "a.tar.gz", after).data for after in (None, tmp_path / "b.tar.gz")]
    assert found[0] == found[1]
    assert isinstance(found[0], dict)
    assert {each["where"] for each in found[0]["differences"]} == {
        "settings.json REDIS_MAXMEMORY value", "settings.json REDIS_MAXMEMORY origin",
    }  # fmt: skip
