"""Who listens on one port; that nobody does is said, and is no success."""

from pathlib import Path

import pytest

from tradebot_ops.context import Ops
from tradebot_ops.diagnostics.port import report
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError
from tradebot_ops.facts.access import ports
from tradebot_ops.facts.fact import Fact
from tradebot_ops.settings import load_settings

SEEN = ports.Seen(
    (
        ports.Shown("worker", "worker-1", 9091, "127.0.0.1", 34567),
        ports.Shown("api", "api-1", 8010, "0.0.0.0", 8010, reached=("192.0.2.7",)),
    ),
    ("192.0.2.7",),
)


@pytest.fixture
def ops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ops:
    monkeypatch.setattr(ports, "seen", Fact("ports.seen", lambda _: SEEN))
    return Ops(load_settings({"project": "demo"}, {"TRADEBOT_STATE": str(tmp_path)}, tmp_path), StubEngine("demo"))


def test_a_port_is_found_by_its_number_outside_and_inside(ops: Ops) -> None:
    for port in (9091, 34567):
        (table,) = report(ops, port).sections[0].tables
        assert table.rows == (("34567", "127.0.0.1", "worker-1", "9091", "this host alone"),)
    (table,) = report(ops, 8010).sections[0].tables
    assert table.rows[0][-1] == "192.0.2.7"


def test_a_port_that_nobody_has_is_a_failure(ops: Ops) -> None:
    found = report(ops, 1)
    assert found.exit_code == 1
    assert found.findings[0].message == "Nothing of the stack listens on port 1."


def test_what_cannot_be_known_is_no_answer(ops: Ops, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: Ops) -> ports.Seen:
        raise OpsError("The engine does not answer.", code="TB-0260")

    monkeypatch.setattr(ports, "seen", Fact("ports.seen", fails))
    with pytest.raises(OpsError, match="does not answer"):
        report(ops, 9091)
