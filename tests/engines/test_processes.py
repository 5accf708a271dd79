"""A process with all that descend from it, seen in one look."""

import os
import subprocess
import sys

from tests.waiting import until
from tradebot_ops.engines.processes import trees

PARENT = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'input()'])"


def test_a_tree_holds_children_of_children_and_nobody_else() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdin=subprocess.PIPE) as parent:
        try:
            found = until(lambda: seen if len(seen := trees([parent.pid])[parent.pid]) == 2 else None, "its child", 30)
            assert found[0].pid == parent.pid
            assert found[1].ppid() == parent.pid
            assert {parent.pid, found[1].pid} <= {each.pid for each in trees([os.getpid()])[os.getpid()]}
        finally:
            parent.communicate(b"\n", timeout=30)


def test_of_one_that_is_gone_there_is_nothing() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    assert trees([ended.pid]) == {ended.pid: []}
