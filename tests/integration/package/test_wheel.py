"""The wheel alone, in a folder with nothing in it: everything it needs is inside."""

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.local.conftest import ports
from tests.integration.tradebot import Tradebot
from tests.paths import ROOT

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("wheel")]

INSIDE = (
    "_stack/compose.yaml",
    "_stack/config/prometheus/prometheus.yml",
    "_stack/services/Dockerfile",
    "_stack/services/requirements.txt",
    "_stack/services/common/migrations/versions/0001_ledger.py",
    "_stack/services/common/migrations/script.py.mako",
    "_stack/services/data/stocks.csv.gz",
    "_stack/services/data/ATTRIBUTION.md",
    "_stack/services/py.typed",
    "py.typed",
    "stack/schema/compose-spec.json",
    "stack/schema/LICENSE",
    "stack/schema/NOTICE",
)


def pip(*words: str) -> None:
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT))
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def program(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The installed command. What it depends on is borrowed from here, so that nothing is downloaded."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, symlinks=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "borrowed.pth").write_text(f"{sysconfig.get_path('purelib')}\n{sysconfig.get_path('platlib')}\n")
    pip("--python", str(folder / "bin" / "python"), "install", "--no-deps", "--no-index", str(wheel))
    return folder / "bin" / "tradebot"


@pytest.fixture
def tradebot(program: Path, tmp_path: Path) -> Iterator[Tradebot]:
    """The installed command in an empty folder with an empty home."""
    empty = tmp_path / "empty"
    empty.mkdir()
    project = Tradebot(tmp_path / "home", cwd=empty, program=(str(program),), environ=ports() | {"PYTHONPATH": ""})
    yield project
    project.clean()


def test_the_wheel_holds_the_stack_and_every_licence(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {f"tradebot_ops/{name}" for name in INSIDE} <= names
    assert {Path(name).name for name in names if ".dist-info/licenses/" in name} >= {"LICENSE", "NOTICE"}
    assert [name for name in names if "__pycache__" in name or name.endswith(".pyc")] == []


def test_every_file_of_the_stack_is_in_the_wheel(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    listed = subprocess.run(
        ["git", "ls-files", "compose.yaml", "config", "services"], cwd=ROOT, capture_output=True, text=True
    )
    if listed.returncode:
        pytest.skip("this is no git checkout, so nobody says which files belong to the stack")
    assert [name for name in listed.stdout.split() if f"tradebot_ops/_stack/{name}" not in names] == []


def test_up_works_in_an_empty_folder(tradebot: Tradebot) -> None:
    shown = tradebot.ok("up", timeout=170)
    assert "Canary: a job went" in shown
    shipped = tradebot.json("config", "show")["stack"]
    assert Path(shipped["folder"]).parts[-3:] == ("site-packages", "tradebot_ops", "_stack")
    assert ROOT not in Path(shipped["folder"]).parents
    tradebot.ok("down", "--volumes", "--yes")
    assert list(tradebot.cwd.iterdir()) == []
    assert tradebot.processes() == []


def test_init_writes_the_stack_that_ships(tradebot: Tradebot) -> None:
    tradebot.ok("init", "mine")
    written = sorted(path.name for path in (tradebot.cwd / "mine").iterdir())
    assert written == [".env.production.example", "compose.yaml", "config", "services"]
    tradebot.cwd /= "mine"
    assert tradebot.json("config", "validate")["folder"] == str(tradebot.cwd)


def test_the_installed_command_runs_without_the_checkout(tradebot: Tradebot) -> None:
    assert tradebot.json("version")["tradebot"]
    done = subprocess.run(
        [tradebot.program[0], "--version"], cwd=tradebot.cwd, env={"PATH": os.defpath}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("tradebot ")
