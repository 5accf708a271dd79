"""Stopping a replica whose program misses its first signal, as one may that was only just started."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from tests.engines.local.records import a_record
from tradebot_ops.engines.local.layout import Layout
from tradebot_ops.engines.local.supervision import processes
from tradebot_ops.engines.local.supervision.processes import Processes
from tradebot_ops.engines.local.supervision.supervisor import Supervisor


@dataclass
class Deaf:
    """A supervisor of one program, ``age`` seconds old, that hears its ``hears``-th signal and no earlier one."""

    age: float
    hears: int
    sent: list[str] = field(default_factory=list)

    def call(self, verb: str, replica: str, *words: Any) -> Any:
        del replica
        if verb == "stopProcess":
            self.sent.append("stop")
        elif verb == "signalProcess":
            self.sent.append(words[0])
        gone = len(self.sent) >= self.hears or "KILL" in self.sent
        return {"pid": 0 if gone else 2**22 + 1, "statename": "STOPPING", "now": 100.0, "start": 100.0 - self.age}


@pytest.mark.parametrize(
    ("age", "hears", "sent"),
    [
        (1.0, 1, ["stop"]),
        (1.0, 2, ["stop", "INT"]),
        (1.0, 9, ["stop", "INT", "KILL"]),
        # Whoever runs for long has heard it, and may take a second one for impatience.
        (600.0, 9, ["stop", "KILL"]),
    ],
)
def test_a_young_program_is_asked_once_more(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, age: float, hears: int, sent: list[str]
) -> None:
    monkeypatch.setattr(processes, "_AGAIN", 0.05)
    supervisor = Deaf(age, hears)
    found = Processes(Layout(tmp_path), cast("Supervisor", supervisor))
    found.stop(a_record(stop_signal="SIGINT"), grace=0.2)
    assert supervisor.sent == sent
