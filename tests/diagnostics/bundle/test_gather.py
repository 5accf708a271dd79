"""Whatever a collector brings leaves clean or not at all; one that fails or hangs costs its own files."""

import contextlib
import json
import sqlite3
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.diagnostics.bundle.planted import KNOWN, MARK, UNKNOWN, leaked, lines, told
from tests.diagnostics.bundle.second_opinion import found_in
from tests.paths import ROOT
from tests.prodcheck.test_report import made
from tradebot_ops.clients.prometheus import Series
from tradebot_ops.context import Ops
from tradebot_ops.diagnostics.bundle import archive, gather
from tradebot_ops.diagnostics.bundle.collector import Collector, Files
from tradebot_ops.diagnostics.bundle.command import bundle, collect
from tradebot_ops.diagnostics.redaction import Redactor, Unclean, of_project
from tradebot_ops.engines.base import LogLine, Replica, State
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError
from tradebot_ops.prodcheck.history import History
from tradebot_ops.prodcheck.runner import State as Judged
from tradebot_ops.records import Optimization, Optimizations, ScaleHistory, Scaling
from tradebot_ops.settings import load_settings
from tradebot_ops.settings.secret import SHOWN

COLLECTORS = {each.name: each for each in gather.collectors()}


class Liar:
    """A client whose every answer is full of secrets."""

    def __init__(self, *answer: Any) -> None:
        self._answer = answer

    def __getattr__(self, name: str) -> Any:
        return lambda *words, **options: list(self._answer)


@dataclass(frozen=True)
class Told(Series):
    """A series that is full of secrets, and may be taken for another answer."""

    state: Any = None


class Loud(StubEngine):
    """An engine whose replicas tell all they know, and which says it itself."""

    name = " ".join(lines())

    def list(self) -> tuple[Replica, ...]:
        return (Replica("api", 1, "a", self.name, State.EXITED, image=self.name),)

    def logs(self, query: Any) -> Any:
        for number, line in enumerate(lines()):
            yield LogLine(
                "api", 1, json.dumps({"level": "error", "event": f"{line} {number}", "detail": {"password": line}})
            )
            yield LogLine("postgres", 1, f"ERROR:  {line}")


class Troubled(StubEngine):
    """One worker is gone, the other came back, and the API complains."""

    def list(self) -> tuple[Replica, ...]:
        gone = Replica("worker", 1, "a", "worker-1", State.EXITED, exit_code=1)
        return (
            Replica("migrate", 1, "c", "migrate-1", State.EXITED, exit_code=0),
            gone,
            Replica("worker", 2, "b", "worker-2", State.RUNNING, restarts=3),
        )

    def stats(self, replicas: Any, *, cpu: bool = True) -> tuple[()]:
        return ()

    def logs(self, query: Any) -> Any:
        yield LogLine("api", 1, '{"level": "error", "event": "bad thing 7"}')


@pytest.fixture
def ops(tmp_path: Path) -> Ops:
    """Everything that collectors ask is full of secrets."""
    (tmp_path / "compose.yaml").write_text(
        "services:\n  api:\n    image: api:1\n    command: [serve]\n    environment:\n"
        + "".join(f"      A{number}: {json.dumps(text)}\n" for number, text in enumerate([*lines(), *KNOWN.values()]))
    )
    environ = {
        "TRADEBOT_STATE": str(tmp_path / "state"),
        "SMTP_PASSWORD": KNOWN["odd"],
        "ALERT_EMAIL_TO": KNOWN["short"],
    }
    ops = Ops(load_settings({"project": "demo"}, environ, tmp_path), Loud("demo"))
    for name in ("random", "short", "address"):
        ops.state.write(f"secrets/{name}", KNOWN[name] + "\n")
    text = " ".join(lines())
    ops.state.store(ScaleHistory((Scaling("2026", text, "worker", 1, 2, True),)))
    ops.state.store(Optimizations((Optimization("2026", text, {"A": text}, {text: "1"}),)))
    _store_check(ops, text)
    rows: list[Any] = [{"state": text, "api_key": MARK, "nested": {"token": [MARK], "x": [text]}}]
    for client in ("alertmanager", "api", "postgres", "postgres_monitor", "redis"):
        ops.__dict__[client] = Liar(*rows)
    ops.__dict__["prometheus"] = Liar(Told({"__name__": "x", "password": MARK, "y": text}, ((0.0, 1.0),), *rows))
    return ops


def _store_check(ops: Ops, text: str) -> None:
    """A run of `prod-check` whose every message says it, too."""
    store = History(ops.state.folder)
    store.add(made(Judged.PASS, Judged.FAIL))
    with contextlib.closing(sqlite3.connect(store.path)) as db, db:
        db.execute("UPDATE result SET message = ?", (text,))


@pytest.mark.parametrize("name", COLLECTORS)
def test_no_secret_of_any_kind_leaves_any_collector(ops: Ops, name: str) -> None:
    found = gather.gather(ops, of_project(ops), [COLLECTORS[name]])
    for part in found.parts:
        assert leaked(part.text) == [], part.name
    assert leaked(json.dumps([row.why for row in found.rows])) == []
    assert found.parts, "a collector that brought nothing was not looked at"
    assert SHOWN in "".join(part.text for part in found.parts), "nothing was planted there"


@pytest.mark.parametrize("kind", [*KNOWN, *UNKNOWN])
def test_a_collector_that_says_it_aloud_is_cleaned_too(ops: Ops, kind: str) -> None:
    """As text, as a value, as a name, and in the words of its own failure."""
    text = " ".join(told(KNOWN[kind])) if kind in KNOWN else UNKNOWN[kind]
    loud = Collector("loud", lambda ops: {"a.txt": text, "b.json": {text: [text, {"x": text}]}})

    def fail(ops: Ops) -> Files:
        raise OpsError(f"It refused {text}.")

    found = gather.gather(ops, of_project(ops), [loud, Collector("failing", fail)])
    assert [part.name for part in found.parts] == ["a.txt", "b.json"]
    assert [row.state for row in found.rows] == ["ok", "failed"]
    shown = json.dumps(archive.manifest(found)) + "".join(part.text for part in found.parts)
    assert leaked(shown) == []
    assert "It refused" in shown


def test_the_whole_archive_is_clean_and_its_owners_alone(ops: Ops, tmp_path: Path) -> None:
    path = tmp_path / "bundle.tar.gz"
    report = bundle(ops, path)
    assert path.stat().st_mode & 0o777 == 0o600
    files = archive.read(path)
    assert {"summary.md", "triage.json", "settings.json", "logs/api.log"} <= files.keys()
    assert leaked("\n".join(files.values())) == []
    assert leaked(json.dumps(report.to_dict())) == []
    assert {row["collector"] for row in report.to_dict()["data"]["collectors"]} == set(COLLECTORS)


def test_a_scanner_that_knows_nothing_of_it_finds_nothing_either(ops: Ops, tmp_path: Path) -> None:
    bundle(ops, tmp_path / "bundle.tar.gz")
    folder = tmp_path / "unpacked"
    folder.mkdir()
    for number, (name, text) in enumerate(archive.read(tmp_path / "bundle.tar.gz").items()):
        (folder / f"{number}-{name.replace('/', '-')}").write_text(text, encoding="utf-8")
    (tmp_path / "planted.txt").write_text("\n".join(lines()), encoding="utf-8")
    assert len({kind for _, kind, _ in found_in([tmp_path / "planted.txt"])}) >= 5, "it is no witness"
    assert found_in(folder.iterdir()) == []


def test_what_cannot_be_cleaned_stays_and_is_named(ops: Ops, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Redactor, "document", lambda self, value: {"still": KNOWN["random"]})
    monkeypatch.setattr(Redactor, "clean", _check_only)
    found = gather.gather(ops, of_project(ops), [Collector("one", lambda ops: {"a.json": {}, "b.txt": "fine"})])
    assert [part.name for part in found.parts] == ["b.txt"]
    assert list(found.withheld) == ["a.json"]
    assert found.rows[0].state == "partial"


def _check_only(self: Redactor, text: str) -> str:
    """A cleaner that misses everything, and whose proof still works."""
    if any(form in text for form in self._forms):
        raise Unclean
    return text


def test_one_that_hangs_or_breaks_costs_its_own_files(ops: Ops) -> None:
    never = threading.Event()
    chosen = [
        Collector("hung", lambda ops: {"never": never.wait(30)}, seconds=0.3),
        Collector("broken", lambda ops: {"a": dict[str, str]()["b"]}),
        Collector("fine", lambda ops: {"a.txt": "hello"}),
    ]
    found = gather.gather(ops, of_project(ops), chosen)
    never.set()
    assert {row.collector: row.state for row in found.rows} == {"hung": "failed", "broken": "failed", "fine": "ok"}
    assert [part.name for part in found.parts] == ["a.txt"]
    assert all(row.why for row in found.rows if row.state == "failed")


def test_what_is_too_large_is_cut_before_it_is_cleaned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is cut, half of a secret may be left: that goes, too."""
    monkeypatch.setattr(gather, "MOST_FILE", 1000)
    secret = KNOWN["random"]
    for shift in range(len(secret)):
        text = "x" * 500 + secret + "y" * (1000 - shift)
        part = gather.clean("a.txt", text, Redactor([secret]))
        assert part is not None
        assert part.cut
        assert len(part.text) <= 1000
        assert not any(secret[-size:] in part.text for size in range(4, len(secret)))


def test_all_of_it_is_bounded(ops: Ops, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gather, "MOST", 2500)
    big = Collector("big", lambda ops: {f"{number}.txt": "z" * 1000 for number in range(4)})
    found = gather.gather(ops, Redactor([]), [big])
    assert [part.name for part in found.parts] == ["0.txt", "1.txt"]
    assert list(found.withheld) == ["2.txt", "3.txt"]


def test_the_triage_names_what_stands_out(tmp_path: Path) -> None:
    ops = Ops(load_settings({"project": "demo"}, {"TRADEBOT_STATE": str(tmp_path)}, ROOT), Troubled("demo"))
    parts = {part.name: part.text for part in collect(ops).parts}
    found = json.loads(parts["triage.json"])
    assert found["not_running"] == ["worker-1"]
    assert found["restarted"] == {"worker-2": 3}
    assert found["firing"] is None
    assert found["errors"][0]["event"] == "bad thing <number>"
    assert "- firing: not known" in parts["summary.md"]
    assert "1 × api: bad thing <number>" in parts["summary.md"]
