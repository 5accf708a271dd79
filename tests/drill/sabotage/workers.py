"""Stage 5 broken on purpose."""

import json
import time
from collections.abc import Callable
from contextlib import closing

import redis

from tests.drill.sabotage.fault import Act, Fault, hanging, ops_of, sql, stopping
from tests.integration.tradebot import Tradebot
from tests.waiting import until

_GHOST = "ghost-of-sabotage"
#: Of a type that nobody knows, so that it is told from the work of others.
_TYPE = "sabotage"
_INSERT = (
    "INSERT INTO job (id, type, payload, state, submitted_at, finished_at, retry_at, lease_until, worker, sent_at)"
)
#: Sent, as far as the sweeper knows, at a time that has not come: it leaves the job alone.
_NOT_SWEPT = "now() + interval '1 day'"


def _redis(act: Callable[[redis.Redis], object]) -> Act:
    def run(stack: Tradebot) -> None:
        ops = ops_of(stack)
        address, password = ops.engine.endpoint("redis", 6379), ops.secret("redis_password").reveal()
        with closing(redis.Redis(host=address.host, port=address.port, password=password)) as client:
            act(client)

    return run


def _jobs(count: int, values: str) -> tuple[Act, Act]:
    """Rows of the ledger, and their end."""
    rows = f"SELECT gen_random_uuid(), '{_TYPE}', '{{}}', {values} FROM generate_series(1, {count})"  # noqa: S608
    return sql(f"{_INSERT} {rows}"), sql(f"DELETE FROM job WHERE type = '{_TYPE}'")  # noqa: S608


def _ghost() -> tuple[Act, Act]:
    """A heartbeat under a name that no replica has."""

    def appear(client: redis.Redis) -> None:
        beat = {"name": _GHOST, "state": "idle", "pid": 1, "at": time.time() + 3600, "job_id": None}
        client.set(f"tradebot:worker:{_GHOST}", json.dumps(beat))
        client.zadd("tradebot:workers", {_GHOST: time.time()})

    def vanish(client: redis.Redis) -> None:
        client.delete(f"tradebot:worker:{_GHOST}")
        client.zrem("tradebot:workers", _GHOST)

    return _redis(appear), _redis(vanish)


def _forbidden(command: str) -> tuple[Act, Act]:
    """Redis refuses the services one command; the rest goes on."""
    return (
        _redis(lambda client: client.execute_command("ACL", "SETUSER", "default", f"-{command}")),
        _redis(lambda client: client.execute_command("ACL", "LOAD")),
    )


def _idle() -> tuple[Act, Act]:
    """Workers beat and fetch nothing, while a job waits."""
    submitted: list[str] = []
    forbid, allow = _forbidden("evalsha")

    def inject(stack: Tradebot) -> None:
        forbid(stack)
        submitted.append(ops_of(stack).api.submit("canary", {})["id"])

    def mend(stack: Tradebot) -> None:
        allow(stack)
        stack.ended(submitted.pop(), 90)

    return inject, mend


def _letter() -> tuple[Act, Act]:
    """A real job that is given up."""

    def inject(stack: Tradebot) -> None:
        job = stack.submit("backtest", "symbol=NOSUCH", "strategy=sma_cross", "fast=10", "slow=30")
        assert stack.ended(job)["state"] == "dead"

    return inject, sql("DELETE FROM job WHERE state = 'dead'")


def console() -> tuple[Act, Act]:
    """Logs for people instead of JSON."""

    def inject(stack: Tradebot) -> None:
        stack.environ["LOG_FORMAT"] = "console"
        stack.ok("up", timeout=300)

    def mend(stack: Tradebot) -> None:
        del stack.environ["LOG_FORMAT"]
        stack.ok("up", timeout=300)

    return inject, mend


def _all_stopped() -> tuple[Act, Act]:
    stop, start = stopping("worker")

    def mend(stack: Tradebot) -> None:
        start(stack)
        until(lambda: len(ops_of(stack).api.workers()) == 2, "two workers are heard again")

    return stop, mend


def _trigger(when: str, body: str) -> tuple[Act, Act]:
    """What happens to rows of the ledger in place of what their writer wants; jobs that then stay dead are removed."""
    function = f"CREATE FUNCTION sabotage() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$"
    trigger = f"CREATE TRIGGER sabotage BEFORE {when} ON job FOR EACH ROW EXECUTE FUNCTION sabotage()"
    return sql(function, trigger), sql("DROP FUNCTION sabotage CASCADE", "DELETE FROM job WHERE state = 'dead'")


_DEAD = "NEW.state = 'dead'; NEW.retry_at = NULL; NEW.finished_at = now();"
_GIVES_UP = f"IF NEW.state = 'retrying' THEN {_DEAD} END IF; RETURN NEW;"

FAULTS = (
    Fault("a worker that hangs", "WRK-01", "fail", *hanging("worker-1"), also=("WRK-02", "WRK-03")),
    Fault("a ghost's heartbeat", "WRK-01", "fail", *_ghost()),
    Fault("heartbeats that Redis refuses", "WRK-01", "fail", *_forbidden("set")),
    Fault("every worker stopped", "WRK-01", "fail", *_all_stopped(),
          # Who does not run has written nothing since its start.
          also=("WRK-02", "WRK-03", "WRK-08", "WRK-09", "WRK-12")),
    Fault("a worker alive and silent at its port", "WRK-02", "fail", *hanging("worker-1"), also=("WRK-01", "WRK-03")),
    Fault("a canary that Prometheus does not see", "WRK-03", "fail", *stopping("prometheus"), also=("WRK-06",)),
    Fault("jobs given up at their first failure", "WRK-04", "fail", *_trigger("UPDATE", _GIVES_UP)),
    Fault("dead letters that nobody can remove", "WRK-04", "fail", *_trigger("DELETE", "RETURN NULL;")),
    Fault("a long queue", "WRK-06", "fail",
          *_jobs(100, f"'retrying', now(), NULL, now() + interval '1 day', NULL, NULL, {_NOT_SWEPT}")),
    Fault("a dead letter", "WRK-07", "warn", *_letter()),
    Fault("a dozen dead letters at once", "WRK-07", "fail",
          *_jobs(12, f"'dead', now(), now(), NULL, NULL, NULL, {_NOT_SWEPT}")),
    Fault("workers that write for people", "WRK-08", "fail", *console(), also=("API-08",)),
    Fault("a lost job", "WRK-10", "fail",
          *_jobs(1, f"'running', now(), NULL, NULL, now() - interval '1 minute', 'worker-9', {_NOT_SWEPT}")),
    Fault("workers alive and idle", "WRK-11", "fail", *_idle(), also=("WRK-03",), within=90),
)  # fmt: skip
