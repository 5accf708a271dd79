"""A stack of one's own: written into a folder once, shown with where its settings come from, and checked."""

from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.operations.seen import refusal, whole
from tests.operations.test_change import world
from tradebot_ops.errors import OpsError
from tradebot_ops.operations import project
from tradebot_ops.records import DesiredReplicas
from tradebot_ops.settings import STACK_SETTINGS


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small stack in the place of the one that ships."""
    folder = tmp_path / "shipped"
    (folder / "config" / "deep" / "__pycache__").mkdir(parents=True)
    (folder / "services").mkdir()
    (folder / "compose.yaml").write_text("services: {}\n")
    (folder / "config" / "deep" / "rules.yml").write_text("rules")
    (folder / "config" / "deep" / "__pycache__" / "x.pyc").write_text("x")
    (folder / "services" / "Dockerfile").write_text("FROM x")
    (folder / "secret").write_text("no part of it")
    monkeypatch.setattr(project, "default_folder", lambda: folder)
    return folder


@pytest.mark.parametrize("there", [False, True])
def test_it_is_written_whole_and_without_what_python_left(shipped: Path, tmp_path: Path, there: bool) -> None:
    target = tmp_path / "new" / "mine"
    if there:
        target.mkdir(parents=True)
        (target / "README").write_text("mine")
    report = project.init(target)
    found = {str(path.relative_to(target)) for path in target.rglob("*") if path.is_file()} - {"README"}
    assert found == {"compose.yaml", "config/deep/rules.yml", "services/Dockerfile", ".env.production.example"}
    assert (target / "compose.yaml").read_text() == "services: {}\n"
    assert (target / ".env.production.example").read_text() == project.example_env()
    assert whole(report).splitlines() == [
        "exit codes 0, 1; now 0",
        "# ",
        f"Wrote compose.yaml, config, services, .env.production.example into {target}.",
        "Edit them, then, in that folder: tradebot up",
        f'data folder: "{target}"',
        *(f'data written: "{name}"' for name in ("compose.yaml", "config", "services", ".env.production.example")),
    ]


def test_nothing_is_overwritten(shipped: Path, tmp_path: Path) -> None:
    target = tmp_path / "mine"
    (target / "services").mkdir(parents=True)
    (target / "compose.yaml").write_text("mine")
    with pytest.raises(OpsError) as raised:
        project.init(target)
    assert refusal(raised.value) == (
        "TB-0906",
        f"{target} already holds compose.yaml, services; nothing was written.",
        "Choose an empty folder: tradebot init my-stack",
    )
    assert sorted(path.name for path in target.iterdir()) == ["compose.yaml", "services"]


def test_the_example_has_every_setting_commented_out() -> None:
    lines = project.example_env().split("\n")
    assert lines[:2] == [
        "# Settings of the stack. Copy to .env.production, set ENVIRONMENT=production, uncomment what you change.",
        "",
    ]
    for place, setting in enumerate(STACK_SETTINGS):
        start = 2 + 3 * place
        assert lines[start : start + 3] == [f"# {setting.help}.", f"#{setting.name}={setting.default}", ""]
    assert len(lines) == 2 + 3 * len(STACK_SETTINGS)


def test_what_scale_stored_outranks_the_rest(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    ops = world(tmp_path, LOG_LEVEL="debug")
    ops.state.store(DesiredReplicas({"worker": 3, "batch": 2}))
    wanted = (
        *("exit", "# ", "Stack", "table", "('setting'", "('LOG_LEVEL'", "('WORKER_REPL", "('BATCH_REPL"),
        *("data stack", "data state", 'data settings: {"name": "LOG_LEVEL"', 'data settings: {"name": "BATCH'),
    )
    lines = whole(project.show_config(ops)).replace(str(tmp_path), "HOME").splitlines()
    assert [line for line in lines if line.startswith(wanted)] == snapshot
    rows = project.show_config(ops).sections[0].tables[0].rows
    assert [row[0] for row in rows] == [*(setting.name for setting in STACK_SETTINGS), "BATCH_REPLICAS"]


def test_a_valid_configuration_names_its_services(tmp_path: Path) -> None:
    assert whole(project.validate_config(world(tmp_path))).splitlines() == [
        "exit codes 0, 1; now 0",
        "# ",
        f"The configuration is valid: 3 services (store, setup, worker) from {tmp_path}.",
        'data services: "store"',
        'data services: "setup"',
        'data services: "worker"',
        f'data folder: "{tmp_path}"',
    ]


def test_a_folder_that_cannot_be_written_is_one_sentence(shipped: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OpsError, match="Cannot write ") as caught:
        project.init(tmp_path / "file" / "mine")
    assert caught.value.code == "TB-0802"
