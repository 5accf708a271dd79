"""The last scalings that a host remembers, in order."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.operations.seen import whole
from tests.paths import ROOT
from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.operations.change import actor
from tradebot_ops.operations.lifecycle.scale_history import KEPT, history, remember
from tradebot_ops.records import ScaleHistory
from tradebot_ops.settings import load_settings

NOON = datetime(2026, 11, 28, 12, 0, 0, 500_000, tzinfo=UTC)


@pytest.fixture
def ops(tmp_path: Path) -> Ops:
    environ = {"TRADEBOT_STATE": str(tmp_path), "HOME": str(tmp_path)}
    return Ops(load_settings({"project": "demo"}, environ, ROOT), StubEngine("demo"), lambda: NOON)


def test_nobody_has_scaled(ops: Ops, snapshot: SnapshotAssertion) -> None:
    assert whole(history(ops)) == snapshot


def test_the_newest_is_the_last(ops: Ops, snapshot: SnapshotAssertion) -> None:
    remember(ops, "worker", 2, 6, kept=True)
    remember(ops, "other", 1, 0, kept=False)
    assert whole(history(ops)).replace(actor(ops), "ana@host") == snapshot


def test_so_many_are_kept(ops: Ops) -> None:
    for number in range(KEPT + 2):
        remember(ops, "worker", number, number + 1, kept=True)
    found = ops.state.load(ScaleHistory).scalings
    assert (len(found), found[0].before, found[-1].before) == (KEPT, 2, KEPT + 1)
