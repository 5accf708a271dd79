"""The project's state folder: private, atomic, locked, and honest about damage."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tradebot_ops.errors import OpsError
from tradebot_ops.state import ProjectState, state_root


def test_the_lock_names_its_holder_and_dies_with_it(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from tradebot_ops.state import ProjectState\n"
        "with ProjectState(Path(sys.argv[1])).lock('up'): print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with (
        pytest.raises(OpsError, match=f"`tradebot up` .process {holder.pid}.") as raised,
        ProjectState(tmp_path).lock("down"),
    ):
        pass
    assert raised.value.exit_code == 7
    holder.kill()
    holder.communicate()
    with ProjectState(tmp_path).lock("down"):
        pass


def test_the_lock_names_its_holder_and_nothing_of_the_one_before(tmp_path: Path) -> None:
    state, lock = ProjectState(tmp_path / "state"), tmp_path / "state" / "lock"
    for purpose in ("backup verify --deep latest", "up"):
        with state.lock(purpose):
            assert lock.read_text() == f"`tradebot {purpose}` (process {os.getpid()})"
    assert lock.stat().st_mode & 0o777 == 0o600


def test_what_a_link_leads_to_is_not_forgotten_with_it(tmp_path: Path) -> None:
    """Somebody has put a folder elsewhere, on a larger disk."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kept").write_text("x")
    state = ProjectState(tmp_path / "state")
    state.write("mine", "x")
    (state.folder / "data").symlink_to(elsewhere)
    state.forget()
    assert [path.name for path in state.folder.iterdir()] == []
    assert (elsewhere / "kept").exists()


def test_where_state_lies() -> None:
    assert state_root({"TRADEBOT_STATE": "/srv/t"}) == Path("/srv/t")
    assert state_root({"XDG_STATE_HOME": "/x"}) == Path("/x/tradebot")
    assert state_root({"HOME": "/home/ann"}) == Path("/home/ann/.local/state/tradebot")
    assert state_root({"HOME": os.environ["HOME"]}).is_absolute()


def test_forget_leaves_the_folder_empty_but_for_the_lock_and_the_audit_log(tmp_path: Path) -> None:
    state = ProjectState(tmp_path)
    kept = ["audit-head.json", "audit.jsonl"]
    with state.lock("down"):
        for name in ("secrets/a", *kept):
            state.write(name, "b")
        state.forget()
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [*kept, "lock"]
