"""What a restore refuses before it touches anything."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.backups.test_manifest import MANIFEST
from tests.operations.backup.kit import put, world
from tradebot_ops.errors import OpsError
from tradebot_ops.operations.backup import guard


@pytest.mark.parametrize(
    ("project", "named", "code"),
    [("demo", "", ""), ("other", "other", ""), ("other", "", "TB-0921"), ("other", "third", "TB-0921")],
)
def test_another_projects_backup_has_to_be_named(tmp_path: Path, project: str, named: str, code: str) -> None:
    ops = world(tmp_path)
    manifest = replace(MANIFEST, project=project)
    backup = put(ops, manifest=manifest)
    if code:
        with pytest.raises(OpsError) as caught:
            guard.check_origin(ops, backup, manifest, named)
        assert (caught.value.code, caught.value.hint.split()[-1]) == (code, "other")
    else:
        guard.check_origin(ops, backup, manifest, named)


@pytest.mark.parametrize(("revision", "refused"), [("0001", False), ("", False), ("9999", True), ("nonsense", True)])
def test_a_schema_that_this_release_does_not_know_is_refused(tmp_path: Path, revision: str, refused: bool) -> None:
    ops = world(tmp_path)
    manifest = replace(MANIFEST, revision=revision)
    backup = put(ops, manifest=manifest)
    if not refused:
        guard.check_origin(ops, backup, manifest, "")
        return
    with pytest.raises(OpsError) as caught:
        guard.check_origin(ops, backup, manifest, "")
    assert caught.value.code == "TB-0922"
    assert f"its newest is {max(guard._known_revisions(ops))}" in caught.value.message


@pytest.mark.parametrize(
    ("server", "major", "refused"), [("18.6", 18, 0), ("18.6", 19, 0), ("18.6", 17, 1), ("18", 0, 0)]
)
def test_an_older_postgres_cannot_read_it(tmp_path: Path, server: str, major: int, refused: int) -> None:
    manifest = replace(MANIFEST, server=server)
    backup = put(world(tmp_path), manifest=manifest)
    if not refused:
        guard.check_server(backup, manifest, major)
        return
    with pytest.raises(OpsError) as caught:
        guard.check_server(backup, manifest, major)
    assert caught.value.code == "TB-0924"


def test_whoever_uses_the_data_and_runs_is_found(tmp_path: Path) -> None:
    """Also what depends on the migration alone; not the stores, not what only looks, not what has stopped."""
    ops = world(tmp_path, "redis", "postgres", "api", "worker", "prometheus")
    assert {found.service for found in guard.users(ops)} == {"api", "worker"}
    worker = next(found for found in ops.engine.list() if found.service == "worker")
    ops.engine.stop(worker, 1)
    assert [found.service for found in guard.users(ops)] == ["api"]


def test_while_they_run_a_restore_is_refused(tmp_path: Path) -> None:
    ops = world(tmp_path, "worker", "api")
    with pytest.raises(OpsError) as caught:
        guard.check_stopped(guard.users(ops), "demo")
    assert caught.value.code == "TB-0923"
    assert "(api-1, worker-1)" in caught.value.message
    guard.check_stopped((), "demo")
