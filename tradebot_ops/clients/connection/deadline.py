"""One deadline for a whole question. Libraries bound each read of a socket, and a lookup of a name not at all."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def _nothing() -> None:
    """There is nothing to end."""


def within(seconds: float, ask: Callable[[], T], give_up: Callable[[], None] = _nothing) -> T:
    """Result of ``ask``, or what it raises. Raises ``TimeoutError`` after ``seconds``, once ``give_up`` has returned.

    ``ask`` runs in a thread of its own, which nobody can end from outside: ``give_up`` closes what it waits for. The
    thread never holds up the end of the process.
    """
    answer: Future[T] = Future()

    def run() -> None:
        try:
            answer.set_result(ask())
        except BaseException as error:  # noqa: BLE001 - raised again where the answer is awaited
            answer.set_exception(error)

    threading.Thread(target=run, name="question", daemon=True).start()
    try:
        return answer.result(seconds)
    except TimeoutError:
        give_up()
        raise
