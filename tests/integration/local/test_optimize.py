"""optimize and kpi on a real stack: what idle workers lead to, set, measured, and set back."""

import json
from collections.abc import Iterator

import pytest

from tests.integration.local.test_monitoring import monitored, values
from tests.integration.tradebot import Tradebot
from tests.programs import missing
from tests.waiting import until
from tradebot_ops.operations.optimize.decide import JOBS_NEEDED

pytestmark = [
    pytest.mark.integration,
    pytest.mark.xdist_group("local-monitoring"),
    pytest.mark.timeout(600),
]
#: The shortest that it learns from.
WINDOW = ("--window", "2m")
BEFORE = "# this project's own\nWORKER_REPLICAS=3\n"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tradebot]:
    """Three workers with nothing to do, in a folder with a settings file of its own."""
    folder = tmp_path_factory.mktemp("optimize")
    project = monitored(folder / "home")
    project.cwd = folder
    (folder / ".env").write_text(BEFORE)
    try:
        project.ok("up", timeout=300)
        if project.states()["prometheus-1"] == "unavailable":
            missing("Prometheus cannot run here")
        yield project
    finally:
        project.clean()


def workers(stack: Tradebot) -> list[str]:
    return sorted(name for name, state in stack.states().items() if name.startswith("worker") and state == "ready")


def test_idle_workers_go_and_come_back(stack: Tradebot) -> None:
    early = json.loads(stack.run("optimize", "apply", *WINDOW, "--yes", "--json").stdout)
    assert early["errors"][0]["code"] == "TB-0920"
    assert (stack.cwd / ".env").read_text() == BEFORE

    until(lambda: not stack.json("optimize", "plan", *WINDOW)["lacking"], "enough is on record", 200)
    plan = stack.json("optimize", "plan", *WINDOW)
    usage = plan["usage"]
    unmeasured = [name for name, value in usage.items() if value is None]
    assert unmeasured == [], usage
    changes = {change["setting"]: change for change in plan["changes"]}
    assert (changes["WORKER_REPLICAS"]["from"], changes["WORKER_REPLICAS"]["to"]) == ("3", "1")
    assert changes["REDIS_MAXMEMORY"]["to"] == "128mb"
    assert changes["POSTGRES_SHARED_BUFFERS"]["to"] == "128mb"

    figures = {each["name"]: each for each in stack.json("kpi", "--period", "5m")["figures"]}
    assert figures["uptime"]["value"] > 0
    assert figures["queue depth"]["met"] is True
    assert figures["worker utilisation"]["value"] is not None
    assert figures["alert accuracy"]["value"] is None
    assert figures["alert accuracy"]["note"].startswith("No alert was ")

    stack.ok("optimize", "apply", *WINDOW, "--yes", timeout=300)
    assert (stack.cwd / ".env").stat().st_mode & 0o777 == 0o600
    assert workers(stack) == ["worker-1"]
    used = {change["setting"] for change in stack.json("optimize", "plan", *WINDOW)["changes"]}
    assert not used & {"REDIS_MAXMEMORY", "POSTGRES_SHARED_BUFFERS"}
    assert stack.ok("jobs", "submit", "canary", "--wait")
    until(lambda: values(stack, "tradebot_workers_desired") == [1.0], "one worker is desired", 60)
    until(lambda: values(stack, "redis_memory_max_bytes") == [128.0 * 1024**2], "Redis has its new limit", 60)

    stack.ok("optimize", "revert", timeout=300)
    assert (stack.cwd / ".env").read_text() == BEFORE
    assert workers(stack) == ["worker-1", "worker-2", "worker-3"]
    assert "Nothing to change" in stack.ok("up", timeout=300)
    until(lambda: values(stack, "tradebot_workers_desired") == [3.0], "three workers are desired", 60)


def test_jobs_that_come_near_their_limit_get_more(stack: Tradebot) -> None:
    """Twenty real ones; then a limit that is just above the largest of them."""
    until(lambda: not stack.json("optimize", "plan", *WINDOW)["lacking"], "enough is on record", 200)
    for _ in range(JOBS_NEEDED):
        job = stack.submit("backtest", "symbol=AAPL", "strategy=sma_cross", "fast=10", "slow=30")
    assert stack.ended(job)["state"] == "succeeded"
    peak = stack.json("optimize", "plan", *WINDOW)["usage"]["jobs"]["peak_bytes"]
    assert peak > 20 * 1024**2
    (stack.cwd / ".env").write_text(f"{BEFORE}JOB_MEMORY_LIMIT={int(peak * 1.1)}\n")
    changes = {change["setting"]: change for change in stack.json("optimize", "plan", *WINDOW)["changes"]}
    assert int(changes["JOB_MEMORY_LIMIT"]["to"].removesuffix("mb")) * 1024**2 >= 1.5 * peak
    assert "of its limit" in changes["JOB_MEMORY_LIMIT"]["why"]
