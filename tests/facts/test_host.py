"""What the host says: read from the kernel here, through Redis' replica where the engine is elsewhere."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tradebot_ops.context import Ops
from tradebot_ops.engines.base import ExecResult, Replica, State
from tradebot_ops.engines.inspection import EngineInfo
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError
from tradebot_ops.facts import host
from tradebot_ops.facts.fact import NotApplicable
from tradebot_ops.settings import load_settings
from tradebot_ops.stack.model import Service, Stack

NOW = datetime(2026, 11, 26, tzinfo=UTC)
DF_SIZES = "Filesystem 1024-blocks Used Available Capacity Mounted on\noverlay 1000 400 600 40% /\n"
DF_INODES = "Filesystem Inodes IUsed IFree IUse% Mounted on\noverlay 90 30 60 33% /\n"


def ops_with(tmp_path: Path, answers: dict[tuple[str, ...], ExecResult]) -> Ops:
    engine = StubEngine("demo", answers=answers)
    stack = Stack("demo", tmp_path, (), {"redis": Service("redis", "i", ())})
    engine.prepare(stack, lambda *_: None)
    engine.apply(stack, "redis", 1)
    return Ops(load_settings({"project": "demo"}, {"TRADEBOT_STATE": str(tmp_path)}, tmp_path), engine)


def info(tmp_path: Path, *, here: bool, now: datetime = NOW) -> EngineInfo:
    times = {"now": now, "asked": NOW, "answered": NOW + timedelta(seconds=0.2)}
    return EngineInfo("docker", "26", "Linux", 1, 1, str(tmp_path), on_this_host=here, **times)  # type: ignore[arg-type]


def test_the_disk_is_this_hosts_or_seen_from_a_container(tmp_path: Path) -> None:
    answers: dict[tuple[str, ...], ExecResult] = {}
    answers |= {("df", "-P", "-k", "/"): ExecResult(0, DF_SIZES)}
    answers |= {("df", "-P", "-i", "/"): ExecResult(0, DF_INODES)}
    ops = ops_with(tmp_path, answers)
    assert host.disk(ops, info(tmp_path, here=True), ops.engine.list()).total > 0
    assert host.disk(ops, info(tmp_path / "not" / "yet", here=True), ops.engine.list()).total > 0
    away = host.disk(ops, info(tmp_path, here=False), ops.engine.list())
    assert (away.total, away.free, away.inodes, away.inodes_free) == (1024000, 614400, 90, 60)


MEMORY = "MemTotal:       8000 kB\nMemAvailable:   3000 kB\nSwapTotal:      1000 kB\nSwapFree:        400 kB\n"


def test_load_of_another_host_is_seen_from_within_a_container(tmp_path: Path) -> None:
    answers = {"/proc/loadavg": "4.70 4.73 4.26 6/812 31769\n", "/proc/meminfo": MEMORY}
    ops = ops_with(tmp_path, {("cat", path): ExecResult(0, text) for path, text in answers.items()})
    found = host.load(ops, info(tmp_path, here=False), ops.engine.list())
    assert found == host.Load(5, 4.73, 3000 * 1024, 600 * 1024, 1000 * 1024)


def test_load_of_a_host_that_does_not_show_it_is_no_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "_here", lambda _path: None)
    with pytest.raises(NotApplicable) as caught:
        host.load(ops_with(tmp_path, {}), info(tmp_path, here=True), ())
    assert caught.value.answer.why == "This host does not show its load (/proc/loadavg cannot be read)."


def test_a_host_without_swap() -> None:
    assert host.loaded("0.1 0.2 0.3 1/9 5\n", "MemAvailable: 5 kB\n") == host.Load(0, 0.2, 5120, 0, 0)


def test_pressure_is_read_as_a_share(tmp_path: Path) -> None:
    line = "some avg10=0.00 avg60=1.00 avg300=12.50 total=1\nfull avg10=0 avg60=0 avg300=0 total=0\n"
    names = ("cpu", "memory", "io")
    ops = ops_with(tmp_path, {("cat", f"/proc/pressure/{name}"): ExecResult(0, line) for name in names})
    found = host.pressure(ops, info(tmp_path, here=False), ops.engine.list())
    assert found.some == dict.fromkeys(names, 0.125)


def test_a_command_that_fails_and_a_redis_that_is_away_are_unknown(tmp_path: Path) -> None:
    ops = ops_with(tmp_path, {("df", "-P", "-k", "/"): ExecResult(127, "not found")})
    with pytest.raises(OpsError, match="exit code 127"):
        host.disk(ops, info(tmp_path, here=False), ops.engine.list())
    gone = Replica("redis", 1, "redis-1", "demo-redis-1", State.EXITED)
    with pytest.raises(OpsError, match="Redis does not run"):
        host.kernel(ops, (gone,))


@pytest.mark.parametrize(("seconds", "apart"), [(0.0, 0.0), (0.1, 0.0), (-3.0, 3.0), (2.2, 2.0)])
def test_only_what_the_answer_cannot_explain_is_apart(tmp_path: Path, seconds: float, apart: float) -> None:
    found = host.clock(ops_with(tmp_path, {}), info(tmp_path, here=True, now=NOW + timedelta(seconds=seconds)))
    assert found.engine_apart == pytest.approx(apart)
    assert "adjtimex" in found.evidence
    assert (found.offset is not None) == found.synchronised


def test_prometheus_away_is_no_trend(tmp_path: Path) -> None:
    assert host.days_until_full(ops_with(tmp_path, {})) is None
