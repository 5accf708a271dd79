"""One thing broken at a time on a real stack: the check meant for it says so, nothing unrelated does, and after the
mend all is as before.

``pytest -n 0 -m drill tests/drill/test_sabotage.py`` runs all faults; ``-m "drill and sample"`` the part that CI runs.
"""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest

from tests.drill.rig import Rig, reporting
from tests.drill.sabotage.every import ANYWHERE, CONTAINERS, every
from tests.drill.sabotage.fault import Fault
from tests.engines.docker.parts import require_docker
from tests.integration.docker import rig as containers
from tests.waiting import until
from tradebot_ops.facts.fact import Effect, Fact, Skip
from tradebot_ops.prodcheck.catalogue import catalogue, find

pytestmark = [
    pytest.mark.integration,
    pytest.mark.drill,
    pytest.mark.xdist_group("drill-sabotage"),
    pytest.mark.timeout(600),
]

#: Quick ones that restart nothing.
SAMPLE = (
    "eviction on",
    "fsync off",
    "a unit of another tool",
    "a silence for a month",
    "the project held for hours",
)
#: How busy the host is with other work at this moment is no fault of the stack.
HOSTS_OWN = "ENG-12"
_ORDER = ("pass", "warn", "fail", "error")

Checks = Mapping[str, Mapping[str, Any]]


@cache
def needs(id_: str) -> frozenset[str]:
    """Every check without which this one cannot be judged, near or far."""
    direct = find(id_)[1].needs
    return frozenset(direct).union(*(needs(each) for each in direct))


@cache
def canary(id_: str) -> bool:
    """Whether this check submits jobs of its own."""

    def does(fact: Fact[Any]) -> bool:
        return fact.effect is Effect.CANARY or any(does(each) for each in (*fact.of, *fact.perhaps))

    return any(does(fact) for fact in find(id_)[1].asks)


def worse(before: Checks, after: Checks) -> set[str]:
    """Ids that differ. What only became better, such as a replica that is no longer young, is no fault's doing."""

    def differs(id_: str) -> bool:
        was, is_ = before[id_]["state"], after[id_]["state"]
        if is_ == "pass":  # it may have been skipped before, for want of data that has come since
            return False
        if {was, is_} <= set(_ORDER):
            return _ORDER.index(is_) > _ORDER.index(was)
        return bool(was != is_)

    return {id_ for id_ in after if differs(id_)}


def excused(fault: Fault, id_: str, after: Checks) -> bool:
    """The fault lists it, or it could not be judged because of what the fault broke."""
    broken = {fault.check, *fault.also}
    return id_ in broken or bool(needs(id_) & broken) or after[id_]["skip"] == Skip.PREREQUISITE


@dataclass
class Judged(Rig):
    """A stack that ``prod-check`` looks at."""

    head: tuple[str, ...] = ("fault", "check", "state", "also reacted", "seconds to react", "seconds to be clean")

    def begun(self) -> None:
        self.healthy("*", "--no-canary")

    def healthy(self, only: str, *flags: str) -> Checks:
        """What is found before anything is broken. What an earlier mend started anew may need a while."""
        found = self.judge(only, "--retry-timeout", "90", *flags)
        bad = {id_: each["message"] for id_, each in found.items() if each["state"] in {"fail", "error"}}
        assert bad == {}, "the stack is healthy before the fault"
        return found

    def judge(self, only: str, *flags: str) -> Checks:
        assert self.running is not None
        words = ("prod-check", "--env", "dev", "--only", only, "--skip", HOSTS_OWN, *flags, "--json")
        done = self.running.run(*words, timeout=300)
        document = json.loads(done.stdout)
        assert document["data"], f"{words}: {done.stdout} {done.stderr}"
        return {each["id"]: each for each in document["data"]["checks"]}


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Judged]:
    with reporting(Judged(tmp_path_factory.mktemp("sabotage")), request) as found:
        yield found


@pytest.fixture(scope="module")
def docker_rig(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Judged]:
    require_docker(*containers.NEEDED, *containers.MONITORING_IMAGES.values())
    made = Judged(tmp_path_factory.mktemp("sabotage-docker"), make=containers.monitored)
    with reporting(made, request) as found:
        yield found


def parameters(faults: Mapping[str, tuple[Fault, ...]], sample: Sequence[str] = ()) -> list[object]:
    return [
        pytest.param(
            fault,
            id=f"{module}-{fault.name.replace(' ', '-')}",
            marks=[pytest.mark.sample] if fault.name in sample else [],
        )
        for module, listed in faults.items()
        for fault in listed
    ]


def on_docker() -> dict[str, tuple[Fault, ...]]:
    """By module those that containers alone can have, then the others, without what only the local engine can have."""
    alone, anywhere = every(CONTAINERS), every(ANYWHERE)
    others = {module: tuple(each for each in faults if not each.local) for module, faults in anywhere.items()}
    return {module: (*alone.get(module, ()), *others.get(module, ())) for module in {**others, **alone}}


def prefixes(fault: Fault) -> str:
    """The stages of the fault, as ``--only`` wants them."""
    wanted = {id_.partition("-")[0] for id_ in (fault.check, *fault.also)}
    return ",".join(f"{stage.prefix}-*" for stage in catalogue() if stage.checks and stage.prefix in wanted)


@pytest.mark.parametrize("fault", parameters(every(ANYWHERE), SAMPLE))
def test_the_meant_check_reacts_alone_and_the_mend_is_seen(rig: Judged, fault: Fault) -> None:
    broken_and_mended(rig, fault)


@pytest.mark.docker
@pytest.mark.parametrize("fault", parameters(on_docker()))
def test_so_it_does_on_docker(docker_rig: Judged, fault: Fault) -> None:
    broken_and_mended(docker_rig, fault)


def broken_and_mended(rig: Judged, fault: Fault) -> None:
    stack = rig.stack()
    only = prefixes(fault)
    flags = () if canary(fault.check) else ("--no-canary",)
    clean = False
    try:
        before = rig.healthy(only, *flags)
        try:
            began = time.monotonic()
            fault.inject(stack)
            after = seen = rig.judge(only, *flags)
            while seen[fault.check]["state"] != fault.state and time.monotonic() - began < fault.within:
                after = seen = rig.judge(only, *flags)
            reacted = time.monotonic() - began
        finally:
            fault.mend(stack)
        mended = time.monotonic()
        last: Checks = {}

        def same() -> bool:
            nonlocal last
            last = rig.judge(only, *flags)
            return not worse(before, last)

        until(same, f"all is as before {fault.name}", fault.clean, lambda: _brief(worse(before, last), last))
        clean = True
    finally:
        if not clean:
            rig.discard()
    others = worse(before, after) - {fault.check}
    row = (fault.name, fault.check, after[fault.check]["state"], ", ".join(sorted(others)))
    rig.table.append((*row, f"{reacted:.1f}", f"{time.monotonic() - mended:.1f}"))
    rig.write()
    told, was = after[fault.check], before[fault.check]
    assert told["state"] == fault.state, _brief({fault.check}, after)
    assert (told["message"], told["observed"]) != (was["message"], was["observed"]), "it names what is wrong"
    unrelated = {id_ for id_ in others if not excused(fault, id_, after)}
    assert unrelated == set(), _brief(unrelated, after)


def _brief(ids: set[str], found: Checks) -> str:
    return "; ".join(
        f"{id_} {found[id_]['state']}: {found[id_]['message']} {found[id_]['observed']}" for id_ in sorted(ids)
    )
