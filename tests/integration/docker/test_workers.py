"""Workers in containers: draining loses nothing, and a job that eats memory costs a job, not a worker."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.integration.docker.rig import clean, inspected, project
from tests.integration.tradebot import Tradebot, until

pytestmark = [pytest.mark.integration, pytest.mark.docker, pytest.mark.xdist_group("docker-workers")]

#: About twenty seconds of work on one core: as many runs as a sweep may have.
LONG = ("symbol=AAPL", "strategy=sma_cross", "fast=2:41:1", "slow=50:99:1")


def test_scaling_down_under_load_loses_no_job_and_runs_none_twice(running: Tradebot) -> None:
    running.ok("scale", "workers", "6")
    jobs = [running.submit("sweep", *LONG) for _ in range(4)]
    until(lambda: {running.job(job)["state"] for job in jobs} == {"running"}, 60, "four running jobs")
    report = running.json("scale", "workers", "2", timeout=200)
    assert len(report["removed"]) == 4
    assert [leaver["why"] for leaver in report["removed"][:2]] == ["idle", "idle"]
    assert sorted(name for name in running.states() if name.startswith("worker"))[0] == "worker-1"
    with ThreadPoolExecutor() as pool:
        ended = list(pool.map(lambda job: running.ended(job, 150), jobs))
    assert [job["state"] for job in ended] == ["succeeded"] * 4
    for job in ended:
        moves = [event["state"] for event in job["events"]]
        assert moves.count("succeeded") == 1
        # A job that outlived its worker's grace period was handed back, unburned, and run to its end once.
        assert moves.count("running") - moves.count("queued") == 0
        assert job["attempt"] == 1


def test_a_job_that_eats_memory_is_ended_and_its_worker_lives(tmp_path_factory: pytest.TempPathFactory) -> None:
    tradebot = project(tmp_path_factory.mktemp("memory") / "home", WORKER_REPLICAS="1", JOB_MEMORY_LIMIT="70mb")
    try:
        tradebot.run("up", "--no-canary")
        worker = tradebot.status()["worker-1"]
        job = tradebot.ended(tradebot.submit("load_candles"), 60)
        assert job["state"] == "dead"
        assert "memory" in job["error"]["message"]
        assert tradebot.status()["worker-1"]["pid"] == worker["pid"]
        assert not inspected(f"{tradebot.project}-worker-1")["State"]["OOMKilled"]
    finally:
        clean(tradebot)
