"""The newcomer's matrix on a stack that runs: every command of the tree, in this process, for people and programs.

A new command is in it by itself: called with the words of the unit tests, beside the others that only read. One that
wants other words, ends otherwise or changes something has its line here. What destroys asks first: without a line
here it is refused, and fails.
"""

import json
import re
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

import pytest
from typer.main import get_command

from tests.cli.test_naming import STREAMS, WORDS
from tests.cli.tree import dotted, leaves
from tests.integration.tradebot import Tradebot
from tests.render.screens import same_facts, whole_in_a_pipe
from tests.repository.empty_times import EMPTY
from tradebot_ops.cli import in_force
from tradebot_ops.cli.main import app
from tradebot_ops.model import Report
from tradebot_ops.operations.tls import issue
from tradebot_ops.render import Renderer, renderer

#: Not in this process: they need real streams, never end, or make a stack of their own.
ELSEWHERE = {
    "ci.run": "tests/integration/local/test_ci.py",
    "exec": "tests/integration/local/test_commands.py",
    "prod-check.serve": "tests/prodcheck/test_serve.py",
    "shell": "tests/integration/local/test_commands.py",
}
#: Words where those of the unit tests name what a stack that runs has not.
CALLS = {
    "alerts.test-rules": ["api"],
    "diag.diff": ["{bundle}"],
    "dlq.show": ["{dead}"],
    "jobs.compare": ["{job}", "{job}"],
    "jobs.logs": ["{dead}"],
    "jobs.show": ["{dead}"],
    "jobs.watch": ["{job}"],
    "prod-check": ["--no-canary"],
    "secrets.show": ["api_key"],
}
#: What changes something, in the order in which it is safe on a stack of its own.
CHANGES = {
    "up": [],
    "scale": ["workers", "2"],
    "restart": ["api"],
    "stop": ["worker"],
    "start": ["worker"],
    "build": [],
    "pull": [],
    "images.build": ["--from", "debian", "redis"],
    "images.save": ["{folder}/images.tar"],
    "images.load": ["{folder}/images.tar"],
    "init": ["{folder}/new"],
    "service.install": [],
    "service.remove": [],
    "ci.template": ["github"],
    "waive": ["ENG-04", "--reason", "a test", "--until", "{tomorrow}"],
    "attest": ["team-trained", "--by", "me"],
    "alerts.ack": ["Watchdog", "--reason", "a test"],
    "alerts.silence": ["Watchdog", "--for", "1h", "-m", "x"],
    "alerts.unsilence": ["{silence}"],
    "alerts.test": [],
    "breakers.reset": ["nobody"],
    "workers.drain": ["worker-2", "--reason", "a test"],
    "workers.resume": ["worker-2"],
    "workers.kill": ["worker-2", "--yes"],
    "workers.restart": ["worker-2"],
    "jobs.submit": ["canary", "--wait"],
    "jobs.cancel": ["{job}"],
    "jobs.retry": ["{dead}"],
    "dlq.export": ["{folder}/dead.jsonl", "--all"],
    "dlq.import": ["{folder}/dead.jsonl"],
    "dlq.quarantine": ["backtest", "--reason", "a test"],
    "jobs.recover": [],
    "secrets.rotate": ["api_key"],
    "secrets.import": ["alert_token", "{folder}/token"],
    "halt": ["--reason", "a test"],
    "resume": [],
    "keys.create": ["nightly", "--role", "read", "--expires", "90d"],
    "keys.revoke": ["nightly"],
    "tls.create": ["trading.example.com"],
    "tls.import": ["{folder}/certificate", "{folder}/key"],
    "queue.pause": ["sweep", "--reason", "a test"],
    "queue.limit": ["sweep", "2"],
    "queue.purge": ["sweep", "--yes"],
    "queue.resume": ["sweep"],
    "data.check": ["{folder}/prices.csv"],
    "data.download": ["nowhere", "BTC/USDT"],
    "data.import": ["{folder}/prices.csv"],
    "data.export": ["MINE", "--csv", "{folder}/exported.csv"],
    "data.rm": ["MINE", "--yes"],
    "strategies.check": ["sma_cross"],
    "queue.drain": ["load_candles"],
    "schedules.pause": ["nobody"],
    "schedules.resume": ["nobody"],
    "schedules.remove": ["nobody"],
    "backup": [],
    "backup.create": ["--keep", "2"],
    "backup.copy": ["latest", "{folder}/own"],
    "backup.verify": [],
    "backup.restore": ["latest", "--into", "beside"],
    "backup.prune": ["--keep", "1", "--yes"],
    "jobs.prune": ["--older-than", "30d", "--yes"],
    "dlq.replay": ["--all", "--dry-run"],
    "dlq.purge": ["--all", "--yes"],
    "monitoring.setup": [],
    "monitoring.reload": [],
    "monitoring.restart": [],
    "monitoring.stop": [],
    "monitoring.start": [],
    "optimize.apply": ["--yes"],
    "optimize.revert": ["--yes"],
    "prune": ["--yes"],
    "down": ["--yes"],
}
#: What judges the machine, too: it ends with 1 where that is busy.
JUDGES = {"prod-check", *(dotted(path) for path, _ in leaves() if path[0] in {"diag", "routine"})}
#: How a call ends, where not with 0: a breaker that no job made, a job that has ended, a day too short to judge; and
#: what reads comes before the first backup. A Docker that nothing starts at boot is found. No exchange is called.
ENDS = {"backup.show": {1}, "breakers.reset": {2}, "jobs.cancel": {1}, "optimize.apply": {9}, "service.install": {0, 1}}
ENDS |= {"data.download": {1}}
ENDS |= {name: {0, 1} for name in JUDGES}
ENDS |= {f"schedules.{verb}": {2} for verb in ("pause", "resume", "remove")}
#: How the second call ends, where the first one has done all there is.
AGAIN = {"backup.restore": {9}, "data.export": {9}, "data.rm": {1}, "init": {9}, "jobs.retry": {0, 1}}
AGAIN |= {"keys.create": {1}, "keys.revoke": {2}}
#: The local engine has none, and says so.
IMAGES = {"build", "pull", *(dotted(path) for path, _ in leaves() if path[0] == "images")}

#: Called from a folder of its own: it writes beside compose.yaml, and the checkout's own is not for tests.
CALLED_IN = {"waive": "{folder}/own"}

#: They write a document a line.
LINES = STREAMS | {"jobs.logs"}

#: What fingers know from Compose, and how it ends, as docs/commands.md says it.
HABITS = {
    "up -d --no-canary": 0,
    "up --wait --no-canary": 0,
    "up --scale worker=3": 2,
    "ps": 0,
    "ps -a": 0,
    "status worker": 0,
    "top": 0,
    "logs -n 1 -t worker-1": 0,
    "exec -it worker-1 echo hello": 0,
    "exec -T worker-1 -- echo hello": 0,
    "images ls": 0,
    "down -v": 9,
}

PATHS = [path for path, _ in leaves() if dotted(path) not in ELSEWHERE]
READING = [path for path in PATHS if dotted(path) not in CHANGES]
CHANGING = [name.split(".") for name in CHANGES]

FOREIGN = re.compile(r"Traceback|TB-0199|Input should be")


@dataclass(frozen=True)
class Called:
    """One call: how it ended, what it wrote, and the report behind it, if it came to one."""

    exit_code: int
    out: str
    err: str
    report: Report | None

    def __str__(self) -> str:
        return f"exit {self.exit_code}\n{self.out}\n{self.err}"


def facts(project: Tradebot, folder: Path) -> dict[str, str]:
    """What there is to show: jobs that succeeded and died, a silence, a bundle."""
    found = {
        "folder": str(folder),
        "bundle": str(folder / "bundle.tar.gz"),
        "tomorrow": f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%d}",
        "job": project.submit("sweep", "symbol=AAPL", "strategy=sma_cross", "fast=[5,10]", "slow=[30,60]"),
        "dead": project.submit("backtest", "symbol=NOSUCH", "strategy=sma_cross"),
    }
    project.ended(found["job"])
    project.ended(found["dead"])
    project.ok("diag", "bundle", "--output-file", found["bundle"])
    days = (f"MINE,2024-01-0{day},1.5,2,1,1.5,10\n" for day in range(2, 6))
    (folder / "prices.csv").write_text("Symbol,Date,Open,High,Low,Close,Volume\n" + "".join(days))
    (folder / "own").mkdir()
    shutil.copy(project.cwd / "compose.yaml", folder / "own")
    (folder / "token").write_text("a-token-of-my-own-choosing\n")
    _write_certificate(folder)
    return found | {"silence": project.json("alerts", "silence", "InstanceNone", "--for", "1h", "-m", "x")["id"]}


def _write_certificate(folder: Path) -> None:
    """One that may be taken, with its key and its authority."""
    now = datetime.now(UTC)
    above = issue.authority("others", now)
    made = issue.server(above, ("localhost",), now, 30)
    (folder / "certificate").write_text(made.certificate + above.certificate)
    (folder / "key").write_text(made.key.reveal())


def habit(project: Tradebot, typed: str) -> None:
    """In a process of its own: `exec` hands real streams on."""
    done = project.run(*typed.split())
    expected = 1 if typed.startswith("images") and project.engine == "local" else HABITS[typed]
    assert done.returncode == expected, done.stdout + done.stderr
    assert ("-> " in done.stderr) == bool(expected), done.stderr
    if "echo" in typed:
        assert done.stdout == "hello\n"


class Matrix:
    """Calls commands of a running project in this process, as its user would."""

    def __init__(self, project: Tradebot, patch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str]) -> None:
        self._project, self._patch, self._capture = project, patch, capture
        self._reports: list[Report] = []
        for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR"):
            patch.delenv(name, raising=False)
        for name, value in project.environment().items():
            patch.setenv(name, value)
        patch.setattr("tradebot_ops.cli.emit.renderer", self._watched)

    def examine(self, path: list[str], names: dict[str, str]) -> None:
        """Call it for people, for programs, and wrongly; what is wrong is shown with all that the call left."""
        name = dotted(path)
        words = [word.format(**names) for word in CHANGES.get(name, CALLS.get(name, WORDS.get(name, [])))]
        ends = {1} if name in IMAGES and self._project.engine == "local" else ENDS.get(name, {0})
        self._patch.chdir(CALLED_IN.get(name, str(self._project.cwd)).format(**names))

        called = self._call(path, *words, ends=ends)
        if called.report:
            whole_in_a_pipe(called.report, self._patch)
            same_facts(called.report, self._patch)

        called = self._call(path, *words, "--json", ends=AGAIN.get(name, ends))
        assert not EMPTY.search(called.out), called.out
        for document in called.out.splitlines() if name in LINES else [called.out]:
            read = json.loads(document, parse_constant=_refuse)
            assert name in LINES or read["schema"] == f"tradebot/v1/{name}"

        assert "-> " in self._call(path, "--nonsense", ends={2}).err

    def _call(self, path: list[str], *more: str, ends: set[int]) -> Called:
        self._patch.delenv("COLUMNS", raising=False)
        self._patch.setenv("SHELL", "/bin/bash")
        in_force.keep([])
        self._reports.clear()
        self._capture.readouterr()
        words = ["-p", self._project.project, "--engine", self._project.engine, *path, *more]
        code = get_command(app).main(words, standalone_mode=False)
        called = Called(code, *self._capture.readouterr(), self._reports[-1] if self._reports else None)
        assert called.exit_code in ends, called
        assert not FOREIGN.search(called.out + called.err), called
        return called

    def _watched(self, output: str) -> Renderer:
        def render(report: Report, *rest: Any) -> None:
            self._reports.append(report)
            renderer(output)(report, *rest)

        return render


def _refuse(constant: str) -> NoReturn:
    raise AssertionError(f"{constant} is no JSON")
