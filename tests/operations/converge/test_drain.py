"""How long a stopping worker's job may go on, and what is said about it."""

from dataclasses import replace

import pytest

from tradebot_ops.operations.converge.drain import promise
from tradebot_ops.stack.model import Service

WORKER = Service("worker", "w", ("work",), environment={"WORKER_GRACE_SECONDS": "45"})


@pytest.mark.parametrize(
    ("service", "drain", "said"),
    [
        (WORKER, None, "its job has up to 45 s, then it is handed back"),
        (WORKER, 300, "its job has up to 300 s, then it is handed back"),
        (WORKER, 0, "its job is handed back"),
        (replace(WORKER, environment={}), None, "its job has up to 30 s, then it is handed back"),
        (
            replace(WORKER, environment={"WORKER_GRACE_SECONDS": "?"}),
            1,
            "its job has up to 1 s, then it is handed back",
        ),
    ],
)
def test_what_becomes_of_a_job(service: Service, drain: float | None, said: str) -> None:
    assert promise(service, drain) == said
