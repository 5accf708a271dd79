"""One thing broken at a time on a real stack: `diag explain` names the true cause first, with its evidence; something
harmless that happens beside it changes nothing; and where the evidence is out of reach no cause is named.

``pytest -n 0 -m drill tests/drill/test_diagnosis.py`` has all of it; ``-m "drill and sample"`` the part that CI runs.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from tests.drill.causes import CASES, Case, noise
from tests.drill.rig import Rig, reporting
from tests.drill.sabotage.fault import ops_of
from tests.integration.tradebot import Tradebot
from tests.waiting import until

pytestmark = [
    pytest.mark.integration,
    pytest.mark.drill,
    pytest.mark.xdist_group("drill-diagnosis"),
    pytest.mark.timeout(600),
]

WITHIN_S = 90.0


@dataclass
class Explained(Rig):
    """A stack that ``diag`` looks at."""

    head: tuple[str, ...] = ("fault", "beside it", "verdict", "evidence")

    def explained(self) -> dict[str, Any]:
        return self._asked("explain")

    def _asked(self, topic: str) -> dict[str, Any]:
        assert self.running is not None
        found: dict[str, Any] = json.loads(self.running.run("diag", topic, "--json", timeout=120).stdout)["data"]
        return found

    def first(self, topic: str = "explain") -> list[str]:
        """The best cause and whatever ties with it."""
        found = self._asked(topic)
        found = found if topic == "explain" else found["causes"]
        return list(found["best"])

    def names(self, cause: str, topic: str) -> bool:
        return self.first(topic) == [cause]

    def well(self) -> bool:
        """The share of slow and failed requests looks back over two minutes, to the fault before."""
        return not self.explained()["symptoms"]

    @contextmanager
    def healthy(self) -> Iterator[Tradebot]:
        """The stack, well before and after; what does not get well is not handed on."""
        stack = self.stack()
        until(self.well, "the stack is well", 240, lambda: str(self.explained()))
        mended = False
        try:
            yield stack
            until(self.well, "the stack is well again", 240, lambda: str(self.explained()))
            mended = True
        finally:
            if not mended:
                self.discard()


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Explained]:
    with reporting(Explained(tmp_path_factory.mktemp("diagnosis")), request) as found:
        yield found


def cases(*, noisy: bool = False, blind: bool = False) -> list[object]:
    return [
        pytest.param(each, id=each.cause, marks=[pytest.mark.sample] if each.sample and not noisy else [])
        for each in CASES
        if each.noisy >= noisy and (each.blind is not None) >= blind
    ]


def test_there_are_enough_of_them() -> None:
    assert len({each.cause for each in CASES}) >= 22
    assert sum(each.noisy for each in CASES) >= 6
    assert sum(each.blind is not None for each in CASES) >= 3


@pytest.mark.parametrize("case", cases())
def test_the_true_cause_is_ranked_first(rig: Explained, case: Case) -> None:
    named_first(rig, case, ())


@pytest.mark.parametrize("case", cases(noisy=True))
def test_so_it_is_beside_what_is_unrelated(rig: Explained, case: Case) -> None:
    named_first(rig, case, (noise,))


def named_first(rig: Explained, case: Case, beside: tuple[Any, ...]) -> None:
    with rig.healthy() as stack, ExitStack() as broken:
        ops = ops_of(stack)
        for each in (*beside, case.breaking):
            broken.enter_context(each(stack, ops))
        for topic in ("explain", "full"):
            look = partial(rig.names, case.cause, topic)
            until(look, f"{case.cause} is first in {topic}", WITHIN_S, lambda: str(rig.explained()))
        found = rig.explained()
        (cause,) = [each for each in found["causes"] if each["name"] == case.cause]
        rig.table.append((case.cause, "noise" if beside else "", found["verdict"], "; ".join(cause["evidence"])))
        assert cause["grade"] in {"supported", "likely"}
        assert cause["evidence"]


@pytest.mark.parametrize("case", cases(blind=True))
def test_with_the_evidence_out_of_reach_it_is_inconclusive(rig: Explained, case: Case) -> None:
    assert case.blind is not None
    with rig.healthy() as stack, ExitStack() as broken:
        ops = ops_of(stack)
        broken.enter_context(case.breaking(stack, ops))
        broken.enter_context(case.blind(stack, ops))
        until(lambda: rig.first() == [], "no cause is named", WITHIN_S, lambda: str(rig.explained()))
        found = rig.explained()
        rig.table.append((case.cause, "evidence out of reach", found["verdict"], f"missing: {found['missing'][0]}"))
        assert case.cause in found["not_examined"]
        assert found["verdict"].startswith("Inconclusive")
