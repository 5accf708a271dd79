"""What the job's process does with an order, and what it answers; the line, the store and the parent stand in here."""

import ctypes
import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import psycopg
import pytest
import structlog

from services.common.jobtypes import (
    BreakerOpen,
    InParts,
    JobCancelled,
    JobType,
    LeaseLost,
    Parts,
    Payload,
    Quarantined,
    Registry,
)
from services.worker import child
from services.worker.child import IDLE_S, LONGEST_MESSAGE, LONGEST_TRACEBACK, Child
from services.worker.context import ChildContext


class Size(Payload):
    size: int = 0


class Line:
    """The parent's end: gives these orders, then closes; ``quiet`` at first for longer than one waits."""

    def __init__(self, *orders: dict[str, Any], quiet: bool = False) -> None:
        self.orders, self.quiet = list(orders), quiet
        self.polls: list[float | None] = []
        self.said: list[dict[str, Any]] = []
        self.fails: Exception | None = None

    def poll(self, timeout_s: float | None) -> bool:
        self.polls.append(timeout_s)
        self.quiet, quiet = False, self.quiet
        return not quiet

    def recv_bytes(self) -> bytes:
        if not self.orders:
            raise EOFError
        return json.dumps(self.orders.pop(0)).encode()

    def send_bytes(self, content: bytes) -> None:
        assert blocked(), "a SIGTERM now would leave half a message on the line"
        if self.fails:
            raise self.fails
        self.said.append(json.loads(content))


class Store:
    lost = False

    def __init__(self) -> None:
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Callable[[], None]:
        return lambda: self.calls.append(name)


def blocked() -> bool:
    return signal.SIGTERM in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def order(name: str = "report", **more: Any) -> dict[str, Any]:
    given = {"id": "id", "lease_token": 7, "type": name, "version": 3, "payload": {}, "part": None, "parts": None}
    return given | {"log": {"job_id": "id", "job_type": name}} | more


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    """The handlers of this process as they were."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def does(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Give the job type ``report``, in its third version, which does the jobs of its second, too; and another one."""

    def make(run: Callable[..., Any], **more: Any) -> None:
        report = JobType("report", 3, Size, run, accepts=(2,), **more)
        types = {"report": report, "other": JobType("other", 3, Size, run)}
        broken = (Quarantined("fine", "no"), Quarantined("broken", "ImportError: gone"))
        monkeypatch.setattr(child, "registry", lambda: Registry(types, broken))

    make(lambda _, payload: {"size": payload.size})
    return make


def serve(*orders: dict[str, Any], store: Store | None = None, **more: Any) -> list[dict[str, Any]]:
    """What was answered, after the word that it is ready."""
    line = Line(*orders, **more)
    Child(cast("Any", line), cast("Any", store or Store()), cast("Any", None)).serve()
    assert line.said[0] == {"kind": "ready"}
    return line.said[1:]


def failed(name: str = "report", *, store: Store | None = None, **more: Any) -> dict[str, Any]:
    (answer,) = serve(order(name, **more), store=store)
    assert answer["kind"] == "failed"
    return answer


def raises(error: BaseException) -> Callable[..., Any]:
    def run(*_: Any) -> Any:
        raise error

    return run


# Serving


@pytest.mark.usefixtures("does")
def test_one_order_after_another_until_the_line_closes() -> None:
    store = Store()
    answers = serve(order(payload={"size": 1}), order(payload={"size": 2}), store=store)
    assert answers == [{"kind": "done", "result": {"size": size}} for size in (1, 2)]
    assert store.calls == ["discard_if_dead", "tidy"] * 2, "nothing of one job is left to the next"


@pytest.mark.usefixtures("does")
@pytest.mark.parametrize(
    ("quiet", "polls", "calls"),
    [(False, [IDLE_S] * 2, []), (True, [IDLE_S, None, IDLE_S], ["close"])],
)
def test_an_idle_process_occupies_no_connection(quiet: bool, polls: list[float | None], calls: list[str]) -> None:
    line, store = Line(order(), quiet=quiet), Store()
    Child(cast("Any", line), cast("Any", store), cast("Any", None)).serve()
    assert (line.polls, store.calls) == (polls, [*calls, "discard_if_dead", "tidy"])


def test_a_job_gets_its_context_and_the_lines_of_its_log_name_it(does: Callable[..., None]) -> None:
    seen: list[Any] = []

    def run(context: Any, _: object) -> dict[str, Any]:
        context.progress(0.5, "half")
        seen.extend([context.job_id, vars(context)["_lease_token"], context._shared()])
        seen.append(structlog.contextvars.get_contextvars())
        return {}

    does(run)
    line, store, shared = Line(order()), Store(), object()
    Child(cast("Any", line), cast("Any", store), cast("Any", lambda: shared)).serve()
    assert line.said[1:] == [{"kind": "progress", "fraction": 0.5, "note": "half"}, {"kind": "done", "result": {}}]
    assert seen == ["id", 7, shared, {"job_id": "id", "job_type": "report"}]
    assert structlog.contextvars.get_contextvars() == {}


def test_a_handler_that_a_job_left_behind_does_not_keep_the_next_from_its_end(does: Callable[..., None]) -> None:
    def run(*_: Any) -> dict[str, Any]:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        return {}

    does(run)
    process = Child(cast("Any", Line(order())), cast("Any", Store()), cast("Any", None))
    process.serve()
    assert signal.getsignal(signal.SIGTERM) == process._on_terminate


def test_a_signal_cancels_the_job_once_and_ends_an_idle_process(does: Callable[..., None]) -> None:
    heard: list[str] = []

    def run(context: Any, _: object) -> dict[str, Any]:
        for _ in range(2):
            try:
                os.kill(os.getpid(), signal.SIGTERM)
            except JobCancelled:
                heard.append("cancelled")
        context.check_cancelled()
        return {}

    does(run)
    line = Line(order())
    process = Child(cast("Any", line), cast("Any", Store()), cast("Any", None))
    process.serve()
    assert (line.said[1:], heard) == ([{"kind": "cancelled"}], ["cancelled"])
    with pytest.raises(SystemExit) as end:
        os.kill(os.getpid(), signal.SIGTERM)
    assert end.value.code == 0


def test_a_line_that_breaks_leaves_no_signal_blocked() -> None:
    line = Line()
    line.fails = OSError("broken")
    with pytest.raises(OSError, match="broken"):
        Child(cast("Any", line), cast("Any", Store()), cast("Any", None)).serve()
    assert not blocked()


# Runs


@pytest.mark.usefixtures("does")
@pytest.mark.parametrize("version", [2, 3])
def test_a_job_of_a_version_that_is_accepted_runs(version: int) -> None:
    assert serve(order(version=version)) == [{"kind": "done", "result": {"size": 0}}]


ANOTHER = (
    "of report, and this worker runs version 3. Submit it anew, or restart the workers where they are the older ones."
)


@pytest.mark.usefixtures("does")
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"name": "broken"}, "This worker knows no job type 'broken'. It is in quarantine: ImportError: gone"),
        ({"name": "nope"}, "This worker knows no job type 'nope'. It knows report, other."),
        ({"version": 1}, f"The job is of version 1 {ANOTHER}"),
        ({"version": 4}, f"The job is of version 4 {ANOTHER}"),
        ({"payload": {"wide": 1}}, "The payload does not fit report: wide: is not a parameter here."),
        ({"parts": 2, "part": 0}, "The job is done in parts, and report has none on this worker."),
    ],
)
def test_what_cannot_run_is_said_in_a_sentence_and_not_tried_again(wrong: dict[str, Any], message: str) -> None:
    answer = failed(**wrong)
    assert (answer["message"], answer["type"], answer["final"], answer["traceback"]) == (
        message,
        "JobFailure",
        True,
        "",
    )
    assert (answer["lost_store"], answer["wait_s"]) == (False, None)


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (None, "report returned NoneType; a job's result is a dict"),
        ([1], "report returned list; a job's result is a dict"),
        ({"metrics": {"sharpe": float("nan")}}, "result metrics.sharpe is NaN or infinite, which JSON does not have"),
        ({"equity": [1.0, float("inf")]}, "result equity[1] is NaN or infinite, which JSON does not have"),
        (
            {"a": 1, "b": ({}, (2.0, {7: float("-inf")}))},
            "result b[1][1].7 is NaN or infinite, which JSON does not have",
        ),
        ({"x": object()}, "Object of type object is not JSON serializable"),
    ],
)
def test_a_result_that_cannot_be_kept_is_refused_where_its_type_is_known(
    does: Callable[..., None], result: object, message: str
) -> None:
    does(lambda *_: result)
    assert failed()["message"] == message


def test_a_circle_is_no_number_that_json_lacks(does: Callable[..., None]) -> None:
    circle: dict[str, Any] = {}
    circle["again"] = circle
    does(lambda *_: circle)
    assert failed()["message"] == "Circular reference detected"


@pytest.mark.parametrize(
    ("length", "message"),
    [(100, None), (101, "The result of report is 101 bytes long; at most 100 are kept.")],
)
def test_a_result_has_a_length_that_it_may_have(
    does: Callable[..., None], monkeypatch: pytest.MonkeyPatch, length: int, message: str | None
) -> None:
    monkeypatch.setattr(child, "LARGEST_RESULT", 100)
    does(lambda *_: {"text": "x" * (length - len('{"text": ""}'))})
    (answer,) = serve(order())
    assert answer.get("message") == message


# Parts


def in_parts(count: int) -> Callable[..., Any]:
    return raises(InParts(count))


PARTS = Parts(
    run=lambda _, payload, number, count: {"part": [payload.size, number, count]},
    join=lambda _, payload, results: {"joined": [payload.size, *results]},
)


def test_a_job_may_ask_to_be_done_in_parts_where_its_type_has_them(does: Callable[..., None]) -> None:
    does(in_parts(5), parts=PARTS)
    assert serve(order()) == [{"kind": "parted", "count": 5}]
    refused = "report cannot be done in parts, or its parts in smaller ones"
    does(in_parts(5))
    assert failed()["message"] == refused
    does(in_parts(5), parts=Parts(run=in_parts(2), join=PARTS.join))
    assert failed(part=0, parts=2)["message"] == refused


def test_one_part_knows_which_it_is(does: Callable[..., None]) -> None:
    does(in_parts(5), parts=PARTS)
    answers = serve(*(order(part=part, parts=2, payload={"size": 4}) for part in (0, 1)))
    assert answers == [{"kind": "done", "result": {"part": [4, part, 2]}} for part in (0, 1)]


def test_the_whole_is_made_of_the_results_of_all_its_parts(
    does: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ChildContext, "results", lambda _: [{"n": 0}, {"n": 1}])
    does(in_parts(5), parts=PARTS)
    assert serve(order(parts=2, payload={"size": 4})) == [
        {"kind": "done", "result": {"joined": [4, {"n": 0}, {"n": 1}]}}
    ]
    assert failed(parts=5)["message"] == "Results of 3 of 5 parts are gone. Replay the job."


# Failures


def test_a_failure_carries_its_first_words_its_traceback_and_its_fingerprint(does: Callable[..., None]) -> None:
    def run(*_: Any) -> Any:
        raise ValueError("two\n  lines")

    does(run)
    first, second = failed(), failed()
    assert (first["type"], first["message"], first["final"]) == ("ValueError", "two lines", False)
    assert "in run" in first["traceback"]
    assert first["traceback"].endswith("ValueError: two\n  lines\n")
    assert first["fingerprint"] == second["fingerprint"]
    assert (first["lost_store"], first["wait_s"]) == (False, None)


def test_a_failure_without_words_is_named_for_its_kind(does: Callable[..., None]) -> None:
    does(raises(SystemExit()))
    assert failed()["message"] == "SystemExit"


def test_of_a_long_failure_the_beginning_of_its_message_and_the_end_of_its_traceback_are_kept(
    does: Callable[..., None],
) -> None:
    does(raises(ValueError("a" + "x" * LONGEST_TRACEBACK + "z")))
    answer = failed()
    assert answer["message"] == "a" + "x" * (LONGEST_MESSAGE - 1)
    assert (len(answer["traceback"]), answer["traceback"][-2:]) == (LONGEST_TRACEBACK, "z\n")


@pytest.mark.parametrize(("final", "ends"), [((ValueError,), True), ((KeyError,), False), ((), False)])
def test_a_type_knows_which_of_its_failures_would_come_again(
    does: Callable[..., None], final: tuple[type[Exception], ...], ends: bool
) -> None:
    does(raises(ValueError("no")), final=final)
    assert failed()["final"] is ends


@pytest.mark.parametrize(
    ("error", "lost", "stack"),
    [
        (psycopg.OperationalError("gone"), True, True),
        (psycopg.OperationalError("gone"), False, False),
        (ValueError("mine"), True, False),
    ],
)
def test_postgres_is_to_blame_where_its_connection_was_lost_with_its_error(
    does: Callable[..., None], error: Exception, lost: bool, stack: bool
) -> None:
    does(raises(error))
    store = Store()
    store.lost = lost
    assert failed(store=store)["lost_store"] is stack


def test_a_job_that_a_breaker_stopped_waits_for_it(does: Callable[..., None]) -> None:
    does(raises(BreakerOpen("exchange", 30.0)))
    answer = failed()
    assert (answer["fingerprint"], answer["wait_s"]) == ("breaker-exchange", 30.0)


def test_a_job_of_another_worker_is_lost(does: Callable[..., None]) -> None:
    does(raises(LeaseLost()))
    assert serve(order()) == [{"kind": "lost"}]


# The process


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What is asked of the kernel; our parent is 7, the files of the process cannot be written."""
    asked: list[tuple[Any, ...]] = []

    def write(path: os.PathLike[str], text: str, encoding: str) -> None:
        asked.append((str(path), text))
        raise PermissionError

    libc = SimpleNamespace(prctl=lambda *words: asked.append(("prctl", *words)))
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: libc)
    monkeypatch.setattr(os, "getppid", lambda: 7)
    monkeypatch.setattr(os, "kill", lambda *words: asked.append(("kill", *words)))
    monkeypatch.setattr(Path, "write_text", write)
    return asked


@pytest.mark.parametrize(
    ("parent", "kills"), [(7, []), (8, [("kill", os.getpid(), signal.SIGKILL)])], ids=["alive", "gone already"]
)
def test_it_dies_with_its_parent_and_before_the_worker_where_memory_is_short(
    kernel: list[tuple[Any, ...]], parent: int, kills: list[tuple[Any, ...]]
) -> None:
    child.die_with(parent)
    assert kernel == [("prctl", 1, signal.SIGKILL), *kills, ("/proc/self/oom_score_adj", "500")]


@pytest.mark.usefixtures("kernel", "does")
def test_it_serves_on_the_line_that_its_command_names(monkeypatch: pytest.MonkeyPatch) -> None:
    line, shared = Line(), []
    settings = SimpleNamespace(exchange_address="192.0.2.1")
    redis = SimpleNamespace(register_script=lambda _: None)
    made: list[Any] = []

    def connection(number: int) -> Line:
        made.append(number)
        return line

    def store(given: object) -> Store:
        assert given is settings
        return Store()

    monkeypatch.setattr(child, "Settings", lambda: settings)
    monkeypatch.setattr(child, "configure_logging", made.append)
    monkeypatch.setattr(child, "redactor_for", lambda given: SimpleNamespace(text=("redactor of", given)))
    monkeypatch.setattr("services.common.redis_client.redis_client", lambda given: given is settings and redis)
    monkeypatch.setattr(child, "Connection", connection)
    monkeypatch.setattr(child, "Store", store)
    monkeypatch.setattr(Child, "serve", lambda self: shared.append((self, signal.getsignal(signal.SIGINT))))
    assert child.main(9, 7) == 0
    ((process, on_interrupt),) = shared
    assert made == [settings, 9]
    assert on_interrupt is signal.SIG_IGN, "a Ctrl-C is the worker's"
    found = process._shared()
    assert found is process._shared(), "one connection to Redis for all jobs"
    assert (found.redis, found.address) == (redis, "192.0.2.1")
    assert (found.breakers._client, found.breakers._redact) == (redis, ("redactor of", settings))
