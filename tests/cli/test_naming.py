"""The ``schema`` of every command's JSON: its path, however the call ends."""

import ast
import json

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.cli.conftest import Run, Shown
from tests.cli.tree import dotted, leaves
from tests.paths import ROOT
from tradebot_ops.cli.registry import COMMANDS, OLD_NAMES

#: These pass every word on to what they run.
PASS_ON = {"exec", "scale"}
#: What makes the call complete; each command then does what it can on an engine in memory, with nothing to ask.
WORDS = {
    "alerts.ack": ["Watchdog"],
    "alerts.show": ["Watchdog"],
    "alerts.silence": ["Watchdog", "--for", "1h", "-m", "x"],
    "alerts.unsilence": ["1"],
    "backup.copy": ["latest", "usb"],
    "backup.restore": ["latest"],
    "config.diff": [".env.production.example", ".env.production.example"],
    "config.get": ["WORKER_REPLICAS"],
    "config.set": ["LOG_LEVEL=warning", "--dry-run"],
    "config.show": [],
    "config.unset": ["LOG_LEVEL", "--dry-run"],
    "data.check": ["AAPL.csv"],
    "data.download": ["binance", "BTC/USDT"],
    "data.export": ["AAPL"],
    "data.import": ["AAPL.csv", "--symbol", "AAPL"],
    "data.rm": ["AAPL"],
    "dlq.export": ["dead.jsonl", "--all"],
    "dlq.import": ["x.jsonl"],
    "dlq.quarantine": ["f1"],
    "dlq.show": ["1"],
    "down": ["--yes"],
    "exec": ["worker", "--", "fail"],
    "halt": ["--reason", "x"],
    "images.build": ["--from", "ubuntu"],
    "images.load": ["x.tar"],
    "images.save": ["x.tar"],
    "explain": ["TB-0821"],
    "init": ["new"],
    "jobs.cancel": ["1"],
    "jobs.compare": ["1", "2"],
    "jobs.logs": ["1"],
    "jobs.prune": ["--older-than", "30d"],
    "jobs.show": ["1"],
    "jobs.submit": ["backtest"],
    "jobs.watch": ["1"],
    "keys.create": ["nightly", "--role", "read"],
    "keys.revoke": ["nightly"],
    "open": ["api"],
    "prod-check.explain": ["ENG-01"],
    "query": ["up"],
    "queue.drain": ["canary"],
    "queue.limit": ["canary", "1"],
    "queue.pause": ["canary"],
    "queue.purge": ["canary"],
    "queue.resume": ["canary"],
    "runbook.show": ["ServiceDown"],
    "scale": ["workers", "3"],
    "schedules.pause": ["canary"],
    "schedules.remove": ["canary"],
    "schedules.resume": ["canary"],
    "secrets.import": ["api_key", "none.txt"],
    "secrets.rotate": ["api_key"],
    "secrets.show": ["api_key"],
    "shell": ["store"],
    "strategies.check": ["sma_cross"],
    "tls.import": ["none.pem", "none.key"],
    "workers.drain": ["worker-2"],
    "workers.kill": ["worker-2"],
    "workers.restart": ["worker-2"],
    "workers.resume": ["worker-2"],
}
#: They write a document a line, and nothing where nothing happened; their failures are documents.
STREAMS = {"logs", "events"}
#: They go on until somebody ends them: tests/prodcheck/test_serve.py.
ENDLESS = {"prod-check.serve"}


LEAVES = [path for path, _ in leaves()]


def schema(shown: Shown) -> str:
    return str(json.loads(shown.stdout)["schema"])


def test_the_names_of_all_commands(snapshot: SnapshotAssertion) -> None:
    """What scripts compare with: a change here breaks them."""
    assert [dotted(path) for path in LEAVES] == snapshot


@pytest.mark.parametrize("path", [path for path in LEAVES if dotted(path) not in ENDLESS], ids=dotted)
def test_a_call_that_is_complete(run: Run, path: list[str]) -> None:
    name = dotted(path)
    words = WORDS.get(name, [])
    cut = words.index("--") if "--" in words else len(words)
    shown = run(*path, *words[:cut], "--json", *words[cut:])
    if name in STREAMS:
        assert (shown.exit_code, shown.stdout) == (0, "")
    else:
        assert schema(shown) == f"tradebot/v1/{name}"


@pytest.mark.parametrize("path", LEAVES, ids=dotted)
def test_a_call_that_is_typed_wrongly(run: Run, path: list[str]) -> None:
    shown = run(*path, *(["one", "2", "3", "4", "5"] if path[0] in PASS_ON else []), "--bogus", "--json")
    assert schema(shown) == f"tradebot/v1/{dotted(path)}"
    assert shown.exit_code == 2


@pytest.mark.parametrize("path", LEAVES, ids=dotted)
def test_a_setting_that_is_wrong_before_the_command_runs(run: Run, path: list[str]) -> None:
    shown = run("--timeout", "soon", *path, "--json")
    assert schema(shown) == f"tradebot/v1/{dotted(path)}"
    assert shown.exit_code == 2


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("-p jobs -o json status --bogus", "status"),
        ("--env-file up -o json config show --bogus", "config.show"),
        ("jobs list --bogus --json", "jobs.list"),
        ("jobs list --json -o", "jobs.list"),
        ("alerts nope --json", "alerts"),
        ("alerts --json", "alerts"),
        ("ps --bogus --json", "status"),
        ("ps --json", "status"),
        ("nonsense --json", "tradebot"),
        ("--json", "tradebot"),
    ],
)
def test_the_value_of_an_option_is_no_command(run: Run, words: str, name: str) -> None:
    assert schema(run(*words.split())) == f"tradebot/v1/{name}"


@pytest.mark.parametrize("old", sorted(OLD_NAMES.keys() & COMMANDS.keys()))
def test_an_old_name_reports_the_new_one(run: Run, old: str) -> None:
    assert schema(run(old, "--bogus", "--json")) == f"tradebot/v1/{OLD_NAMES[old].replace(' ', '.')}"


def test_one_call_after_another_starts_anew(run: Run) -> None:
    assert schema(run("jobs", "list", "--bogus", "--json")) == "tradebot/v1/jobs.list"
    assert schema(run("--bogus", "--json")) == "tradebot/v1/tradebot"


def _named_reports(tree: ast.AST) -> list[int]:
    """Lines on which a report is given a command's name."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in {"Report", "replace"}
        if any(each.arg == "command" for each in node.keywords)
    ]


def test_reports_are_named_in_one_place() -> None:
    package = ROOT / "tradebot_ops"
    naming = [path for path in package.rglob("*.py") if _named_reports(ast.parse(path.read_text(encoding="utf-8")))]
    assert naming == [package / "cli" / "emit.py"]
