"""Stage 4 broken on purpose."""

import threading
import uuid
from collections.abc import Callable
from contextlib import suppress

import httpx

from tests.drill.faults import frozen, processes
from tests.drill.sabotage.fault import Act, Fault, editing, hanging, ops_of, sql, stopping
from tests.drill.sabotage.workers import console
from tests.integration.tradebot import Tradebot
from tests.waiting import until

_MIDDLEWARE = "services/api/middleware/metrics.py"
_FROM_SOURCE = "Containers run the code of their image."
#: Asked of the ledger for every list of jobs, and for nothing that health is asked of.
_COLUMN = "progress"


def _base(stack: Tradebot) -> str:
    return f"http://{ops_of(stack).engine.endpoint('api', 8010)}"


def _answers(stack: Tradebot) -> bool:
    with suppress(httpx.HTTPError):
        return httpx.get(f"{_base(stack)}/health", timeout=5, trust_env=False).status_code == 200
    return False


def _restart(stack: Tradebot) -> None:
    stack.ok("restart", "api")
    until(lambda: _answers(stack), "the API answers")


def _with_code(path: str, old: str, new: str, then: Callable[[Tradebot], None] = lambda stack: None) -> tuple[Act, Act]:
    """The API runs with another line, and does something with it."""
    change, back = editing(path, old, new)

    def inject(stack: Tradebot) -> None:
        change(stack)
        _restart(stack)
        then(stack)

    def mend(stack: Tradebot) -> None:
        back(stack)
        _restart(stack)

    return inject, mend


def _ask_for_jobs(stack: Tradebot) -> None:
    for _ in range(3):
        httpx.get(f"{_base(stack)}/jobs/{uuid.uuid4()}", timeout=5, trust_env=False)


def _unrecorded(acts: tuple[Act, Act]) -> tuple[Act, Act]:
    """While Prometheus is away: the API itself is asked, and nothing of it is remembered for 15 minutes."""
    stop, start = stopping("prometheus")

    def inject(stack: Tradebot) -> None:
        stop(stack)
        acts[0](stack)

    def mend(stack: Tradebot) -> None:
        acts[1](stack)
        _restart(stack)
        start(stack)

    return inject, mend


def _slow() -> tuple[Act, Act]:
    """The API stands still for most of each 1.3 s."""
    ended = threading.Event()
    threads: list[threading.Thread] = []

    def stutter(stack: Tradebot) -> None:
        of_api = processes(stack, "api-1")
        while not ended.is_set():
            with frozen(of_api):
                ended.wait(1.25)
            ended.wait(0.05)

    def inject(stack: Tradebot) -> None:
        ended.clear()
        threads.append(threading.Thread(target=stutter, args=(stack,), daemon=True))
        threads[-1].start()

    def mend(_stack: Tradebot) -> None:
        ended.set()
        threads.pop().join(5)

    return inject, mend


FAULTS = (
    Fault("the API stopped, asked by its stage", "API-01", "error", *stopping("api")),
    Fault("an API that hangs", "API-01", "error", *hanging("api-1")),
    Fault("a label under another name", "API-03", "fail",
          *_with_code("services/common/metrics.py", '("method", "endpoint"),\n        buckets=HTTP_BUCKETS',
                      '("method", "path"),\n        buckets=HTTP_BUCKETS'), local=_FROM_SOURCE),
    Fault("a counter that stands still", "API-04", "fail",
          *_with_code(_MIDDLEWARE, "self._total.labels(method, endpoint, status).inc()", "pass"), local=_FROM_SOURCE),
    Fault("requests counted by address", "API-05", "fail",
          *_with_code(_MIDDLEWARE, 'getattr(scope.get("route"), "path", UNMATCHED)', 'str(scope["path"])',
                      _ask_for_jobs), local=_FROM_SOURCE),
    Fault("a slow API", "API-06", "fail", *_unrecorded(_slow()), also=("API-01", "API-02", "API-04", "API-08")),
    Fault("requests that fail", "API-07", "fail",
          *_unrecorded((sql(f"ALTER TABLE job RENAME COLUMN {_COLUMN} TO away"),
                        sql(f"ALTER TABLE job RENAME COLUMN away TO {_COLUMN}")))),
    Fault("logs for people", "API-08", "fail", *console()),
    Fault("jobs for everybody", "API-09", "fail",
          *_with_code("services/api/routes/jobs.py", "status_code=202, dependencies=[WithApiKey]", "status_code=202"),
          local=_FROM_SOURCE),
)  # fmt: skip
