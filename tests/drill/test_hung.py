"""Every process of a real stack stands still: `diag` answers all the same, in its own time, and says what it is.

``pytest -n 0 -m drill tests/drill/test_hung.py``
"""

import time
from collections.abc import Iterator

import pytest

from tests.drill.faults import frozen
from tests.integration.local.test_monitoring import monitored
from tests.integration.tradebot import Tradebot
from tests.waiting import until
from tradebot_ops.diagnostics.runner import NOTHING_WRONG, WITHIN_S

pytestmark = [
    pytest.mark.integration,
    pytest.mark.drill,
    pytest.mark.xdist_group("drill-hung"),
    pytest.mark.timeout(600),
]
#: To start Python and to write the screen, on a machine that does other things, too.
REST_S = 5.0


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tradebot]:
    found = monitored(tmp_path_factory.mktemp("hung"))
    try:
        found.ok("up", timeout=300)
        yield found
    finally:
        found.clean()


def test_a_healthy_stack_is_called_healthy_in_the_first_line(stack: Tradebot) -> None:
    until(
        lambda: stack.run("diag", "full").stdout.startswith(NOTHING_WRONG),
        "nothing is wrong",
        120,
        lambda: stack.run("diag", "full").stdout,
    )


@pytest.mark.parametrize("words", [("full",), ("explain",), ("performance",), ("postgres",), ("redis",), ("monitoring",)])
def test_with_everything_hung_it_answers_within_its_time(stack: Tradebot, words: tuple[str, ...]) -> None:
    with frozen(stack.processes()):
        began = time.monotonic()
        done = stack.run("diag", *words, timeout=120)
        took = time.monotonic() - began
    print(f"diag {' '.join(words)}: {took:.1f} s\n{done.stdout}\n{done.stderr}")  # noqa: T201 - the drill's report
    assert done.returncode in {0, 1}, done.stderr
    assert "Not examined" in done.stdout
    assert not done.stdout.startswith(NOTHING_WRONG)
    assert took < WITHIN_S + REST_S
