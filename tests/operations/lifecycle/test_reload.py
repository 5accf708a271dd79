"""`monitoring reload`: a signal, but a restart where the file that would be read is the old one."""

from pathlib import Path

import pytest

from tradebot_ops.context import Ops
from tradebot_ops.engines.base import ImageFacts
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.operations.lifecycle import reload
from tradebot_ops.progress import ignore_progress
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
    done = reload.reload(Ops(settings, engine), ignore_progress)
    assert done.data == {"reloaded": ["alertmanager"]}
    verbs = [verb for verb, _ in engine.recording]
    assert verbs == (["stop", "apply"] if replaced else ["signal"])
