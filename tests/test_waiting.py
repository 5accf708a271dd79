"""The tests' own ports: what two of them start side by side must not meet."""

import subprocess
import sys

from tests.waiting import free_port

#: By chance alone 400 of 8000 ports meet one another in all but one of 20 000 runs.
MANY = 400
HOLD = f"from tests.waiting import free_port; print(*[free_port() for _ in range({MANY})], flush=True); input()"


def test_no_port_is_given_twice_in_this_process_or_another() -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as it:
        assert it.stdout is not None
        theirs = [int(port) for port in it.stdout.readline().split()]
        ours = [free_port() for _ in range(MANY)]
        it.communicate("\n")
    assert len(theirs) == MANY
    assert len({*theirs, *ours}) == 2 * MANY
