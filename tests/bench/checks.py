"""How long prod-check takes, next to the same checks one after another and next to goss.

    python -m tests.bench.checks [--rounds 5]

Brings up the whole stack on the local engine. Each figure is of a process of its own, so that nobody finds what
another one loaded; rounds are interleaved; the tests of the alerting rules, which are run once for the same files,
were run before for everybody.

* The whole run: `runner.run`, every fact asked once and all together.
* The same checks one after another, as a tool asks that has a list of checks: each asks what it needs itself, one
  question at a time (those, too, that a fact asks of several services side by side), and is judged before the next
  begins. Like such a tool it is one process, reads the description
  once and keeps its connections; that it also keeps files it parsed is in its favour. This is the peer of the target.
* Each fact once, one after another: what is left of the difference when nothing is asked twice, which tells what
  asking together brings by itself.

Checks that wait on purpose are left out of these three, for waiting together flatters: canary jobs, the test alert,
three looks at health, two at heartbeats. The command with the looks, as people type it, is measured besides.

goss (Debian's) is the peer outside for what it can ask, too: ports, HTTP answers, processes. There both are commands.
"""

import argparse
import gc
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from tests.bench import goss
from tests.integration.tradebot import Tradebot
from tests.paths import ROOT
from tradebot_ops.cli.grammar import complaint
from tradebot_ops.context import Ops
from tradebot_ops.facts.asking import Facts
from tradebot_ops.facts.fact import Effect, Fact, NotHere, Unknown
from tradebot_ops.facts.replicas import services
from tradebot_ops.facts.work import workers
from tradebot_ops.prodcheck.catalogue import catalogue
from tradebot_ops.prodcheck.runner import Options, State, run
from tradebot_ops.prodcheck.waivers import Waivers
from tradebot_ops.settings import load_settings

TARGET, COMMAND_SECONDS = 0.35, 3.0
WITHOUT = frozenset({Effect.CANARY, Effect.ALERT})
WAITING = frozenset({services.looks, workers.beats})
#: The command with everything but what it only waits for: jobs and the test alert.
COMMAND = ("prod-check", "--no-canary", "--skip", "ALR-05", "--exit-zero")


def in_order(facts: Iterable[Fact[Any]]) -> list[Fact[Any]]:
    """With what they depend on, which comes first."""
    return list(dict.fromkeys(each for fact in facts for each in (*in_order((*fact.of, *fact.perhaps)), fact)))


def waits(fact: Fact[Any]) -> bool:
    return any(each in WAITING or each.effect in WITHOUT for each in in_order([fact]))


STAGES = catalogue()
CHECKS = [check for stage in STAGES for check in stage.checks if not any(map(waits, check.asks))]


def together(ops: Ops) -> int:
    done = run(ops, STAGES, CHECKS, Waivers({}), Options(WITHOUT), lambda _: None)
    assert not done.count(State.ERROR), [result.check.id for result in done.results if result.state is State.ERROR]
    return len(done.results)


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Facts that ask several services side by side ask them in turn."""
    begin = ThreadPoolExecutor.__init__
    with mock.patch.object(ThreadPoolExecutor, "__init__", lambda pool, *_, **__: begin(pool, max_workers=1)):
        yield


@one_at_a_time()
def one_by_one(ops: Ops) -> int:
    for check in CHECKS:
        facts = Facts(ops, WITHOUT)
        for fact in in_order(check.asks):
            facts.value(fact)
        values = [facts.value(fact) for fact in check.asks]
        if not any(isinstance(value, NotHere | Unknown) for value in values):
            check(*values)
    return len(CHECKS)


@one_at_a_time()
def facts_in_turn(ops: Ops) -> int:
    facts, wanted = Facts(ops, WITHOUT), in_order(fact for check in CHECKS for fact in check.asks)
    for fact in wanted:
        facts.value(fact)
    return len(wanted)


WAYS: dict[str, Callable[[Ops], int]] = {
    "together": together,
    "one by one": one_by_one,
    "facts in turn": facts_in_turn,
}


def ops_of(project: str) -> Ops:
    ops = Ops(load_settings({"project": project, "engine": "local"}, os.environ, ROOT))
    ops.complaint = complaint
    # Loads the libraries that the command has by then, or loads once for all; nobody connects yet.
    assert complaint("status") == ""
    assert ops.api
    assert ops.redis
    assert ops.postgres
    return ops


def measure(way: str, project: str) -> None:
    """In a process of its own: print the seconds that passed and those of processor time."""
    gc.set_threshold(50_000, 20, 100)  # as the command does
    ops = ops_of(project)
    began = time.perf_counter()
    asked = WAYS[way](ops)
    passed = time.perf_counter() - began
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    print(json.dumps([asked, passed, sum(each.ru_utime + each.ru_stime for each in used)]))


def measured(tradebot: Tradebot, way: str) -> tuple[int, float, float]:
    words = [sys.executable, "-m", "tests.bench.checks", "--way", way, "--project", tradebot.project]
    done = subprocess.run(words, cwd=ROOT, env=tradebot.environment(), check=True, stdout=subprocess.PIPE, text=True)
    asked, passed, used = json.loads(done.stdout)
    return int(asked), float(passed), float(used)


def timed(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def compare(tradebot: Tradebot, rounds: int) -> bool:
    """The three ways and the whole command."""
    times: dict[str, list[tuple[int, float, float]]] = defaultdict(list)
    commands: list[float] = []
    for number in range(rounds):
        for way in WAYS:
            times[way].append(measured(tradebot, way))
        commands.append(timed(lambda: tradebot.ok(*COMMAND)))
        print(f"round {number + 1} of {rounds}, load {os.getloadavg()[0]:.1f}", file=sys.stderr)
    for way, found in times.items():
        passed, used = (statistics.median(each[place] for each in found) for place in (1, 2))
        print(f"{way}: {found[0][0]} asked in {passed:.2f} s, {used:.2f} s of processor time with the start of Python")
    ratios = {
        way: statistics.median(ours[1] / other[1] for ours, other in zip(times["together"], times[way], strict=True))
        for way in ("one by one", "facts in turn")
    }
    whole = statistics.median(commands)
    print(f"ratio to one by one {ratios['one by one']:.2f} (target {TARGET}), to facts in turn "
          f"{ratios['facts in turn']:.2f}")  # fmt: skip
    print(f"`tradebot {' '.join(COMMAND)}`: {whole:.2f} s (target {COMMAND_SECONDS:g} on a quiet machine), "
          f"load {os.getloadavg()[0]:.1f}")  # fmt: skip
    return ratios["one by one"] <= TARGET and whole <= COMMAND_SECONDS


def compare_with_goss(tradebot: Tradebot, rounds: int) -> None:
    program = goss.program()
    if program is None:
        print(f"goss: left out, for it is not on PATH. {(goss.__doc__ or '').splitlines()[-1]}")
        return
    file = tradebot.home / "goss.json"
    things = goss.write(ops_of(tradebot.project), file)
    only = [word for id_ in goss.SAME for word in ("--only", id_)]
    theirs, ours = [], []
    for _ in range(rounds):
        theirs.append(timed(lambda: subprocess.run([program, "-g", str(file), "validate"], check=True,
                                                   capture_output=True)))  # fmt: skip
        ours.append(timed(lambda: tradebot.ok("prod-check", *only, "--exit-zero")))
    print(f"goss, {things} ports, pages and processes: {statistics.median(theirs):.2f} s; prod-check's "
          f"{', '.join(goss.SAME)}: {statistics.median(ours):.2f} s, load {os.getloadavg()[0]:.1f}")  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--project", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.way:
        measure(arguments.way, arguments.project)
        return 0
    folder = Path(tempfile.mkdtemp(prefix="bench-checks-"))
    tradebot = Tradebot(folder, "local", ROOT)
    tradebot.environ["TRADEBOT_PROFILES"] = "monitoring"
    try:
        tradebot.ok("up", timeout=300)
        # Proves the alerting rules, once for all, and is there when Prometheus has measured everything.
        tradebot.ok(*COMMAND, "--retry-timeout", "60", timeout=300)
        os.environ.update(tradebot.environment())
        good = compare(tradebot, arguments.rounds)
        compare_with_goss(tradebot, arguments.rounds)
    finally:
        tradebot.clean()
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
