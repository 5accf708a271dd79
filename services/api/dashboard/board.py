"""The dashboard as the API holds it: asked of Prometheus at most once in a few seconds, however many look."""

import asyncio
import time
from pathlib import Path

from services.api.dashboard.definition import read_definition
from services.api.dashboard.panels import dashboard
from services.api.dashboard.prometheus import Prometheus
from services.api.dashboard.schemas import DashboardOut
from services.api.dashboard.window import length_s, window

KEEP_S = 5.0

#: A range, and its end where that is not now.
Asked = tuple[str, int | None]


class Board:
    """Ready answers by range and end. Those who ask at the same time share one answer."""

    def __init__(self, file: Path, prometheus: Prometheus) -> None:
        self._file = file
        self._prometheus = prometheus
        self._answers: dict[Asked, tuple[float, asyncio.Task[DashboardOut]]] = {}

    async def look(self, range_name: str, end: int | None = None) -> DashboardOut:
        """The dashboard over so long a time, until ``end`` (Unix seconds) or now.

        Raises ``ValueError`` for what is no range, and :class:`DefinitionError`.
        """
        seconds = length_s(range_name)
        asked_at, task = self._answers.get((range_name, end), (-KEEP_S, None))
        if task is None or (task.done() and time.monotonic() - asked_at >= KEEP_S):
            self._forget()
            task = asyncio.create_task(self._ask(range_name, seconds, end))
            self._answers[range_name, end] = (time.monotonic(), task)
        # Shielded: a reader that leaves does not take the answer away from the others.
        return await asyncio.shield(task)

    async def close(self) -> None:
        await self._prometheus.close()

    def _forget(self) -> None:
        """Answers that are too old to be given again: anybody may ask for any range."""
        now = time.monotonic()
        for asked, (at, task) in list(self._answers.items()):
            if task.done() and now - at >= KEEP_S:
                del self._answers[asked]

    async def _ask(self, range_name: str, seconds: int, end: int | None) -> DashboardOut:
        definition = await asyncio.to_thread(read_definition, self._file)
        shown = window(seconds, time.time() if end is None else end)
        found = await dashboard(definition, self._prometheus, shown, range_name)
        return found.model_copy(update={"end": end})
