"""The local engine in unusual homes: spaces, umlauts, long paths, other users, folders that cannot be written."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.engines.conftest import Project
from tests.paths import ROOT
from tests.waiting import until
from tradebot_ops.engines.base import LogQuery, State
from tradebot_ops.errors import OpsError

pytestmark = pytest.mark.integration


@pytest.mark.parametrize(
    "name", ["Jürgen Müller", "a b;c #d %(x)s 100%", 'quote\'s "and" $HOME `x`', "long-" * 40, "[glob]*?"]
)
def test_any_home_folder_works(project: Project, tmp_path: Path, name: str) -> None:
    harness = project(home=tmp_path / name)
    started = harness.up()
    until(lambda: list(harness.engine.logs(LogQuery())), "a log line")
    assert harness.engine.exec(started, ["sh", "-c", 'echo x > "$DATA/file" && cat "$DATA/file"']).output == "x\n"
    harness.engine.stop(started, 5)
    assert harness.up().state is State.RUNNING


def test_everything_is_readable_by_its_owner_alone(project: Project) -> None:
    harness = project()
    harness.up()
    until(lambda: list(harness.engine.logs(LogQuery())), "a log line")
    state = harness.engine._layout.state  # type: ignore[attr-defined]
    open_to_others = [
        path for path in (state, *state.rglob("*")) if path.lstat().st_mode & 0o077 and not path.is_symlink()
    ]
    assert open_to_others == []


def test_a_folder_that_cannot_be_made_is_told_in_a_sentence(project: Project, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    harness = project(home=tmp_path / "file")
    with pytest.raises(OpsError) as caught:
        harness.up()
    assert caught.value.code == "TB-0802"
    assert harness.engine.list() == ()


def test_a_damaged_record_is_told_with_its_path(project: Project) -> None:
    harness = project()
    harness.up()
    record = harness.engine._layout.record("web-1")  # type: ignore[attr-defined]
    good = record.read_text()
    record.write_text("{")
    with pytest.raises(OpsError) as caught:
        harness.engine.list()
    assert caught.value.code == "TB-0801"
    assert str(record) in caught.value.message
    record.write_text(good)


def test_an_ordinary_user_needs_nothing_special() -> None:
    """The contract suite and the real databases, run once more as nobody."""
    nobody = _as_nobody()
    home = Path(f"/tmp/tradebot-test-{os.getpid()}")
    home.mkdir(mode=0o700)
    try:
        os.chown(home, 65534, 65534)
        done = subprocess.run(
            [
                *(*nobody, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", f"--basetemp={home}/pytest"),
                *(
                    "-k",
                    "not stub and not docker",
                    "tests/engines/test_contract.py",
                    "tests/integration/engines/test_local_databases.py",
                ),
            ],
            cwd=ROOT,
            env={"HOME": str(home), "PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", "CI": "1"},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    finally:
        shutil.rmtree(home)


def _as_nobody() -> list[str]:
    """This interpreter run as nobody; skips where there is no need for that, or no way."""
    if os.geteuid() != 0:
        pytest.skip("this user is an ordinary one already")
    words = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", sys.executable]
    question = "import sys, pytest, supervisor, tradebot_ops; print(sys.prefix, sys.base_prefix)"
    environ = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
    asked = subprocess.run([*words, "-c", question], cwd=ROOT, env=environ, capture_output=True, text=True)
    if asked.stdout.strip() != f"{sys.prefix} {sys.base_prefix}":
        pytest.skip(f"nobody may not use {sys.executable} or {ROOT}")
    return words


def test_a_read_only_state_folder_is_told_as_that() -> None:
    script = (
        "import os, sys; from pathlib import Path\n"
        "from tests.engines.contract import tiny_stack\n"
        "from tradebot_ops.engines.local import LocalEngine\n"
        "from tradebot_ops.errors import OpsError\n"
        "from tradebot_ops.state import ProjectState\n"
        "engine = LocalEngine('demo', ProjectState(Path(sys.argv[1])), dict(os.environ))\n"
        "assert engine.list() == ()\n"
        "try: engine.prepare(tiny_stack('demo', Path('/'), 8080), print)\n"
        "except OpsError as error: print(error.code, error.message)\n"
    )
    folder = Path("/proc/tradebot")  # where not even root may make a folder
    done = subprocess.run(
        [sys.executable, "-c", script, str(folder)],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
    )
    assert done.stdout.startswith("TB-0802 Cannot write "), done.stdout + done.stderr
