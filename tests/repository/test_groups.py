"""The tests of one group share a stack: they run in one process, in their order."""

import subprocess
import sys
from pathlib import Path

TESTS = """
import os
import pytest

@pytest.mark.xdist_group("one")
@pytest.mark.parametrize("number", range(8))
def test_in_a_group(number):
    with open("ran", "a") as ran:
        print(os.environ["PYTEST_XDIST_WORKER"], number, file=ran)
"""


def test_a_group_stays_together(tmp_path: Path) -> None:
    (tmp_path / "test_one.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadgroup", "-p", "no:randomly"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    ran = [line.split() for line in (tmp_path / "ran").read_text().splitlines()]
    assert len({worker for worker, _ in ran}) == 1
    assert [int(number) for _, number in ran] == list(range(8))
