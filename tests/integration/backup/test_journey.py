"""A stack is backed up while it works, proved, destroyed, restored on an empty host: nothing lost, nothing twice."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines.docker.parts import require_docker
from tests.integration.backup.rig import rows
from tests.integration.docker.rig import NEEDED, clean, project
from tests.integration.local.conftest import ports
from tests.integration.tradebot import Tradebot

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("backup")]

RULES = ("symbol=AAPL", "strategy=sma_cross", "fast=10", "slow=30")


@pytest.fixture(params=["local", pytest.param("docker", marks=pytest.mark.docker)])
def tradebot(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Tradebot]:
    if request.param == "docker":
        require_docker(*NEEDED)
        made = project(tmp_path / "home")
        yield made
        clean(made)
    else:
        made = Tradebot(tmp_path / "home", environ=ports())
        yield made
        made.clean()


@pytest.fixture
def busy(tradebot: Tradebot) -> Iterator[Tradebot]:
    """It is up, a job waits, and others come and go all the time."""
    tradebot.ok("up")
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            tradebot.run("jobs", "submit", "canary")

    thread = threading.Thread(target=work)
    thread.start()
    yield tradebot
    over.set()
    thread.join()


def test_destroyed_and_restored(busy: Tradebot, request: pytest.FixtureRequest) -> None:
    tradebot = busy
    done = tradebot.ended(tradebot.submit("backtest", *RULES))
    tradebot.ok("queue", "pause", "backtest")
    waits = tradebot.submit("backtest", *RULES)
    made = tradebot.json("backup", "create")
    proved = tradebot.json("backup", "verify", "latest", "--deep")
    assert (proved["rows"], proved["tables"]) == (made["rows"], made["tables"])
    before = dict(rows(tradebot, "SELECT id::text, state FROM job WHERE type = 'backtest'"))
    tradebot.ok("down", "--volumes", "--yes")
    left = {path.name for path in tradebot.state.iterdir()} if tradebot.state.is_dir() else set()
    assert left <= {"lock", "audit.jsonl", "audit-head.json"}
    audited = tradebot.json("audit", "--verify")
    assert (audited["wrong"], audited["proved"] > 0) == ([], True)
    assert audited["entries"] > audited["proved"], "what came after the backup is not proved by it"

    restored = tradebot.json("backup", "restore", "latest", "--yes", timeout=300)
    assert (restored["rows"], restored["aside"]) == (made["rows"], None)
    assert restored["jobs"]["queued"] >= 1
    assert {name for name, state in tradebot.states().items() if state == "ready"} == {"postgres-1", "redis-1"}

    tradebot.ok("up", timeout=300)
    assert dict(rows(tradebot, "SELECT id::text, state FROM job WHERE type = 'backtest'")) == before
    assert tradebot.job(done["id"])["result"] == done["result"]
    assert tradebot.job(waits)["state"] == "queued"
    assert tradebot.json("status")["halt"]["reason"].startswith("restored from backup ")
    tradebot.ok("queue", "resume", "backtest")
    tradebot.ok("resume")
    assert tradebot.ended(waits)["attempt"] == 1
    events = rows(tradebot, "SELECT job_id::text, state FROM job_event")
    assert sorted(state for job, state in events if job == waits) == ["queued", "running", "succeeded"]
    changes = [each["command"] for each in tradebot.json("audit")["changes"]]
    assert [name for name in changes if name in {"backup create", "down", "backup restore"}][-3:] == [
        "backup create",
        "down",
        "backup restore",
    ]
    (tradebot.state / "audit.jsonl").write_bytes(b"")
    emptied = tradebot.run("audit", "--verify")
    assert emptied.returncode == 1
    # The one that submits jobs meanwhile may have added a line.
    found = ("its end was cut off, or it was emptied", "before it is missing")
    assert any(words in emptied.stdout + emptied.stderr for words in found), emptied
