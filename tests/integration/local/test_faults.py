"""kill -9 of every part: what comes back, what `status` says, no orphan, no job lost."""

import os
import signal

import httpx
import psutil
import pytest
import yaml

from services.common.transport import DEAD_QUEUE
from tests.integration.tradebot import Tradebot
from tests.paths import ROOT
from tests.waiting import until

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("local-faults")]

ALL_READY = {
    "redis-1": "ready",
    "postgres-1": "ready",
    "migrate-1": "done",
    "api-1": "ready",
    "worker-1": "ready",
    "worker-2": "ready",
}


@pytest.mark.parametrize("replica", ["worker-1", "api-1", "redis-1", "postgres-1"])
def test_a_killed_service_comes_back_and_no_job_is_lost(running: Tradebot, replica: str) -> None:
    running.ok("jobs", "submit", "load_candles", "--wait")
    jobs = [running.submit("canary") for _ in range(3)]
    old = running.pid(replica)
    os.kill(old, signal.SIGKILL)
    until(lambda: running.states() == ALL_READY and running.pid(replica) != old, f"{replica} back", 60, running.status)
    assert running.status()[replica]["restarts"] >= 1
    assert [running.ended(job, 90)["state"] for job in jobs] == ["succeeded"] * 3
    assert running.job(running.submit("canary"))["id"]


def test_a_hanging_postgres_is_not_said_of_the_workers(running: Tradebot) -> None:
    """Their page is still scraped in time, without what Postgres alone knows."""
    prometheus = yaml.safe_load((ROOT / "config/prometheus/prometheus.yml").read_text())["global"]
    scrape_s = float(prometheus["scrape_timeout"].removesuffix("s"))
    page = f"http://{running.status()['worker-1']['published']['9091']}/metrics"
    known = f'queue_length{{queue="{DEAD_QUEUE}"}}'
    assert known in httpx.get(page, timeout=scrape_s).text
    postgres = psutil.Process(running.pid("postgres-1"))
    hanging = [postgres, *postgres.children(recursive=True)]
    for process in hanging:
        process.suspend()
    try:
        until(lambda: known not in httpx.get(page, timeout=scrape_s).text, "the page without the dead", 60)
        states = running.states()
        page_now = httpx.get(page, timeout=scrape_s).text
    finally:
        for process in hanging:
            process.resume()
    assert (states["postgres-1"], states["worker-1"], states["worker-2"]) == ("unhealthy", "ready", "ready")
    assert "worker_active" in page_now
    until(lambda: running.states() == ALL_READY, "all is well again", 60, running.status)
    until(lambda: known in httpx.get(page, timeout=scrape_s).text, "the dead on the page again", 60)


def test_a_killed_supervisor_leaves_no_orphan_and_up_brings_all_back(running: Tradebot) -> None:
    job = running.submit("canary")
    pids = [int(row["pid"]) for row in running.status().values() if row["pid"]]
    supervisor = psutil.Process(pids[0]).parents()
    daemon = next(parent for parent in supervisor if "supervisord" in " ".join(parent.cmdline()))
    children = daemon.children(recursive=True)
    daemon.kill()
    _, alive = psutil.wait_procs(children, timeout=20)
    assert alive == []
    assert set(running.states().values()) & {"ready", "running"} == set()
    done = running.run("status")
    assert done.returncode == 1
    assert running.suggested("up") in done.stdout
    running.ok("up")
    assert running.states() == ALL_READY
    assert running.ended(job)["state"] == "succeeded"


def test_ctrl_c_during_up_leaves_a_state_that_up_and_down_understand(tradebot: Tradebot) -> None:
    process = tradebot.start("up")
    assert process.stderr is not None
    until(lambda: "postgres" in process.stderr.readline(), "postgres starting", 60)  # type: ignore[union-attr]
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    tradebot.ok("up")
    assert tradebot.run("status").returncode == 0
    tradebot.ok("down")


def test_a_service_that_crashes_at_once_ends_the_wait_with_its_last_lines(tradebot: Tradebot) -> None:
    tradebot.ok("up", "postgres", "--no-canary")
    override = tradebot.home / "broken.yaml"
    override.write_text("services:\n  api:\n    command: [python, -c, 'raise SystemExit(\"no such luck\")']\n")
    done = tradebot.run("up", "-f", str(tradebot.cwd / "compose.yaml"), "-f", str(override), timeout=60)
    assert done.returncode == 1
    assert "no such luck" in done.stderr
    tradebot.ok("up", "--no-canary")


def test_two_ups_at_once(tradebot: Tradebot) -> None:
    first, second = tradebot.start("up", "--no-canary"), tradebot.start("up", "--no-canary")
    outcomes = [process.communicate(timeout=150) for process in (first, second)]
    codes = sorted([first.returncode, second.returncode])
    assert codes == [0, 7], outcomes
    assert any("is being changed by" in err for _, err in outcomes)


def test_down_when_nothing_runs(tradebot: Tradebot) -> None:
    assert "Nothing was running." in tradebot.ok("down")
    assert tradebot.suggested("up") in tradebot.run("status").stdout
