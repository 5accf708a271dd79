"""What a restore refuses before it touches anything."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.backups.test_manifest import MANIFEST
from tests.operations.backup.kit import put, world
from tests.operations.seen import refusal
from tradebot_ops.engines.base import Replica, State
from tradebot_ops.errors import OpsError
from tradebot_ops.facts.fact import NotApplicable, Skip
from tradebot_ops.operations.backup import guard
from tradebot_ops.stack.model import Dependency, Service, Stack


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


def test_each_refusal_says_what_to_type(tmp_path: Path) -> None:
    ops = world(tmp_path, "worker", "api")
    backup = put(ops)

    def said(act: Callable[[], None]) -> tuple[str, str, str]:
        with pytest.raises(OpsError) as caught:
            act()
        return refusal(caught.value)

    assert said(lambda: guard.check_origin(ops, backup, replace(MANIFEST, project="other"), "")) == (
        "TB-0921",
        f"The backup {backup.id} is of the project other, and this is demo.",
        "If it is meant to replace this one's data: --from-project other",
    )
    newest = max(guard._known_revisions(ops))
    assert said(lambda: guard.check_origin(ops, backup, replace(MANIFEST, revision="9999"), "")) == (
        "TB-0922",
        f"The backup {backup.id} has schema 9999, which this release does not know: its newest is {newest}.",
        "Install the release that made it, tradebot 0.1.0 or newer.",
    )
    assert said(lambda: guard.check_server(backup, MANIFEST, 17)) == (
        "TB-0924",
        f"The backup {backup.id} was made by Postgres 18.6, and Postgres 17 cannot read it.",
        "Run Postgres 18 or newer: POSTGRES_IMAGE, or --engine.",
    )
    assert said(lambda: guard.check_stopped(guard.users(ops), "demo")) == (
        "TB-0923",
        "demo is running (api-1, worker-1), and a restore would take its data away; nothing was done.",
        "Let the restore stop it first: add --stop. Or look at the data beside it: --into NAME",
    )


def test_a_description_without_our_migration_knows_no_schema(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ops = world(tmp_path)
    backup = put(ops)

    def none(_: object) -> None:
        raise NotApplicable(Skip.PROFILE, "there is no migration of ours")

    monkeypatch.setattr("tradebot_ops.facts.stores.migrations.versions_folder", none)
    guard.check_origin(ops, backup, replace(MANIFEST, revision="9999"), "")
    assert guard._known_revisions(ops) == frozenset()


def test_who_waits_for_a_task_alone_uses_the_data_too(tmp_path: Path) -> None:
    """The task itself does where it waits for a store; who waits for something else does not."""
    ops = world(tmp_path)
    services = {
        "postgres": Service("postgres", "p", ()),
        "redis": Service("redis", "r", (), depends_on=(Dependency("postgres"),)),
        "task": Service("task", "t", (), one_shot=True, depends_on=(Dependency("postgres"),)),
        "api": Service("api", "a", (), depends_on=(Dependency("other"), Dependency("task"))),
        "queue": Service("queue", "q", (), depends_on=(Dependency("redis"),)),
        "looker": Service("looker", "l", (), depends_on=(Dependency("api"),)),
        "other": Service("other", "o", ()),
    }
    stack = Stack("demo", tmp_path, (), services)
    ops.__dict__["stack"] = stack
    ops.engine.prepare(stack, lambda *_: None)
    for name in services:
        ops.engine.apply(stack, name, 1)
    running = {found.service for found in ops.engine.list() if found.state.alive}
    assert {found.service for found in guard.users(ops)} == {"api", "queue"} | ({"task"} & running)


def test_what_runs_is_named_in_order() -> None:
    running = [
        Replica(service, number, "i", f"demo-{service}-{number}", State.RUNNING)
        for service, number in (("worker", 2), ("api", 1), ("worker", 1))
    ]
    guard.check_stopped((), "demo")
    with pytest.raises(OpsError, match=r"demo is running \(api-1, worker-1, worker-2\)") as caught:
        guard.check_stopped(running, "demo")
    assert caught.value.code == "TB-0923"
