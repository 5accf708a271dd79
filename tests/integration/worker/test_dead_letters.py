"""A hundred dead jobs of three groups, replayed by the command line at five a second, killed half-way, typed again."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from services.common.ledger import State
from services.common.settings import Settings
from tests.integration.worker.conftest import MakeWorker
from tests.integration.worker.outages.api import ApiPart
from tests.integration.worker.rig import Desk
from tests.paths import ROOT
from tests.waiting import until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

GROUPS = {"value": 60, "key": 30, "os": 10}
RATE = 5.0
#: The replay of the command line, in a process of its own that can be killed.
REPLAY = """
import json, sys
from pathlib import Path
from tests.integration.services.test_dead_letters import ops_of
from tradebot_ops.operations.jobs import dead_letters
words = json.loads(sys.argv[1])
dead_letters.replay(ops_of(words["url"], Path(words["state"])), [], every=True, rate=words["rate"])
"""


def test_each_runs_once_more_exactly(desk: Desk, make_worker: MakeWorker, settings: Settings, tmp_path: Path) -> None:
    api = ApiPart(settings, tmp_path / "plugins", tmp_path / "api.log")
    make_worker()
    make_worker("worker-2")
    api.start()
    away = tmp_path / "away"
    away.touch()
    jobs = [
        desk.submit("picky", max_attempts=1, kind=kind, away=str(away), mark=str(tmp_path / f"{kind}-{number}.mark"))
        for kind, count in GROUPS.items()
        for number in range(count)
    ]
    assert {desk.wait_for(job).state for job in jobs} == {State.DEAD}
    assert sorted(group.jobs for group in desk.dead_letters.groups()) == sorted(GROUPS.values())
    away.unlink()

    def replayed() -> int:
        return sum(desk.job(job).replays for job in jobs)

    words = json.dumps({"url": f"http://127.0.0.1:{api.port}", "state": str(tmp_path), "rate": RATE})
    command = [sys.executable, "-c", REPLAY, words]
    first = subprocess.Popen(command, cwd=ROOT, env=os.environ)
    until(lambda: replayed() >= len(jobs) // 2, "half of them are queued", 60)
    first.kill()
    first.wait(10)
    assert replayed() < len(jobs)
    second = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, timeout=120)
    assert second.returncode == 0, second.stderr
    assert {desk.wait_for(job).state for job in jobs} == {State.SUCCEEDED}
    assert Counter(len(mark.read_text().splitlines()) for mark in tmp_path.glob("*.mark")) == {2: len(jobs)}
    assert {desk.job(job).replays for job in jobs} == {1}
    moments = sorted(event.at for job in jobs for event in desk.ledger.events(job) if event.note == "replayed")
    seconds = Counter((moment - moments[0]).total_seconds() // 1 for moment in moments)
    assert max(seconds.values()) <= RATE + 1
    api.stop()
