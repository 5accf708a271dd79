"""up, seen from outside."""

from pathlib import Path

from tests.cli.conftest import Run
from tradebot_ops.audit import FILES


def test_an_up_that_changes_nothing_writes_nothing(run: Run) -> None:
    """Every write waits for the disk, and on a slow one that would be most of such an `up`."""
    assert run("up").exit_code == 0
    before = _written()
    assert {"profiles.json", "unavailable.json"} <= before.keys()
    assert run("up").exit_code == 0
    assert _written() == before


def _written() -> dict[str, tuple[int, int]]:
    """Inode and time of the last write of every file of the project but the lock, which names its holder, and the audit
    log, which has every command."""
    ours = {"lock", *FILES}
    files = [path for path in Path("state/demo").rglob("*") if path.is_file() and path.name not in ours]
    return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in files}
