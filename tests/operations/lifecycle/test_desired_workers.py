"""When the number of wanted workers is published again: where it is not sure that Redis has it."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.operations.lifecycle.desired_workers import outdated, publish
from tradebot_ops.records import WorkersTold
from tradebot_ops.settings import load_settings
from tradebot_ops.stack.plan import Action, Plan, Step

COMPOSE = """
services:
  redis: {image: "redis:1"}
  worker: {image: "worker:1", deploy: {replicas: 2}, x-tradebot: {scalable: true}}
"""
BOTH = ("redis", "worker")
SAME, REDIS_ANEW, WORKER_ANEW = (
    Plan(((Step(Action.NOTHING, "redis", 1, ""), Step(Action.NOTHING, "worker", 1, "")),)),
    Plan(((Step(Action.RECREATE, "redis", 1, "its description changed"),),)),
    Plan(((Step(Action.RECREATE, "worker", 1, "its description changed"),),)),
)


def made(folder: Path, text: str = COMPOSE) -> Ops:
    (folder / "compose.yaml").write_text(text)
    return Ops(load_settings({"project": "demo"}, {"TRADEBOT_STATE": str(folder)}, folder), StubEngine("demo"))


@pytest.mark.parametrize(
    ("known", "wanted", "planned", "expected"),
    [
        (2, BOTH, SAME, False),
        (2, BOTH, WORKER_ANEW, False),
        (2, BOTH, REDIS_ANEW, True),
        (3, BOTH, SAME, True),
        (None, BOTH, SAME, True),
        (None, ("worker",), REDIS_ANEW, False),
        (None, ("redis",), REDIS_ANEW, False),
    ],
)
def test_outdated(tmp_path: Path, known: int | None, wanted: tuple[str, ...], planned: Plan, expected: bool) -> None:
    ops = made(tmp_path)
    ops.state.store(WorkersTold(known))
    assert outdated(ops, wanted, planned) is expected


def test_while_it_is_published_the_old_number_is_not_sure(tmp_path: Path) -> None:
    ops = made(tmp_path)
    ops.state.store(WorkersTold(2))
    known: list[int | None] = []
    vars(ops)["redis"] = SimpleNamespace(
        desire_workers=lambda count: known.extend([ops.state.load(WorkersTold).workers, count])
    )
    assert publish(ops, 3) == ()
    assert (known, ops.state.load(WorkersTold).workers) == ([None, 3], 3)


def test_a_stack_without_redis_publishes_nothing(tmp_path: Path) -> None:
    ops = made(tmp_path, "services:\n  worker: {image: 'worker:1'}\n")
    vars(ops)["redis"] = None
    assert publish(ops, 3) == ()
