"""Python packages for an image: which are there already, what pip is asked for, and what it answers."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.operations.seen import refusal
from tradebot_ops.errors import OpsError
from tradebot_ops.operations.images import wheels

PINS = "# pinned\nNumPy==2.5.5\npython-dateutil==2.9\npeewee==3.17\n"
PEEWEE = "peewee-3.17-py3-none-any.whl"
NUMPY, DATE = "numpy-2.5.5-cp313-cp313-manylinux.whl", "python_dateutil-2.9-py3-none-any.whl"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], dict[str, str]]]:
    """What pip is asked for; it brings all that it was."""
    calls: list[tuple[list[str], dict[str, str]]] = []

    def pip(arguments: list[str], environ: dict[str, str]) -> None:
        calls.append((arguments, environ))
        building = arguments[0] == "wheel"
        folder = Path(arguments[arguments.index("-w" if building else "--dest") + 1])
        for name in (PEEWEE,) if building else (NUMPY, DATE):
            (folder / name).touch()

    monkeypatch.setattr(wheels, "_pip", pip)
    return calls


def fetched(folder: Path, architecture: str = "amd64") -> tuple[list[str], list[str]]:
    """The names, and what was said."""
    (folder / "constraints.txt").write_text(PINS)
    said: list[str] = []
    found = wheels.download(folder, architecture, folder / "cache", said.append)
    assert all(path.name == name and path.is_file() for name, path in found.items())
    return list(found), said


def test_what_is_missing_is_fetched_once(tmp_path: Path, asked: list[tuple[list[str], dict[str, str]]]) -> None:
    names, said = fetched(tmp_path)
    assert names == [NUMPY, PEEWEE, DATE]
    assert said == ["building peewee==3.17", "downloading 2 packages for Python 3.13"]
    cache = tmp_path / "cache" / "wheels-3.13-amd64"
    assert cache.stat().st_mode & 0o777 == 0o700
    wheel, download = asked
    words = ["wheel", "--no-cache-dir", "--no-deps", "--no-binary", "peewee", "-w", str(cache), "peewee==3.17"]
    assert wheel == (words, {"NO_SQLITE": "1"})
    assert download == (
        [
            *("download", "--dest", str(cache), "--find-links", str(cache), "--python-version", "3.13"),
            *("--implementation", "cp", "--only-binary=:all:"),
            *(f"--platform=manylinux{each}_x86_64" for each in ("_2_28", "_2_24", "_2_17", "2014", "2010")),
            *("--requirement", str(tmp_path / "requirements.txt")),
            *("--constraint", str(tmp_path / "constraints.txt")),
        ],
        {},
    )
    assert fetched(tmp_path) == (names, [])
    assert len(asked) == 2


@pytest.mark.parametrize(("architecture", "platform"), [("arm64", "aarch64"), ("riscv64", "riscv64")])
def test_packages_are_for_the_engines_processor(
    tmp_path: Path, asked: list[tuple[list[str], dict[str, str]]], architecture: str, platform: str
) -> None:
    fetched(tmp_path, architecture)
    assert f"--platform=manylinux_2_28_{platform}" in asked[1][0]
    assert str(tmp_path / "cache" / f"wheels-3.13-{architecture}") in asked[1][0]


@pytest.mark.parametrize("there", [PEEWEE, "peewee-3.16-py3-none-any.whl"])
def test_one_that_is_published_as_source_is_built_where_its_version_is_missing(
    tmp_path: Path, asked: list[tuple[list[str], dict[str, str]]], there: str
) -> None:
    cache = tmp_path / "cache" / "wheels-3.13-amd64"
    cache.mkdir(parents=True)
    (cache / there).touch()
    _, said = fetched(tmp_path)
    assert [each[0][0] for each in asked] == (["download"] if there == PEEWEE else ["wheel", "download"])
    assert ("building peewee==3.17" in said) is (there != PEEWEE)


def test_one_that_nobody_pinned_is_not_built(tmp_path: Path, asked: list[tuple[list[str], dict[str, str]]]) -> None:
    (tmp_path / "constraints.txt").write_text("numpy==2.5.5")
    wheels.download(tmp_path, "amd64", tmp_path / "cache", lambda _: None)
    assert [each[0][0] for each in asked] == ["download"]


def pip_that(answer: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], dict[str, Any]]]:
    calls: list[tuple[list[str], dict[str, Any]]] = []

    def run(command: list[str], **options: Any) -> Any:
        calls.append((command, options))
        return answer()

    monkeypatch.setattr(wheels, "subprocess", SimpleNamespace(run=run, TimeoutExpired=subprocess.TimeoutExpired))
    return calls


def test_pip_is_asked_as_this_python_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = pip_that(lambda: SimpleNamespace(returncode=0), monkeypatch)
    wheels._pip(["download", "x"], {"NO_SQLITE": "1"})
    ((command, options),) = calls
    assert command == [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "download", "x"]
    assert options == {
        "capture_output": True, "text": True, "timeout": 600, "check": False, "env": {**os.environ, "NO_SQLITE": "1"},
    }  # fmt: skip


LOOK = "pip download --no-deps -d /tmp fastapi"
MANY = "\n".join(f"line {number}" for number in range(12))


@pytest.mark.parametrize(
    ("stdout", "stderr", "reason", "lines"),
    [
        ("", "ERROR: one\nERROR: No match for numpy.\nhint: look\n", "No match for numpy", 3),
        ("out\n", "\n \n", "", 0),
        ("a line\n\nthe last.\n", "", "the last", 2),
        ("", MANY, "line 11", 10),
        ("", "", "", 0),
    ],
)
def test_what_pip_refuses_is_told_in_its_words(
    monkeypatch: pytest.MonkeyPatch, stdout: str, stderr: str, reason: str, lines: int
) -> None:
    pip_that(lambda: SimpleNamespace(returncode=1, stdout=stdout, stderr=stderr), monkeypatch)
    with pytest.raises(OpsError) as raised:
        wheels._pip([], {})
    assert refusal(raised.value) == (
        "TB-0506",
        f"The Python packages of the app image cannot be downloaded: {reason}.",
        f"Check that this machine reaches a Python package index: {LOOK}",
    )
    kept = [line for line in (stderr or stdout).splitlines() if line.strip()]
    assert raised.value.detail == tuple(kept[-lines:] if lines else ())


def test_a_pip_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang() -> None:
        raise subprocess.TimeoutExpired("pip", 600)

    pip_that(hang, monkeypatch)
    with pytest.raises(OpsError) as raised:
        wheels._pip([], {})
    assert refusal(raised.value) == (
        "TB-0604", "pip did not finish within 600 s.", f"Look whether the package index answers: {LOOK}",
    )  # fmt: skip
