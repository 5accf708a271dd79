"""Events out of the supervisor's log."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tradebot_ops.engines.base import Event
from tradebot_ops.engines.local.layout import Layout
from tradebot_ops.engines.local.observing import events

AT = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "action", "code"),
    [
        ("INFO spawned: 'node-exporter-2' with pid 21", "start", None),
        ("WARN exited: node-exporter-2 (exit status 3; not expected)", "die", 3),
        ("WARN exited: node-exporter-2 (terminated by SIGKILL; not expected)", "die", 137),
        ("WARN exited: node-exporter-2 (terminated by SIGSEGV (core dumped); not expected)", "die", 139),
        ("INFO exited: node-exporter-2 (exit status 0; expected)", "die", 0),
        ("WARN stopped: node-exporter-2 (terminated by SIGTERM)", "stop", 143),
        ("INFO stopped: node-exporter-2 (exit status 0)", "stop", 0),
        ("INFO gave up: node-exporter-2 entered FATAL state, too many start retries too quickly", "failed", None),
    ],
)
def test_what_the_supervisor_says_becomes_an_event(said: str, action: str, code: int | None) -> None:
    found = events.parse(f"2026-01-02 03:04:05,678 {said}")
    assert found == Event(AT, "node-exporter", 2, action, code)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "2026-01-02 03:04:05,678 INFO supervisord started with pid 7",
        "2026-01-02 03:04:05,678 INFO waiting for web-1 to stop",
        "nonsense: exited: web-1 (exit status 1)",
    ],
)
def test_other_lines_are_none(line: str) -> None:
    assert events.parse(line) is None


def test_the_last_exit_is_found_over_rotated_files(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.make()
    assert events.last_exit(layout, "web-1") is None
    stamp = "2026-01-02 03:04:05,678"
    layout.history.with_name("supervisord.log.1").write_text(
        f"{stamp} WARN exited: web-1 (exit status 3; not expected)\n{stamp} WARN exited: web-1 (exit status 4; x)\n"
    )
    layout.history.write_text(f"{stamp} WARN exited: web-11 (exit status 5; not expected)\n")
    assert events.last_exit(layout, "web-1") == 4
    assert events.last_exit(layout, "web-11") == 5
    with layout.history.open("a") as stream:
        stream.write(f"{stamp} INFO spawned: 'web-11' with pid 7\n")
    assert events.last_exit(layout, "web-11") is None
