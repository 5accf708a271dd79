"""Workers in containers: draining loses nothing, and a job that eats memory costs a job, not a worker."""

import subprocess
from datetime import datetime

import httpx
import pytest

from tests.engines.docker.parts import require_docker
from tests.integration.docker.rig import NEEDED, clean, inspected, project
from tests.integration.tradebot import Tradebot
from tests.waiting import until

pytestmark = [pytest.mark.integration, pytest.mark.docker, pytest.mark.xdist_group("docker-workers")]

#: As many runs as a sweep may have: seconds of work on a core of its own, far more where six workers share two.
LONG = {
    "type": "sweep",
    "payload": {"symbol": "AAPL", "strategy": "sma_cross", "fast": list(range(1, 101)), "slow": list(range(101, 201))},
}

#: Its process is there before it, and can be stopped in time.
SHORT = {"type": "backtest", "payload": {"symbol": "AAPL", "strategy": "sma_cross", "fast": 10, "slow": 50}}


def submitter(tradebot: Tradebot) -> httpx.Client:
    """The API itself: the command line would take longer to submit the jobs than the workers to do them."""
    key = (tradebot.state / "secrets" / "api_key").read_text().strip()
    base = f"http://{tradebot.status()['api-1']['published']['8010']}"
    return httpx.Client(base_url=base, headers={"X-API-Key": key}, trust_env=False)


def test_scaling_down_under_load_loses_no_job_and_runs_none_twice(running: Tradebot) -> None:
    running.ok("scale", "workers", "6")
    with submitter(running) as api:
        jobs = [api.post("/jobs", json=LONG).raise_for_status().json()["id"] for _ in range(12)]
        until(lambda: api.get("/jobs?state=running").json()["jobs"], "a running job", 30)
    report = running.json("scale", "workers", "2", timeout=200)
    assert len(report["removed"]) == 4
    assert "worker-1" in [name for name in running.states() if name.startswith("worker")]
    ended = [running.ended(job, 200) for job in jobs]
    assert [job["state"] for job in ended] == ["succeeded"] * 12
    for job in ended:
        moves = [event["state"] for event in job["events"]]
        assert moves.count("succeeded") == 1
        # A job that outlived its worker's grace period was handed back, unburned, and run to its end once.
        assert moves.count("running") == moves.count("queued")
        assert job["attempt"] == 1


#: Stops or continues the process that runs the container's job: the job takes as long as the test wants.
#: From the moment it takes orders, a job process ignores Ctrl-C; stopped before that, it would never get one.
SIGNAL_JOB = """
import os, pathlib, re, signal, sys, time
end = time.monotonic() + 20
while time.monotonic() < end:
    for file in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        if b"services.worker.child" in file.read_bytes().split(bytes(1)):
            ignored = int(re.search(r"SigIgn:\\s*(\\w+)", (file.parent / "status").read_text())[1], 16)
            if ignored & 1 << signal.SIGINT - 1:
                os.kill(int(file.parent.name), signal.Signals[sys.argv[1]])
                sys.exit()
sys.exit("no job process takes orders")
"""


def test_a_drained_worker_ends_its_job_although_that_takes_longer_than_usual(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    require_docker(*NEEDED)
    settings = {"WORKER_REPLICAS": "2", "WORKER_GRACE_SECONDS": "1"}
    tradebot = project(tmp_path_factory.mktemp("drain") / "home", **settings)

    def signal_jobs(name: str) -> None:
        for number in ("1", "2"):
            tradebot.ok("exec", "worker", number, "--", "python", "-c", SIGNAL_JOB, name)

    try:
        tradebot.ok("up")
        signal_jobs("SIGSTOP")
        with submitter(tradebot) as api:
            jobs = [api.post("/jobs", json=SHORT).raise_for_status().json()["id"] for _ in range(2)]
            until(lambda: len(api.get("/jobs?state=running").json()["jobs"]) == 2, "both run", 30)
            leaving = tradebot.start("scale", "workers", "1", "--drain", "120")
            until(
                lambda: "draining" in [worker["state"] for worker in api.get("/workers").json()["workers"]],
                "one drains",
                30,
            )
            with pytest.raises(subprocess.TimeoutExpired):
                leaving.wait(5)
        signal_jobs("SIGCONT")
        assert leaving.wait(100) == 0
        ended = [tradebot.ended(job, 100) for job in jobs]
        assert [(job["state"], job["attempt"]) for job in ended] == [("succeeded", 1)] * 2
        assert [[move["state"] for move in job["events"]].count("running") for job in ended] == [1, 1]
    finally:
        clean(tradebot)


def test_a_job_that_eats_memory_is_ended_and_its_worker_lives(tmp_path_factory: pytest.TempPathFactory) -> None:
    require_docker(*NEEDED)
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


def worker_of(tradebot: Tradebot, state: str) -> str:
    return next((each["name"] for each in tradebot.json("workers", "list") if each["state"] == state), "")


def test_one_is_drained_and_resumed_and_a_killed_one_s_job_runs_elsewhere_at_once(running: Tradebot) -> None:
    # Through one, which is worker-1: of four, those go that are idle, whatever their numbers.
    running.ok("scale", "workers", "1", timeout=300)
    running.ok("scale", "workers", "2")
    running.ok("workers", "drain", "worker-2", "--reason", "a test")
    until(lambda: worker_of(running, "drained") == "worker-2", "it is drained", 20)
    assert running.status()["worker-2"]["state"] == "drained"
    running.ok("restart", "worker-2")
    until(lambda: worker_of(running, "drained") == "worker-2", "it is drained after a restart", 30)
    running.ok("exec", "worker", "1", "--", "python", "-c", SIGNAL_JOB, "SIGSTOP")
    with submitter(running) as api:
        job = api.post("/jobs", json=SHORT).raise_for_status().json()["id"]
        until(lambda: worker_of(running, "busy") == "worker-1", "it runs", 30)
        running.ok("workers", "resume", "worker-2")
        until(lambda: worker_of(running, "idle") == "worker-2", "it takes jobs", 20)
        before = running.status()["worker-1"]["pid"]
        assert running.json("workers", "kill", "worker-1", "--yes")["jobs"] == [job]
        assert running.status()["worker-1"]["pid"] != before
        ended = running.ended(job, 200)
    assert (ended["state"], ended["attempt"], ended["kills"]) == ("succeeded", 1, 0)
    moves = [(event["state"], datetime.fromisoformat(event["at"])) for event in ended["events"]]
    assert [state for state, _ in moves] == ["queued", "running", "queued", "running", "succeeded"]
    assert (moves[3][1] - moves[2][1]).total_seconds() < 2
