"""An ordinary user, with no right beyond that, on the system's own Python: the stack runs all the same."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.local.conftest import ports
from tests.integration.tradebot import Tradebot
from tests.paths import ROOT
from tests.programs import missing

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("local-user")]

NOBODY = 65534
SYSTEM_PYTHON = "/usr/bin/python3"
AS_NOBODY = (
    *("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"),
    *("--inh-caps=-all", "--ambient-caps=-all", "--bounding-set=-all", "--no-new-privs"),
)


def _require_another_user() -> None:
    if os.geteuid() != 0:
        pytest.skip("this user is an ordinary one: every other test shows the same")
    if shutil.which("setpriv") is None or subprocess.run([*AS_NOBODY, "true"], capture_output=True).returncode:
        missing("setpriv of util-linux is needed to become another user")
    ours = f"{sys.version_info.major}.{sys.version_info.minor}"
    ask = "import sys, venv; print('%d.%d' % sys.version_info[:2])"
    found = Path(SYSTEM_PYTHON).exists()
    asked = subprocess.run([SYSTEM_PYTHON, "-c", ask], capture_output=True, text=True).stdout if found else ""
    if asked.strip() != ours:
        # Its packages would be compiled for another Python, and downloading them again is not this test's business.
        missing(f"{SYSTEM_PYTHON} is no Python {ours} with venv, which every user may run")


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that everybody can enter."""
    folder = Path(tempfile.mkdtemp(prefix="tradebot-user-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def tradebot(place: Path) -> Iterator[Tradebot]:
    """A copy of the checkout, a Python and a home that nobody may use."""
    _require_another_user()
    subprocess.run([SYSTEM_PYTHON, "-m", "venv", "--without-pip", str(place / "venv")], check=True)
    (packages,) = place.glob("venv/lib/python*/site-packages")
    (packages / "borrowed.pth").write_text(f"{_readable_packages(place)}\n{_checkout(place)}\n")
    _require_packages(place)
    home = place / "home"
    home.mkdir(mode=0o700)
    os.chown(home, NOBODY, NOBODY)
    project = Tradebot(
        home,
        cwd=home,
        environ=ports() | {"PYTHONPATH": "", "USER": "nobody", "LOGNAME": "nobody", "XDG_CACHE_HOME": ""},
        program=(*AS_NOBODY, str(place / "venv" / "bin" / "python"), "-m", "tradebot_ops"),
    )
    yield project
    project.clean()


def _readable_packages(place: Path) -> Path:
    """The packages of this interpreter where nobody can read them; else a copy."""
    packages = Path(sysconfig.get_path("purelib"))
    if subprocess.run([*AS_NOBODY, "test", "-r", str(packages / "typer" / "__init__.py")]).returncode == 0:
        return packages
    copy = place / "packages"
    subprocess.run(["cp", "-a", str(packages), str(copy)], check=True)
    return copy


def _require_packages(place: Path) -> None:
    """Some depend on the patch level: a Python before 3.11.3 needs one more than the tests' own may have."""
    probe = "import services.api.app, services.worker.main, supervisor, tradebot_ops.cli.main"
    python = str(place / "venv" / "bin" / "python")
    asked = subprocess.run([*AS_NOBODY, python, "-B", "-c", probe], capture_output=True, text=True, cwd="/")
    if asked.returncode:
        missing(f"{SYSTEM_PYTHON} lacks a package ({asked.stderr.strip().splitlines()[-1]})")


def _checkout(place: Path) -> Path:
    copy = place / "checkout"
    for name in ("tradebot_ops", "services", "config"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("compose.yaml", "pyproject.toml"):
        shutil.copy(ROOT / name, copy / name)
    return copy


def test_an_ordinary_user_runs_the_stack(tradebot: Tradebot) -> None:
    tradebot.ok("up", timeout=170)
    services = tradebot.processes()
    assert services
    assert {uid for process in services for uid in process.uids()} == {NOBODY}
    words = ("symbol=AAPL", "strategy=sma_cross", "fast=10", "slow=30")
    assert tradebot.json("jobs", "submit", "backtest", *words, "--wait")["state"] == "succeeded"
    tradebot.ok("down", "--volumes", "--yes")
    assert tradebot.processes() == []
