"""Every process of a real stack stands still: `diag` answers all the same, in its own time, and says what it is.

``pytest -n 0 -m drill tests/drill/test_hung.py``
"""

import json
import time
from dataclasses import replace

import psutil
import pytest

from tests.drill.faults import frozen
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
#: To start Python and to write the screen, on a machine that does other things, too.
REST_S = 5.0
#: A terminal's screen.
COLUMNS, LINES = 100, 24
#: They ask the host and files alone, which nobody can hang.
BLIND = {"changes", "clock", "memory"}
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


@pytest.mark.parametrize("topic", ["full", "explain", *(each.name for each in catalogue() if each.name not in BLIND)])
def test_with_everything_hung_it_answers_within_its_time(stack: Tradebot, topic: str) -> None:
    with frozen(everything(stack)):
        began = time.monotonic()
        done = stack.run("diag", topic, timeout=120)
        took = time.monotonic() - began
    print(f"diag {topic}: {took:.1f} s\n{done.stdout}\n{done.stderr}")
    assert done.returncode in {0, 1}, done.stderr
    assert done.returncode == 1 or "not examined" in done.stdout.lower()
    assert not done.stdout.startswith(NOTHING_WRONG)
    assert took < WITHIN_S + REST_S
