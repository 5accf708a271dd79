"""A view of an engine that cannot act: planning looks through it, so that a plan proves that it changes nothing."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NoReturn

from tradebot_ops.engines.base import (
    Address,
    Engine,
    Event,
    ExecResult,
    HasImages,
    ImageFacts,
    LogLine,
    LogQuery,
    Progress,
    Replica,
    Stats,
)
from tradebot_ops.errors import OpsError
from tradebot_ops.stack.model import Stack
from tradebot_ops.text.labels import label


class ReadOnly:
    """Keeps ``Engine``: what looks is passed on, what could change something raises ``OpsError`` TB-0903.

    Nothing is passed on that is not written here, so a new verb of an engine cannot act through it either.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.name = engine.name

    # What looks

    def list(self) -> tuple[Replica, ...]:
        return self._engine.list()

    def logs(self, query: LogQuery) -> Iterator[LogLine]:
        return self._engine.logs(query)

    def stats(self, replicas: Sequence[Replica], *, cpu: bool = True) -> tuple[Stats, ...]:
        return self._engine.stats(replicas, cpu=cpu)

    def events(self, since: datetime | None = None, *, follow: bool = False) -> Iterator[Event]:
        return self._engine.events(since, follow=follow)

    def endpoint(self, service: str, port: int, number: int = 1) -> Address:
        return self._engine.endpoint(service, port, number)

    def image_facts(self, stack: Stack) -> ImageFacts:
        """Nothing is the matter with images where there are none."""
        return self._engine.image_facts(stack) if isinstance(self._engine, HasImages) else ImageFacts()

    # What acts, or could

    def prepare(self, stack: Stack, progress: Progress) -> None:
        refuse("prepare", stack.project)

    def apply(self, stack: Stack, service: str, number: int) -> Replica:
        refuse("apply", label(service, number))

    def stop(self, replica: Replica, grace: float) -> None:
        refuse("stop", replica.name)

    def signal(self, replica: Replica, name: str) -> None:
        refuse("signal", replica.name)

    def remove(self, replica: Replica) -> None:
        refuse("remove", replica.name)

    def destroy(self, stack: Stack | None, *, volumes: bool) -> tuple[str, ...]:
        refuse("destroy", "the project")

    def exec(self, replica: Replica, command: Sequence[str], *, timeout: float | None = 30) -> ExecResult:
        refuse("exec in", replica.name)


def refuse(verb: str, subject: str) -> NoReturn:
    raise OpsError(
        f"A view that only looks was asked to {verb} {subject}.",
        code="TB-0903",
        hint="This is a mistake in tradebot: a plan must not change anything. Please report it.",
    )
