"""What holds for every test."""

import signal
from collections import Counter
from collections.abc import Generator

import pytest
from hypothesis import settings

from tests.programs import MISSING

# A shell that starts the tests in the background has them ignore Ctrl-C, and every command they start inherits that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A property says what is true, not how fast: a busy machine would fail one by Hypothesis' 200 ms an example.
settings.register_profile("tradebot", deadline=None)
settings.load_profile("tradebot")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave drills, which take minutes each, out of a run that did not name them: ``pytest -m drill``."""
    if "drill" in str(config.getoption("markexpr")):
        return
    drills = [item for item in items if item.get_closest_marker("drill")]
    if drills:
        config.hook.pytest_deselected(items=drills)
        items[:] = [item for item in items if item not in drills]


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Generator[None, None, None]:
    """In CI, where what is missing fails: below all else each reason once, and the one step that installs it all."""
    yield
    ended = [each for kind in ("failed", "error") for each in terminalreporter.stats.get(kind, ())]
    found = Counter(str(each.longrepr).partition(MISSING)[2] for each in ended if MISSING in str(each.longrepr))
    if found:
        terminalreporter.section("missing on this machine", yellow=True)
        for reason, count in found.most_common():
            terminalreporter.line(f"{reason.strip()} ({count})")
        terminalreporter.line(
            "Install all of it on Debian with `.ci/run`, as root; or unset CI, and what needs it is skipped."
        )
