"""The dashboard as the API holds it: asked of Prometheus at most once in a few seconds, however many look."""

import asyncio
import time
from pathlib import Path

from services.api.dashboard.definition import read_definition
from services.api.dashboard.panels import dashboard
from services.api.dashboard.prometheus import Prometheus
from services.api.dashboard.schemas import DashboardOut
from services.api.dashboard.window import RANGES, window

KEEP_S = 5.0


class Board:
    """Ready answers by range. Those who ask at the same time share one answer."""

    def __init__(self, file: Path, prometheus: Prometheus) -> None:
        self._file = file
        self._prometheus = prometheus
        self._answers: dict[str, tuple[float, asyncio.Task[DashboardOut]]] = {}

    async def look(self, range_name: str) -> DashboardOut:
        """The dashboard over one of ``RANGES``. Raises :class:`DefinitionError`."""
        asked_at, task = self._answers.get(range_name, (-KEEP_S, None))
        if task is None or (task.done() and time.monotonic() - asked_at >= KEEP_S):
            task = asyncio.create_task(self._ask(range_name))
            self._answers[range_name] = (time.monotonic(), task)
        # Shielded: a reader that leaves does not take the answer away from the others.
        return await asyncio.shield(task)

    async def close(self) -> None:
        await self._prometheus.close()

    async def _ask(self, range_name: str) -> DashboardOut:
        definition = await asyncio.to_thread(read_definition, self._file)
        shown = window(RANGES[range_name], time.time())
        return await dashboard(definition, self._prometheus.ask, shown, range_name)
