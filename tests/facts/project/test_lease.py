"""Whoever holds the project is seen without taking the lock away from anybody."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError
from tradebot_ops.facts.project import lease
from tradebot_ops.settings import load_settings


@pytest.fixture
def ops(tmp_path: Path) -> Ops:
    return Ops(load_settings({}, {"TRADEBOT_STATE": str(tmp_path)}, tmp_path), StubEngine("demo"))


def test_free_before_the_first_change_and_after_one(ops: Ops) -> None:
    assert lease.lease(ops) == lease.Lease()
    with ops.state.lock("up"):
        pass
    assert lease.lease(ops) == lease.Lease()


def test_held(ops: Ops) -> None:
    with ops.state.lock("up"):
        os.utime(ops.state.folder / "lock", (1000, 1000))
        ops.clock = lambda: datetime.fromtimestamp(1090, UTC)
        assert lease.lease(ops) == lease.Lease(f"`tradebot up` (process {os.getpid()})", 90.0)


def test_no_list_of_locks(ops: Ops, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "LOCKS", tmp_path / "nothing")
    with ops.state.lock("up"), pytest.raises(OpsError, match="list of locks cannot be read"):
        lease.lease(ops)
