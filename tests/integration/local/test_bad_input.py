"""Faults an operator meets: each one sentence, the documented exit code, nothing half done."""

import json
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.tradebot import Tradebot
from tests.paths import ROOT
from tests.waiting import free_port

pytestmark = pytest.mark.integration


def test_a_default_port_that_is_taken_is_moved_and_the_holder_named(tradebot: Tradebot) -> None:
    del tradebot.environ["API_PORT"]
    try:
        holder = socket.create_server(("127.0.0.1", 8010))
    except OSError:
        pytest.skip("port 8010 of this machine is in use by something else")
    with holder:
        done = tradebot.run("up", "--no-canary")
    assert done.returncode == 0, done.stderr
    assert "8010" in done.stderr
    assert str(os.getpid()) in done.stderr, "the holder is named"
    moved = tradebot.status()["api-1"]["published"]["8010"]
    assert not moved.endswith(":8010")
    assert moved in tradebot.ok("urls")
    tradebot.ok("restart", "api")
    assert tradebot.status()["api-1"]["published"]["8010"] == moved, "the choice is remembered"


def test_an_explicit_port_that_is_taken_is_refused_with_its_holder(tradebot: Tradebot) -> None:
    with socket.create_server(("127.0.0.1", int(tradebot.environ["API_PORT"]))):
        done = tradebot.run("up", "--no-canary")
    assert done.returncode == 8
    assert tradebot.environ["API_PORT"] in done.stderr
    assert str(os.getpid()) in done.stderr
    tradebot.ok("down")


def test_a_corrupt_state_file_is_named_and_kept(tradebot: Tradebot) -> None:
    tradebot.state.mkdir(parents=True)
    (tradebot.state / "desired.json").write_text("{not json")
    done = tradebot.run("up")
    assert done.returncode == 8
    assert "desired.json is damaged" in done.stderr.replace("\n", " ")
    assert (tradebot.state / "desired.json").read_text() == "{not json"


def test_a_read_only_state_folder(tradebot: Tradebot, tmp_path: Path) -> None:
    """A mount that refuses writing, so that it holds for root, too."""
    if os.geteuid() == 0:
        tradebot.environ["TRADEBOT_STATE"] = "/proc/tradebot"
    else:
        (tmp_path / "ro").mkdir(mode=0o500)
        tradebot.environ["TRADEBOT_STATE"] = str(tmp_path / "ro")
    done = tradebot.run("up")
    assert done.returncode == 8
    assert "Cannot write" in done.stderr
    assert "TRADEBOT_STATE" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small tmpfs")
def test_a_full_state_folder(tradebot: Tradebot, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(small)], capture_output=True)
    if mounted.returncode:
        pytest.skip("no tmpfs can be mounted here")
    try:
        (small / "ballast").write_bytes(b"x" * 60_000)
        tradebot.environ["TRADEBOT_STATE"] = str(small)
        done = tradebot.run("up")
        assert done.returncode != 0
        assert "disk is full" in done.stderr or "No space left" in done.stderr, done.stderr
        assert "Traceback" not in done.stderr
    finally:
        tradebot.run("down")
        subprocess.run(["umount", "-l", str(small)], check=True)


def test_without_unshare_root_gets_another_way_or_a_clear_sentence(tradebot: Tradebot, tmp_path: Path) -> None:
    """A PATH that has everything but unshare."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for folder in os.environ["PATH"].split(":"):
        for tool in Path(folder).iterdir() if Path(folder).is_dir() else ():
            if tool.name != "unshare" and not (tools / tool.name).exists():
                (tools / tool.name).symlink_to(tool)
    tradebot.environ["PATH"] = str(tools)
    done = tradebot.run("up", "postgres", "--no-canary")
    if done.returncode == 0 or "status" in done.stdout:
        assert tradebot.states()["postgres-1"] == "ready"
    else:
        assert "unshare" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_home_with_spaces_and_umlauts_and_a_plain_locale(tmp_path: Path) -> None:
    tradebot = Tradebot(
        tmp_path / "my hömé", environ={"API_PORT": str(free_port()), "WORKER_METRICS_PORT": str(free_port())}
    )
    tradebot.environ |= {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    try:
        tradebot.ok("up")
        assert tradebot.run("status").returncode == 0
    finally:
        tradebot.clean()


def test_output_to_a_closed_pipe_is_quiet(tradebot: Tradebot) -> None:
    command = f"{sys.executable} -m tradebot_ops --help | head -n 1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command], cwd=ROOT, env=tradebot.environment(), capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as closed:
        done = subprocess.run(
            [sys.executable, "-m", "tradebot_ops", "config", "show"],
            cwd=ROOT,
            env=tradebot.environment(),
            stdout=closed,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.stderr == ""
    assert done.returncode == 0


def test_init_writes_a_stack_that_is_valid_and_never_overwrites(tradebot: Tradebot, tmp_path: Path) -> None:
    target = tmp_path / "mine"
    tradebot.ok("init", str(target))
    tradebot.cwd = target
    assert tradebot.json("config", "validate")["folder"] == str(target)
    done = tradebot.run("init", ".")
    assert done.returncode == 9
    assert "already holds" in done.stderr


COMMANDS = [
    ("status",),
    ("version",),
    ("urls",),
    ("config", "show"),
    ("config", "validate"),
    ("down",),
    ("scale", "workers", "2"),
    ("start",),
    ("stop",),
    ("restart",),
    ("jobs", "list"),
    ("jobs", "show", "x"),
    ("jobs", "cancel", "x"),
    ("jobs", "watch", "x"),
    ("jobs", "submit", "backtest", "x=1"),
    ("up", "nonsense"),
    ("nonsense",),
    ("status", "--bogus"),
    ("jobs", "submit"),
    ("down", "--volumes"),
    ("init", "/proc/nowhere"),
]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_json_of_every_command_parses_on_a_narrow_coloured_terminal(tradebot: Tradebot, words: tuple[str, ...]) -> None:
    tradebot.environ |= {"FORCE_COLOR": "1", "COLUMNS": "20"}
    done = tradebot.run(*words, "--json")
    document = json.loads(done.stdout)
    assert document["schema"].startswith("tradebot/v1/")
    assert document["ok"] is (done.returncode == 0)
    assert all(error["code"] and error["message"] for error in document["errors"])
    assert document["ok"] or document["errors"]


def test_state_made_by_a_failed_up_is_private(tradebot: Tradebot) -> None:
    tradebot.run("up", "nonsense")
    if tradebot.state.exists():
        assert stat.S_IMODE(tradebot.state.stat().st_mode) == 0o700
