"""Every process of a real stack stands still: `diag` answers all the same, in its own time, and says what it is.

``pytest -n 0 -m drill tests/drill/test_hung.py``
"""

import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace

import psutil
import pytest

from tests.drill.faults import frozen
from tests.engines.docker.parts import require_docker
from tests.integration.docker import rig
from tests.integration.tradebot import Tradebot
from tests.waiting import until
from tradebot_ops.diagnostics.catalogue import catalogue
from tradebot_ops.diagnostics.runner import NOTHING_WRONG, WITHIN_S

pytestmark = [
    pytest.mark.integration,
    pytest.mark.drill,
    pytest.mark.xdist_group("drill-hung"),
    pytest.mark.timeout(600),
]
#: To say so, beside what a busy machine needs to start Python and to write a screen: the topic that asks the host alone
#: measures that.
REST_S, HOSTS_TOPIC = 1.0, "clock"
#: A terminal's screen.
COLUMNS, LINES = 100, 24
#: They ask the host and files alone, which nobody can hang.
BLIND = {"changes", "clock", "memory"}
TOPICS = ["full", "explain", *(each.name for each in catalogue() if each.name not in BLIND)]
HOSTS_OWN = ("Work waits for", "The host is short of")


def everything(stack: Tradebot) -> list[psutil.Process]:
    """Every replica with its children, and the supervisor, whose command line does not name the project."""
    replicas = [psutil.Process(int(row["pid"])) for row in stack.status().values() if row["pid"]]
    supervisors = [psutil.Process(int(file.read_text("ascii"))) for file in stack.state.rglob("supervisord.pid")]
    children = [child for each in replicas for child in each.children(recursive=True)]
    found = [*stack.processes(), *supervisors, *replicas, *children]
    return list(dict.fromkeys(found))


def test_a_healthy_stack_is_called_so_first_and_each_section_is_one_screen(stack: Tradebot) -> None:
    """However busy the host is with other work: what it lacks is said, too, and is no fault of the stack. At 100
    columns, as `COLUMNS` says even where nobody looks through a window.
    """
    until(lambda: wrong(stack) in ([], [NOTHING_WRONG]), "nothing is wrong", 120, lambda: wrong(stack))
    narrow = replace(stack, environ=stack.environ | {"COLUMNS": str(COLUMNS)})
    text = narrow.run("diag", "full").stdout
    sections = text.split("\n\n")
    assert len(sections) > len(catalogue())
    prose = [line for line in text.splitlines() if line.startswith(("WARN", "FAIL", "Next:"))]  # a terminal folds it
    assert [line for line in text.splitlines() if len(line) > COLUMNS and line not in prose] == []
    assert {section: section.count("\n") for section in sections if section.count("\n") >= LINES} == {}


def wrong(stack: Tradebot) -> list[str]:
    data = json.loads(stack.run("diag", "full", "--json").stdout)["data"]
    found = [problem["message"] for topic in data["topics"].values() for problem in topic["problems"]]
    return [each for each in found if not each.startswith(HOSTS_OWN)] or [data["verdict"]] * (not found)


def answers_in_time(stack: Tradebot, topic: str, breaking: AbstractContextManager[None]) -> None:
    rest = REST_S + seconds(stack, HOSTS_TOPIC)[0]
    with breaking:
        took, done = seconds(stack, topic)
    print(f"diag {topic}: {took:.1f} s of {WITHIN_S + rest:.1f} s\n{done.stdout}\n{done.stderr}")
    assert done.returncode in {0, 1}, done.stderr
    assert done.returncode == 1 or re.search("not (be )?examined", done.stdout, re.IGNORECASE)
    assert not done.stdout.startswith(NOTHING_WRONG)
    assert took < WITHIN_S + rest


def seconds(stack: Tradebot, topic: str) -> tuple[float, subprocess.CompletedProcess[str]]:
    began = time.monotonic()
    done = stack.run("diag", topic, timeout=120)
    return time.monotonic() - began, done


@pytest.mark.parametrize("topic", TOPICS)
def test_with_everything_hung_it_answers_within_its_time(stack: Tradebot, topic: str) -> None:
    answers_in_time(stack, topic, frozen(everything(stack)))


@pytest.fixture(scope="module")
def in_containers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tradebot]:
    require_docker(*rig.NEEDED, *rig.MONITORING_IMAGES.values())
    found = rig.monitored(tmp_path_factory.mktemp("hung-docker") / "home")
    try:
        found.ok("up", timeout=300)
        yield found
    finally:
        rig.clean(found)


@contextmanager
def paused(stack: Tradebot) -> Iterator[None]:
    """The engine answers, and says so; what is asked inside does not."""
    with rig.api() as engine:
        names = [each["Id"] for each in engine.containers(filters=own(stack))]
        for name in names:
            engine.pause(name)
        try:
            yield
        finally:
            for name in names:
                engine.unpause(name)


@contextmanager
def halted(stack: Tradebot) -> Iterator[None]:
    """The engine knows nothing of it: to it every container runs."""
    with rig.api() as engine:
        ids = [each["Id"] for each in engine.containers(filters=own(stack))]
        first = [psutil.Process(engine.inspect_container(each)["State"]["Pid"]) for each in ids]
    with frozen([process for each in first for process in (each, *each.children(recursive=True))]):
        yield


def own(stack: Tradebot) -> dict[str, str]:
    return {"label": f"com.docker.compose.project={stack.project}"}


@pytest.mark.docker
@pytest.mark.parametrize("hang", [paused, halted])
@pytest.mark.parametrize("topic", TOPICS)
def test_so_it_does_with_every_container_hung(
    in_containers: Tradebot, topic: str, hang: Callable[[Tradebot], AbstractContextManager[None]]
) -> None:
    answers_in_time(in_containers, topic, hang(in_containers))
