"""Every process of the stack is killed or stalled at random: no job is lost, finished twice, doubled or dead.

``pytest -n 0 -m drill tests/drill/test_crashes.py`` takes ten minutes for each engine; ``-m "drill and sample"`` is the
part that CI runs. ``TRADEBOT_DRILL_JOBS``, ``_SECONDS`` and ``_SEED`` make it another run.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.drill.crashes.account import Account, account, percentile, under_way
from tests.drill.crashes.clients import Clients
from tests.drill.crashes.harm import Harm
from tests.drill.crashes.target import Target, add_job_type, image_of
from tests.drill.rig import Rig, reporting
from tests.engines.docker.parts import require_docker
from tests.integration.docker import rig as containers
from tests.integration.local.conftest import ports
from tests.integration.tradebot import Tradebot
from tests.waiting import until

pytestmark = [
    pytest.mark.integration,
    pytest.mark.drill,
    pytest.mark.xdist_group("drill-crashes"),
    pytest.mark.timeout(1800),
]

WORKERS = 3
#: For the last blow to be made good, and for what waited behind it.
REST_S = 180.0
#: At the 95th percentile.
TAKEOVER_S = 20.0
PROCESS_TAKEOVER_S = 2.0
ENOUGH = 20


@dataclass
class Drilled(Rig):
    head: tuple[str, ...] = (
        *("engine", "seed", "jobs", "seconds", "done to it", "lost", "dead", "finished twice", "doubled plain"),
        *("doubled effect", "worker killed: p50 / p95 s (n)", "process killed: p50 / p95 s (n)"),
    )
    left: ExitStack = field(default_factory=ExitStack)

    def copied(self, stack: Tradebot) -> None:
        add_job_type(stack.cwd)
        if stack.engine == "docker":
            tag = self.left.enter_context(image_of(stack.cwd, f"tradebot/app:{stack.project}"))
            stack.environ["APP_IMAGE"] = tag

    def note(self, engine: str, seed: int, seconds: float, accepted: int, harm: Harm, found: Account) -> None:
        done = ", ".join(f"{kind} {count}" for kind, count in sorted(harm.done.items()))
        counts = (found.lost, len(found.dead), found.finished_twice, found.doubled_plain, found.doubled_effect)
        times = (took(found.takeovers.get(kind, [])) for kind in ("worker", "job process"))
        self.table.append((engine, seed, accepted, seconds, done, *counts, *times))


def took(seconds: list[float]) -> str:
    return f"{percentile(seconds, 50):.1f} / {percentile(seconds, 95):.1f} ({len(seconds)})"


def local(home: Path) -> Tradebot:
    return Tradebot(home, environ=ports() | {"WORKER_REPLICAS": str(WORKERS)})


def in_containers(home: Path) -> Tradebot:
    return containers.project(home, WORKER_REPLICAS=str(WORKERS))


@pytest.fixture(params=["local", pytest.param("docker", marks=pytest.mark.docker)])
def drilled(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Drilled]:
    if request.param == "docker":
        require_docker(*containers.NEEDED)
    make = in_containers if request.param == "docker" else local
    rig = Drilled(tmp_path, make=make)
    # In this order: an image is removed once nothing runs of it.
    with rig.left, reporting(rig, request) as found:
        yield found


def test_no_job_is_lost_doubled_or_dead_whatever_is_killed(drilled: Drilled) -> None:
    setting = {name: os.environ.get(f"TRADEBOT_DRILL_{name.upper()}") for name in ("jobs", "seconds", "seed")}
    drill(drilled, int(setting["jobs"] or 1000), float(setting["seconds"] or 600), int(setting["seed"] or 1))


@pytest.mark.sample
@pytest.mark.parametrize("drilled", ["local"], indirect=True)
def test_a_sample_of_it(drilled: Drilled) -> None:
    drill(drilled, jobs=30, seconds=20, seed=7)


def drill(drilled: Drilled, jobs: int, seconds: float, seed: int) -> None:
    stack = drilled.stack()
    target = Target(stack)
    harm = Harm(target, seed)
    with ThreadPoolExecutor(1) as pool:
        submitted = pool.submit(Clients(target, seed).submit, jobs, seconds)
        harm.strike_for(seconds)
        accepted = submitted.result()
    until(target.answers, "Postgres answers", REST_S)
    with target.ledger() as ledger:
        until(lambda: not under_way(ledger), "all jobs are over", REST_S, lambda: under_way(ledger))
        found = account(ledger, accepted, harm)
    drilled.note(stack.engine, seed, seconds, len(accepted), harm, found)
    assert len(set(accepted)) == jobs
    assert (found.lost, found.finished_twice, found.doubled_effect, found.without_effect) == (0, 0, 0, 0)
    assert found.dead == []
    for kind, most_s in (("worker", TAKEOVER_S), ("job process", PROCESS_TAKEOVER_S)):
        seen = found.takeovers.get(kind, [])
        assert len(seen) >= int(seconds / 60), f"too few of kind {kind} for this drill to say anything"
        # Of few the 95th percentile is the worst, which a busy machine decides.
        assert percentile(seen, 95 if len(seen) >= ENOUGH else 50) < most_s
