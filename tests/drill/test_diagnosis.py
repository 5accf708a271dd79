"""One thing broken at a time on a real stack: `diag explain` names the true cause first, with its evidence; something
harmless that happens beside it changes nothing.

``pytest -n 0 -m drill tests/drill/test_diagnosis.py``
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from tests.drill.faults import Breaking, hung, stopped
from tests.integration.local.test_monitoring import monitored
from tests.integration.tradebot import Tradebot
from tests.waiting import until
from tradebot_ops.context import Ops
from tradebot_ops.settings import load_settings

pytestmark = [
    pytest.mark.integration,
    pytest.mark.drill,
    pytest.mark.xdist_group("drill-diagnosis"),
    pytest.mark.timeout(300),
]

#: What nobody should be woken for.
NOISE = stopped("redis-exporter")
WITHIN_S = 45.0


@dataclass(frozen=True)
class Case:
    cause: str
    breaking: Breaking


CASES = (
    Case("redis-down", stopped("redis")),
    Case("redis-hung", hung("redis")),
    Case("postgres-down", stopped("postgres")),
    Case("postgres-hung", hung("postgres")),
    Case("api-down", stopped("api")),
    Case("api-hung", hung("api")),
    Case("workers-gone", stopped("worker")),
    Case("worker-hung", hung("worker")),
    Case("prometheus-hung", hung("prometheus")),
    Case("prometheus-blind", stopped("prometheus")),
    Case("alertmanager-deaf", stopped("alertmanager")),
    Case("alertmanager-hung", hung("alertmanager")),
)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tradebot]:
    found = monitored(tmp_path_factory.mktemp("diagnosis"))
    try:
        found.ok("up", timeout=300)
        yield found
    finally:
        found.clean()


def explained(stack: Tradebot) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(stack.run("diag", "explain", "--json", timeout=120).stdout)["data"]
    return found


def standing(stack: Tradebot) -> list[str]:
    """Symptoms of now; the share of failed requests looks back over 15 minutes, to the fault before."""
    return [each for each in explained(stack)["symptoms"] if not each.startswith("requests:")]


def first(stack: Tradebot) -> str:
    causes = explained(stack)["causes"]
    return str(causes[0]["name"]) if causes else ""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.cause)
@pytest.mark.parametrize("noise", [False, True], ids=["alone", "with noise"])
def test_the_true_cause_is_ranked_first(stack: Tradebot, case: Case, *, noise: bool) -> None:
    ops = Ops(load_settings({"project": stack.project, "engine": stack.engine}, stack.environment(), stack.cwd))
    until(lambda: not standing(stack), "the stack is well", 90, lambda: str(explained(stack)))
    with ExitStack() as broken:
        if noise:
            broken.enter_context(NOISE(stack, ops))
        broken.enter_context(case.breaking(stack, ops))
        until(lambda: first(stack) == case.cause, f"{case.cause} is first", WITHIN_S, lambda: str(explained(stack)))
        found = explained(stack)["causes"][0]
        assert found["grade"] in {"supported", "likely"}
        assert found["evidence"]
        assert found["mend"].startswith("tradebot ")
