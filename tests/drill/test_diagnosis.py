"""One thing broken at a time on a real stack: `diag explain` names the true cause first, with its evidence; something
harmless that happens beside it changes nothing; and where the evidence is out of reach no cause is named.

``pytest -n 0 -m drill tests/drill/test_diagnosis.py`` has all of it; ``-m "drill and sample"`` the part that CI runs.
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.drill.causes import CASES, Case, noise
from tests.drill.sabotage.fault import ops_of
from tests.integration.local.test_monitoring import monitored
from tests.integration.tradebot import Tradebot
from tests.paths import ROOT
from tests.waiting import until

pytestmark = [
    pytest.mark.integration,
    pytest.mark.drill,
    pytest.mark.xdist_group("drill-diagnosis"),
    pytest.mark.timeout(600),
]

WITHIN_S = 90.0
_LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "*cache*", "*.egg-info")
#: How busy the host is with other work at this moment is no fault of the stack.
_HOSTS_OWN = {"host-short-of-processors", "host-short-of-memory"}
#: The share of slow and failed requests looks back over 15 minutes, to the fault before.
_LOOKS_BACK = "requests:"


@dataclass
class Rig:
    """One stack for many faults, made when first asked for, and anew once a mend did not make it well."""

    folder: Path
    table: list[tuple[str, ...]] = field(default_factory=list)
    running: Tradebot | None = None
    count: int = 0

    def stack(self) -> Tradebot:
        if self.running is None:
            self.count += 1
            here = self.folder / f"{self.count}"
            self.running = monitored(here / "home")
            # Faults edit files.
            self.running.cwd = Path(shutil.copytree(ROOT, here / "files", ignore=_LEFT_OUT))
            self.running.ok("up", timeout=300)
        return self.running

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
        sure = [each["name"] for each in found["causes"] if each["grade"] != "inconclusive"]
        best = [name for name in found["best"] if name not in _HOSTS_OWN]
        return best or [name for name in sure if name not in _HOSTS_OWN][:1]

    def names(self, cause: str, topic: str) -> bool:
        return self.first(topic) == [cause]

    def well(self) -> bool:
        return not [each for each in self.explained()["symptoms"] if not each.startswith(_LOOKS_BACK)]

    def discard(self) -> None:
        if self.running is not None:
            self.running.clean()
        self.running = None

    @contextmanager
    def healthy(self) -> Iterator[Tradebot]:
        """The stack, well before and after; what does not get well is not handed on."""
        stack = self.stack()
        until(self.well, "the stack is well", 120, lambda: str(self.explained()))
        mended = False
        try:
            yield stack
            until(self.well, "the stack is well again", 120, lambda: str(self.explained()))
            mended = True
        finally:
            if not mended:
                self.discard()

    def write(self) -> str:
        head = ("fault", "beside it", "verdict", "evidence")
        rows = [head, ("---",) * len(head), *self.table]
        text = "\n".join("| " + " | ".join(row) + " |" for row in rows) + "\n"
        (self.folder / "diagnosis.md").write_text(text, encoding="utf-8")
        return text


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Rig]:
    found = Rig(tmp_path_factory.mktemp("diagnosis"))
    try:
        yield found
    finally:
        found.discard()
        capture = request.config.pluginmanager.getplugin("capturemanager")
        terminal = request.config.pluginmanager.getplugin("terminalreporter")
        with capture.global_and_fixture_disabled():
            terminal.write(f"\n{found.write()}")


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
def test_the_true_cause_is_ranked_first(rig: Rig, case: Case) -> None:
    named_first(rig, case, ())


@pytest.mark.parametrize("case", cases(noisy=True))
def test_so_it_is_beside_what_is_unrelated(rig: Rig, case: Case) -> None:
    named_first(rig, case, (noise,))


def named_first(rig: Rig, case: Case, beside: tuple[Any, ...]) -> None:
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
def test_with_the_evidence_out_of_reach_it_is_inconclusive(rig: Rig, case: Case) -> None:
    assert case.blind is not None
    with rig.healthy() as stack, ExitStack() as broken:
        ops = ops_of(stack)
        before = rig.first()  # requests that an earlier fault made slow are remembered for 15 minutes
        broken.enter_context(case.breaking(stack, ops))
        broken.enter_context(case.blind(stack, ops))
        until(lambda: rig.first() in ([], before), "no cause is named", WITHIN_S, lambda: str(rig.explained()))
        found = rig.explained()
        rig.table.append((case.cause, "evidence out of reach", found["verdict"], f"missing: {found['missing'][0]}"))
        assert case.cause in found["not_examined"]
        assert found["best"] or found["verdict"].startswith("Inconclusive")
