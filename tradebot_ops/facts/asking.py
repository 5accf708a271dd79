"""Ask facts in parallel, each within its own deadline; what hangs holds up nobody else."""

import logging
import math
import threading
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError, Unreachable
from tradebot_ops.facts.fact import Answer, Effect, Fact, NotApplicable, NotHere, Skip, T, Unknown

log = logging.getLogger(__name__)

_WITHOUT = {
    Effect.WRITES: "it would write, and --offline forbids that",
    Effect.CANARY: "it would submit jobs, and --no-canary or --offline forbids that",
    Effect.ALERT: "it would raise an alert, and --offline forbids that",
}


@dataclass
class _Question:
    """One fact being asked. ``began`` is when its own time started, after what it depends on was known."""

    done: threading.Event = field(default_factory=threading.Event)
    answer: Any = None
    began: float | None = None
    ended: float | None = None


class Facts:
    """The answers of one run. Safe to use from several threads.

    ``without`` names effects that nothing may have. ``within`` is how many seconds all of them may take together, from
    now on: for a screen that a person waits for. Threads are daemons, one for each question: a source that never
    answers keeps neither the others nor the end of the process waiting.
    """

    def __init__(self, ops: Ops, without: Collection[Effect] = (), within: float = math.inf) -> None:
        self._ops = ops
        self._without = frozenset(without)
        self._within, self._end = within, time.monotonic() + within
        self._questions: dict[Fact[Any], _Question] = {}
        self._changed = threading.Condition()

    def start(self, facts: Iterable[Fact[Any]]) -> None:
        """Ask all of these that nobody asked yet, and what they depend on; returns at once."""
        for fact in facts:
            self._question(fact)

    def value(self, fact: Fact[T]) -> Answer[T]:
        """The answer, asked for now if nobody did before. Waits for it, at most until its deadline."""
        question = self._question(fact)
        while not question.done.wait(self._left(fact, question)):
            if self._overdue(fact, question):
                self._settle(question, Unknown(f"{fact.name} was not known within {self._most(fact):g} s."))
        answer: Answer[T] = question.answer
        return answer

    def required(self, fact: Fact[T]) -> T:
        """The answer, for a screen that has nothing to show without it.

        Raises ``OpsError``: what asking raised, or TB-0607 when it took too long or there is nothing to ask.
        """
        answer = self.value(fact)
        if isinstance(answer, Unknown):
            raise answer.error or Unreachable(answer.why, code="TB-0607", hint=answer.hint or "tradebot status")
        if isinstance(answer, NotHere):
            raise Unreachable(answer.why, code="TB-0607", hint="tradebot status")
        return answer

    def known(self, fact: Fact[Any]) -> bool:
        """Whether ``value`` would return at once."""
        question = self._question(fact)
        return question.done.is_set() or self._overdue(fact, question)

    def seconds(self, fact: Fact[Any]) -> float:
        """How long it took to ask, without what it depends on."""
        question = self._questions.get(fact)
        if question is None or question.began is None:
            return 0.0
        return (question.ended or time.monotonic()) - question.began

    def wait(self, seconds: float) -> None:
        """Return when some answer came, or a moment passed in which one may have become overdue."""
        with self._changed:
            self._changed.wait(min(seconds, 0.1))

    def _question(self, fact: Fact[Any]) -> _Question:
        with self._changed:
            if fact in self._questions:
                return self._questions[fact]
            question = self._questions[fact] = _Question()
        for other in (*fact.of, *fact.perhaps):
            self._question(other)
        threading.Thread(target=self._ask, args=(fact, question), daemon=True, name=f"fact {fact.name}").start()
        return question

    def _ask(self, fact: Fact[Any], question: _Question) -> None:
        if fact.effect in self._without:
            self._settle(question, NotHere(Skip.OFFLINE, f"Not asked: {_WITHOUT[fact.effect]}."))
            return
        values = [self.value(other) for other in fact.of]
        lacking = next((value for value in values if isinstance(value, Unknown | NotHere)), None)
        if lacking is None:
            values += [self.value(other) for other in fact.perhaps]
        question.began = time.monotonic()
        self._settle(question, self._answer(fact, values) if lacking is None else lacking)

    def _answer(self, fact: Fact[Any], values: list[Any]) -> Any:
        try:
            return fact.ask(self._ops, *values)
        except NotApplicable as nothing:
            return nothing.answer
        except OpsError as error:
            return Unknown(error.message, error.hint, error)
        except Exception as error:
            # A fault of one fact is that fact's alone: the others are asked, and nobody takes it for an answer.
            log.debug("fact %s failed", fact.name, exc_info=True)
            return Unknown(f"{fact.name} failed: {type(error).__name__}: {error}.", "Run the command again with -vv.")

    def _settle(self, question: _Question, answer: Any) -> None:
        with self._changed:
            if not question.done.is_set():
                question.answer, question.ended = answer, time.monotonic()
                question.done.set()
            self._changed.notify_all()

    def _most(self, fact: Fact[Any]) -> float:
        return min(fact.seconds, self._within)

    def _left(self, fact: Fact[Any], question: _Question) -> float:
        """Seconds until the deadline; a short while as long as the question waits for others."""
        if question.began is None:
            return max(0.0, min(0.1, self._end - time.monotonic()))
        return max(0.0, self._deadline(fact, question) - time.monotonic())

    def _overdue(self, fact: Fact[Any], question: _Question) -> bool:
        return time.monotonic() >= self._deadline(fact, question)

    def _deadline(self, fact: Fact[Any], question: _Question) -> float:
        own = math.inf if question.began is None else question.began + fact.seconds
        return min(own, self._end)
