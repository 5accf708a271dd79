"""`monitoring reload`: a signal, but a restart where the file that would be read is the old one."""

from pathlib import Path

import pytest

from tests.operations.converge.test_reload import Said, now
from tests.operations.seen import Made, made, refusal
from tradebot_ops.context import Ops
from tradebot_ops.engines.base import ImageFacts
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError, Refused
from tradebot_ops.model import Report
from tradebot_ops.operations.lifecycle import reload, up
from tradebot_ops.operations.monitoring import channels
from tradebot_ops.progress import OnProgress, Phase, ProgressEvent, ignore_progress
from tradebot_ops.settings import load_settings

COMPOSE = """
services:
  alertmanager: {image: "a:1", command: [a], volumes: ["./a.yml:/a.yml:ro"], x-tradebot: {reload: SIGHUP}}
"""


@pytest.mark.parametrize("replaced", [False, True])
def test_a_replaced_file_is_read_by_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, replaced: bool) -> None:
    (tmp_path / "compose.yaml").write_text(COMPOSE, encoding="utf-8")
    (tmp_path / "a.yml").write_text("before", encoding="utf-8")
    settings = load_settings({"project": "demo"}, {"TRADEBOT_STATE": str(tmp_path / "state")}, tmp_path)
    engine = StubEngine("demo")
    engine.prepare(Ops(settings, engine).stack, lambda service, line: None)
    engine.apply(Ops(settings, engine).stack, "alertmanager", 1)
    engine.recording.clear()
    (tmp_path / "a.yml").write_text("after", encoding="utf-8")
    engine.facts = ImageFacts(replaced=frozenset({("alertmanager", 1)} if replaced else ()))
    monkeypatch.setattr(reload, "check_files", lambda ops: True)
    monkeypatch.setattr(reload, "answers_of", lambda ops: {})
    events: list[ProgressEvent] = []
    done = reload.reload(Ops(settings, engine), events.append)
    assert events[0] == (
        ProgressEvent("alertmanager", Phase.STARTING, "its mounted file was replaced")
        if replaced
        else ProgressEvent("alertmanager", Phase.PREPARING, "reads its configuration")
    )
    assert done.data == {"reloaded": ["alertmanager"]}
    verbs = [verb for verb, _ in engine.recording]
    assert verbs == (["stop", "apply"] if replaced else ["signal"])


BOTH = """
services:
  prometheus: {image: "p:1", command: [p], volumes: ["./a.yml:/a.yml:ro"], x-tradebot: {reload: SIGHUP}}
  alertmanager: {image: "a:1", command: [a], volumes: ["./a.yml:/a.yml:ro"], x-tradebot: {reload: SIGHUP}}
  api: {image: "api:1", command: [api]}
"""


class World:
    """All three run, and the file was edited since; ``said`` is what Prometheus and Alertmanager answer."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.engine, self.checked = folder, StubEngine("demo"), list[str]()
        self.said = {"prometheus": now, "alertmanager": now}
        self.checks = True
        (folder / "compose.yaml").write_text(BOTH)
        (folder / "a.yml").write_text("before")
        ops = self.ops()
        self.engine.prepare(ops.stack, lambda service, line: None)
        for name in ops.stack.services:
            self.engine.apply(ops.stack, name, 1)
        self.engine.recording.clear()
        (folder / "a.yml").write_text("after")
        monkeypatch.setattr(reload, "check_files", self._check)
        monkeypatch.setattr(reload, "answers_of", lambda ops: self.said)
        monkeypatch.setattr(channels, "ensure", lambda ops: self.checked.append("channels"))

    def ops(self) -> Ops:
        settings = load_settings({"project": "demo"}, {"TRADEBOT_STATE": str(self.folder / "state")}, self.folder)
        return Ops(settings, self.engine)

    def _check(self, ops: Ops) -> bool:
        self.checked.append("files")
        if (self.folder / "a.yml").read_text() == "wrong":
            raise OpsError("a.yml, line 1: wrong.", code="TB-0860")
        return self.checks

    def reload(self, on_progress: OnProgress = ignore_progress) -> Report:
        return reload.reload(self.ops(), on_progress)

    def signals(self) -> list[str]:
        return [subject for verb, subject in self.engine.recording if verb == "signal"]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)


def test_both_are_checked_first_and_nobody_else_is_asked_to_read_again(world: World) -> None:
    report = world.reload()
    assert world.checked == ["channels", "files"]
    assert world.signals() == ["alertmanager-1 SIGHUP", "prometheus-1 SIGHUP"]
    assert report.data == {"reloaded": ["alertmanager", "prometheus"]}
    assert report.sections[0].lines == ("Checked and reloaded: alertmanager, prometheus.",)
    world.checks = False
    assert world.reload().sections[0].lines == ("Reloaded: alertmanager, prometheus.",)


def test_a_configuration_that_is_wrong_is_not_read(world: World) -> None:
    (world.folder / "a.yml").write_text("wrong")
    with pytest.raises(OpsError, match="line 1"):
        world.reload()
    assert world.engine.recording == []


def test_one_that_is_refused_is_said(world: World) -> None:
    before = iter([Said(config_loaded=True)])
    world.said["prometheus"] = lambda: next(before, Said(config_loaded=False))
    with pytest.raises(Refused, match="Prometheus refused its new configuration"):
        world.reload()


def test_nothing_is_read_while_another_command_changes_the_project(world: World) -> None:
    with world.ops().state.lock("up"), pytest.raises(OpsError, match="is being changed by"):
        world.reload()
    assert (world.engine.recording, world.checked) == ([], [])


def test_what_does_not_run_is_left_alone(world: World) -> None:
    [alertmanager] = [found for found in world.engine.list() if found.service == "alertmanager"]
    world.engine.stop(alertmanager, 1)
    assert world.reload().data == {"reloaded": ["prometheus"]}
    assert world.signals() == ["prometheus-1 SIGHUP"]
    [prometheus] = [found for found in world.engine.list() if found.service == "prometheus"]
    world.engine.stop(prometheus, 1)
    with pytest.raises(OpsError) as caught:
        world.reload()
    why = "Neither Prometheus nor Alertmanager runs."
    assert refusal(caught.value) == ("TB-0113", why, "tradebot monitoring start")


def test_another_description_needs_more_than_a_signal(world: World) -> None:
    (world.folder / "compose.yaml").write_text(BOTH.replace("command: [p]", "command: [p, --more]"))
    with pytest.raises(OpsError) as caught:
        world.reload()
    why = "prometheus itself is described differently by now, and must be started anew."
    assert refusal(caught.value) == ("TB-0907", why, "tradebot up")
    assert "prometheus-1 SIGHUP" not in world.signals()


def test_who_looks_on_and_the_audit_log_are_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[ProgressEvent] = []
    world.reload(events.append)
    assert events == [
        ProgressEvent("alertmanager", Phase.PREPARING, "reads its configuration"),
        ProgressEvent("alertmanager", Phase.DONE),
        ProgressEvent("prometheus", Phase.PREPARING, "reads its configuration"),
        ProgressEvent("prometheus", Phase.DONE),
    ]
    assert made(monkeypatch, world.reload) == [Made(("monitoring reload",))]


@pytest.mark.parametrize(("edited", "checked"), [("a.yml", True), ("api.yml", False), ("", False)])
def test_up_checks_what_it_would_have_read(
    world: World, monkeypatch: pytest.MonkeyPatch, edited: str, checked: bool
) -> None:
    """Prometheus would go on with the old rules without a word; what others read is not ours to judge."""
    (world.folder / "compose.yaml").write_text(
        BOTH.replace("command: [api]", 'command: [api], volumes: ["./api.yml:/x:ro"]')
    )
    (world.folder / "api.yml").write_text("before")
    ops = world.ops()
    for name in ops.stack.services:
        world.engine.apply(ops.stack, name, 1)
    monkeypatch.setattr(up, "check_files", world._check)
    monkeypatch.setattr(up, "answers_of", lambda ops: world.said)
    if edited:
        (world.folder / edited).write_text("wrong")
    world.engine.recording.clear()
    if checked:
        with pytest.raises(OpsError, match="line 1"):
            up.up(world.ops(), [], ignore_progress, prove=False)
        assert world.signals() == []
    else:
        up.up(world.ops(), [], ignore_progress, prove=False)
        assert "files" not in world.checked
