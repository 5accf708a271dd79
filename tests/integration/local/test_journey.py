"""What a new user does, in order, on a machine without Docker."""

import json
import re
import stat

import httpx
import psycopg
import pytest
import redis

from tests.integration.tradebot import Tradebot
from tests.waiting import until

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("local-journey")]

BACKTEST = ("symbol=AAPL", "strategy=sma_cross", "fast=10", "slow=30")


def test_everything_is_ready_after_up(running: Tradebot) -> None:
    expected = {"redis-1": "ready", "postgres-1": "ready", "migrate-1": "done", "api-1": "ready"}
    assert running.states() == expected | {"worker-1": "ready", "worker-2": "ready"}


def test_a_second_up_changes_nothing_and_says_so(running: Tradebot) -> None:
    before = {name: row["pid"] for name, row in running.status().items()}
    done = running.run("up")
    assert done.returncode == 0
    assert "Nothing to change" in done.stdout
    assert {name: row["pid"] for name, row in running.status().items()} == before


def test_a_backtest_on_real_prices_is_one_json_document(running: Tradebot) -> None:
    running.ok("jobs", "submit", "load_candles", "--wait")
    document = json.loads(running.ok("jobs", "submit", "backtest", *BACKTEST, "--wait", "--json"))
    assert document["ok"] is True
    assert document["data"]["state"] == "succeeded"
    assert {"sharpe", "max_drawdown", "cagr"} <= document["data"]["result"]["metrics"].keys()


def test_the_api_needs_its_key_for_writing(running: Tradebot) -> None:
    base = f"http://{running.status()['api-1']['published']['8010']}"
    job = {"type": "canary", "payload": {}}
    assert httpx.post(f"{base}/jobs", json=job, trust_env=False).status_code == 401
    key = (running.state / "secrets" / "api_key").read_text().strip()
    assert httpx.post(f"{base}/jobs", json=job, headers={"X-API-Key": key}, trust_env=False).status_code == 202
    assert httpx.get(f"{base}/docs", trust_env=False).status_code == 200


def test_redis_and_postgres_require_their_passwords(running: Tradebot) -> None:
    ports = json.loads((running.state / "ports.json").read_text())
    port = {name.partition("-")[0].partition(":")[0]: number for name, number in flatten(ports)}
    with pytest.raises(redis.AuthenticationError):
        redis.Redis(port=port["redis"]).ping()
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(f"postgresql://tradebot@127.0.0.1:{port['postgres']}/tradebot")


def flatten(ports: dict[str, object], prefix: str = "") -> list[tuple[str, int]]:
    found: list[tuple[str, int]] = []
    for name, value in ports.items():
        if isinstance(value, dict):
            found += flatten(value, f"{prefix}{name}-")
        elif isinstance(value, int):
            found.append((f"{prefix}{name}", value))
    return found


def test_state_and_secrets_are_private(running: Tradebot) -> None:
    assert stat.S_IMODE(running.state.stat().st_mode) == 0o700
    for secret in (running.state / "secrets").iterdir():
        assert stat.S_IMODE(secret.stat().st_mode) == 0o600
        text = secret.read_text().strip()
        assert text or secret.name.startswith("tls_"), f"{secret.name} is empty"
        for process in running.processes():
            assert not text or text not in " ".join(process.cmdline())


@pytest.mark.parametrize(
    ("pairs", "named"),
    [
        (("symbol=AAPL", "strategy=hope"), "strategy"),
        (("symbol=AAPL", "strategy=sma_cross", "fast=30", "slow=10"), "slow"),
        (("symbol=AAPL", "strategy=sma_cross", "fast=ten", "slow=30"), "fast"),
        (("symbl=AAPL", "strategy=sma_cross", "fast=10", "slow=30"), "symbl"),
        (("strategy=sma_cross", "fast=10", "slow=30"), "symbol"),
    ],
)
def test_a_wrong_payload_names_the_field(running: Tradebot, pairs: tuple[str, ...], named: str) -> None:
    done = running.run("jobs", "submit", "backtest", *pairs)
    assert done.returncode == 1
    assert re.search(rf"\b{named}: \S", done.stderr), done.stderr
    assert "Correct what is named above." in done.stderr


def test_an_unknown_job_type_lists_the_known(running: Tradebot) -> None:
    done = running.run("jobs", "submit", "astrology")
    assert done.returncode == 1
    assert "backtest" in done.stderr


def test_a_symbol_without_candles_says_what_to_do(running: Tradebot) -> None:
    pairs = ("symbol=TSLA", "strategy=sma_cross", "fast=10", "slow=30")
    done = running.run("jobs", "submit", "backtest", *pairs, "--wait")
    assert done.returncode == 1
    assert "TSLA" in done.stdout
    assert "load_candles" in done.stdout


def test_a_dead_job_is_explained_set_aside_exported_and_queued_again(running: Tradebot) -> None:
    job = running.submit("backtest", "symbol=NFLX", "strategy=sma_cross", "fast=10", "slow=30")
    dead = running.ended(job)
    assert dead["state"] == "dead"
    shown = running.ok("dlq", "show", job)
    assert "There are no candles for NFLX." in shown
    assert f"dlq replay {job}" in shown
    group = dead["error"]["fingerprint"]
    running.ok("dlq", "quarantine", group, "--reason", "not listed here")
    file = running.state / "dead.jsonl"
    running.ok("dlq", "export", str(file), "--all")
    assert job not in file.read_text()
    running.ok("dlq", "export", str(file), "--group", group)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    running.ok("dlq", "quarantine", group, "--lift")
    assert job in running.json("dlq", "import", str(file))["queued"]
    assert running.ended(job)["replays"] == 1
    assert job in running.json("dlq", "import", str(file))["left_out"]
    by = {event["by"] for event in running.job(job)["events"] if event["note"] == "replayed"}
    assert all("@" in each for each in by)
    assert len(by) == 1


def test_the_log_and_the_figures_of_jobs(running: Tradebot) -> None:
    job = running.submit("canary")
    assert running.ended(job)["state"] == "succeeded"
    lines = [json.loads(line) for line in running.ok("jobs", "logs", job, "--json").splitlines()]
    assert any(line["service"] == "worker" for line in lines), lines
    assert all(job in json.dumps(line) for line in lines)
    (figures,) = running.json("jobs", "stats", "--type", "canary", "--since", "1h")["types"]
    assert figures["succeeded"] >= 1
    assert figures["took_median_s"] > 0
    assert running.json("jobs", "recover") == []
    assert running.json("jobs", "prune", "--older-than", "1d") == {"jobs": 0, "removed": 0}
    refused = running.run("jobs", "prune", "--older-than", "1s", "--state", "running")
    assert (refused.returncode, "running jobs are not over" in refused.stderr) == (1, True)


def test_scaling_up_leaves_the_others_alone_and_down_drains(running: Tradebot) -> None:
    before = running.status()
    running.ok("scale", "workers", "4")
    after = running.status()
    workers = [f"worker-{number}" for number in range(1, 5)]
    assert [after[name]["state"] for name in workers] == ["ready"] * 4
    assert [after[name]["pid"] for name in workers[:2]] == [before[name]["pid"] for name in workers[:2]]
    assert "WORKER_REPLICAS" in running.ok("config", "show", "--json")
    running.ok("scale", "workers=1")
    assert [name for name in running.states() if name.startswith("worker")] == ["worker-1"]
    assert running.status()["worker-1"]["pid"] == before["worker-1"]["pid"]
    running.ok("up", "--no-canary")
    assert [name for name in running.states() if name.startswith("worker")] == ["worker-1"], "up keeps what scale set"
    running.ok("scale", "workers", "2")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("scale", "workers", "-1"), 2, "from 0 to 100"),
        (("scale", "workers", "1000"), 2, "from 0 to 100"),
        (("scale", "nonsense", "3"), 2, "no service 'nonsense'"),
        (("scale", "redis", "2"), 2, "single replica"),
        (("logs", "wroker"), 2, "Did you mean `worker`"),
        (("jobs", "show", "no-such-job"), 1, "no-such-job"),
    ],
)
def test_bad_input_is_one_sentence(running: Tradebot, words: tuple[str, ...], code: int, said: str) -> None:
    done = running.run(*words)
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr
    assert "Traceback" not in done.stderr


def test_logs_are_json_lines_with_their_replica_when_piped(running: Tradebot) -> None:
    lines = running.ok("logs", "api", "--tail", "20").splitlines()
    parts = [line.partition(" | ") for line in lines]
    assert {name.rstrip() for name, _, _ in parts} == {"api-1"}
    assert any(json.loads(text)["event"] for _, _, text in parts if text.startswith("{"))
    entry = json.loads(running.ok("logs", "worker", "--tail", "1", "--json").splitlines()[0])
    assert entry["service"] == "worker"


def test_following_logs_shows_new_lines(running: Tradebot) -> None:
    follower = running.start("logs", "api", "-f", "--tail", "1")
    try:
        assert follower.stdout is not None
        follower.stdout.readline()
        running.submit("canary")
        seen = until(lambda: "/jobs" in follower.stdout.readline(), "the request in the log", 20)  # type: ignore[union-attr]
        assert seen
    finally:
        follower.kill()
        follower.communicate()


def test_restart_gives_new_processes_and_ready_services(running: Tradebot) -> None:
    before = running.pid("api-1")
    running.ok("restart", "api")
    assert running.status()["api-1"]["state"] == "ready"
    assert running.pid("api-1") != before


def test_stop_and_start(running: Tradebot) -> None:
    running.ok("stop", "worker")
    assert {state for name, state in running.states().items() if name.startswith("worker")} == {"stopped"}
    assert running.run("status").returncode == 1
    running.ok("start", "worker")
    assert {state for name, state in running.states().items() if name.startswith("worker")} == {"ready"}


def test_urls_are_the_ones_that_answer(running: Tradebot) -> None:
    addresses = {row["name"]: row["url"] for row in running.json("urls")}
    assert httpx.get(addresses["API documentation"], trust_env=False).status_code == 200
    assert httpx.get(addresses["Worker metrics"], trust_env=False).status_code == 200
