"""The Tab key on a stack that runs, and on one where every process stands still."""

import resource
import subprocess
import sys

import psutil
import pytest

from tests.integration.tradebot import Tradebot
from tests.waiting import until

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("local-completion")]

#: So many times the processor time of loading Typer alone, which a completion does without, measured in between: where
#: that takes 60 ms this is less than 100. A machine that is shared makes both slower.
TIMES_TYPER = 1.5


def offered(stack: Tradebot, words: str) -> set[str]:
    line = " ".join(("tradebot", *stack.command()[len(stack.program) :], words))
    done = subprocess.run(
        stack.program,
        cwd=stack.cwd,
        env=stack.environment() | {"_TRADEBOT_COMPLETE": line},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return {each.partition("\t")[0] for each in done.stdout.splitlines()}


def processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_names_of_what_runs_are_offered_also_when_it_hangs(running: Tradebot) -> None:
    job = running.submit("canary")
    assert offered(running, "sta") == {"status", "start"}  # and somebody looks meanwhile
    until(lambda: {"worker", "worker-1", "worker-2"} <= offered(running, "logs wor"), "replicas are offered", 30)
    until(lambda: job in offered(running, f"jobs show {job[:4]}"), "the job is offered", 30)
    assert {":open", "symbol="} <= offered(running, "jobs submit backtest s")
    replicas = [psutil.Process(int(row["pid"])) for row in running.status().values() if row["pid"]]
    supervisors = [psutil.Process(int(file.read_text("ascii"))) for file in running.state.rglob("supervisord.pid")]
    hung = [*supervisors, *replicas]
    try:
        for process in hung:
            process.suspend()
        took, typer = [], []
        for words, name in [("logs wor", "worker-1"), (f"jobs show {job[:4]}", job)] * 5:
            before = processor_seconds()
            assert name in offered(running, words)
            took.append(processor_seconds() - before)
            before = processor_seconds()
            subprocess.run([sys.executable, "-c", "import typer"], env=running.environment(), check=True)
            typer.append(processor_seconds() - before)
    finally:
        for process in hung:
            process.resume()
    # The quickest call is the least disturbed one.
    assert min(took) < TIMES_TYPER * min(typer), [[round(1000 * each) for each in times] for times in (took, typer)]
