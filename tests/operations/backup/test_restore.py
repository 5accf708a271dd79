"""The steps of a restore in their order: what is refused changes nothing, what fails before the swap leaves the old
database in its place, and afterwards no job starts by itself."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.backups.test_manifest import MANIFEST
from tests.operations.backup.kit import Database, PipingEngine, put, shelf, with_database, world
from tests.operations.seen import Made, made, refusal
from tests.operations.trade.test_open_positions import LONG, Api, bot
from tradebot_ops.backups.shelf import CONFIG, Refutation
from tradebot_ops.context import Ops
from tradebot_ops.engines.base import ExecResult
from tradebot_ops.errors import ExitCode, OpsError, Unreachable
from tradebot_ops.operations.backup import configuration, restore
from tradebot_ops.progress import OnProgress, Phase, ProgressEvent, ignore_progress
from tradebot_ops.records import WatchedBot, WorkersTold


class Redis:
    def __init__(self, database: Database) -> None:
        self.database = database

    def forget_everything(self) -> None:
        self.database.asked.append(("redis", "FORGET", ()))


@pytest.fixture
def ops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ops:
    """Its database writes down what is stopped and started, too."""
    made = world(tmp_path, "redis", "postgres", "migrate")
    database = with_database(made)
    database.answers["SELECT state, count(*)"] = [{"state": "running", "jobs": 1}]
    made.__dict__["redis"] = Redis(database)

    def stop(_: Ops, services: Sequence[str], *__: Any, forced: str) -> None:
        assert forced == "", "only what was typed is handed on"
        database.asked.append(("", f"STOP {' '.join(services)}", ()))

    def up(_: Ops, services: Sequence[str], *__: Any, prove: bool) -> None:
        assert not prove
        database.asked.append(("", f"UP {' '.join(services)}", ()))

    monkeypatch.setattr(restore, "stop", stop)
    monkeypatch.setattr(restore, "up", up)
    return made


def asked(ops: Ops) -> Database:
    found: Any = ops.postgres
    assert isinstance(found, Database)
    return found


def words(ops: Ops) -> list[str]:
    """What was done, in order, without the looking."""
    verbs = (
        "STOP",
        "UP",
        "FORGET",
        "CREATE DATABASE",
        "DROP",
        "ALTER",
        "BEGIN",
        "COMMIT",
        "UPDATE public.job",
        "INSERT",
    )
    return [" ".join(text.split()[:3]) for text in asked(ops).statements() if text.startswith(verbs)]


def restored(ops: Ops, name: str = "latest", **options: Any) -> Any:
    return restore.restore(ops, shelf(ops), name, lambda _: None, ignore_progress, **options)


def test_each_step_comes_after_the_one_that_it_needs(ops: Ops) -> None:
    put(ops)
    found = restored(ops)
    said = asked(ops).statements()
    assert words(ops)[:3] == [
        "UP postgres redis",
        "DROP DATABASE IF",
        'CREATE DATABASE "tradebot_restoring"',
    ]
    halted = said.index("BEGIN")
    assert said[halted + 1].startswith("INSERT INTO public.halt")
    assert said[halted + 2].startswith("UPDATE public.job SET lease_until")
    forgotten = said.index("FORGET")
    ended = next(number for number, text in enumerate(said) if text.startswith("SELECT pg_terminate_backend"))
    renamed = [number for number, text in enumerate(said) if text.startswith("ALTER DATABASE")]
    migrated = said.index("UP migrate")
    noted = next(number for number, text in enumerate(said) if text.startswith("INSERT INTO public.backup_note"))
    assert halted < forgotten < ended < renamed[0] < renamed[1] < migrated < noted
    assert (said[renamed[0] - 1], said[renamed[1] + 1]) == ("BEGIN", "COMMIT")
    assert [said[number].split()[2:] for number in renamed] == [
        ['"tradebot"', "RENAME", "TO", '"tradebot_before_20261127t120000"'],
        ['"tradebot_restoring"', "RENAME", "TO", '"tradebot"'],
    ]
    assert found.data["aside"] == "tradebot_before_20261127t120000"
    assert found.data["jobs"] == {"running": 1}
    assert ops.state.load(WorkersTold) == WorkersTold()
    assert not [each for each in ops.engine.list() if each.service == "migrate"], "else it passes for migrated"


def test_the_latest_is_the_newest_that_did_not_fail_and_the_other_is_named(ops: Ops, tmp_path: Path) -> None:
    fine, failed = put(ops, 1), put(ops)
    failed.refute(Refutation("2026-11-27T09:00:00+00:00", "The dump is cut."))
    sentence = f"The last verification of the backup {failed.id} failed: The dump is cut."
    found = restored(ops)
    assert (found.data["id"], found.warnings) == (fine.id, (sentence,))
    beside = restore.restore_beside(ops, shelf(ops), "latest", "look", ignore_progress)
    assert beside.warnings == (sentence,)
    asked_for = restored(ops, failed.id)
    assert (asked_for.data["id"], asked_for.warnings) == (failed.id, (sentence,)), "it is compared before it is used"


def test_how_the_old_database_is_dropped_is_said(ops: Ops) -> None:
    put(ops)
    aside = "tradebot_before_20261127t120000"
    assert f"tradebot exec postgres -- dropdb -U tradebot {aside}" in restored(ops).sections[0].lines[-1]


def test_an_empty_database_is_not_kept(ops: Ops) -> None:
    put(ops)
    asked(ops).answers["SELECT count(*) AS tables"] = [{"tables": 0}]
    found = restored(ops)
    assert found.data["aside"] is None
    assert any(text.startswith("DROP") and "_before_" in text for text in asked(ops).statements())


@pytest.mark.parametrize(
    ("answers", "ends"),
    [
        ({"SELECT count(*) AS rows": [{"rows": 2, "digest": "77"}]}, {}),
        ({}, {"pg_restore": ExecResult(1, "pg_restore: error: end of file")}),
    ],
)
def test_what_fails_before_the_swap_leaves_the_old_one_in_place(
    ops: Ops, answers: dict[str, Any], ends: dict[str, ExecResult]
) -> None:
    put(ops)
    asked(ops).answers |= answers
    assert isinstance(ops.engine, PipingEngine)
    ops.engine.ends |= ends
    with pytest.raises(OpsError) as caught:
        restored(ops)
    assert caught.value.detail[-1] == "The database is as it was; start again with: tradebot up"
    assert not {"ALTER", "FORGET"} & {text.split()[0] for text in asked(ops).statements()}


def test_a_schema_without_halts_is_halted_after_its_migration(ops: Ops) -> None:
    put(ops)
    answers = iter([[{"has": False}], [{"has": True}]])

    class Later(list[Any]):
        def __iter__(self) -> Iterator[Any]:
            return iter(next(answers))

    asked(ops).answers["SELECT to_regclass('public.halt')"] = Later()
    found = restored(ops)
    said = asked(ops).statements()
    halted = next(number for number, text in enumerate(said) if text.startswith("INSERT INTO public.halt"))
    assert said.index("UP migrate") < halted
    assert found.data["jobs"] == {"running": 1}
    (why,) = [params for _, text, params in asked(ops).asked if text.startswith("INSERT INTO public.halt")]
    assert f"restored from backup {found.data['id']}" in why


def test_what_runs_is_stopped_only_where_that_was_asked_for(ops: Ops) -> None:
    put(ops)
    ops.engine.apply(ops.stack, "worker", 1)
    with pytest.raises(OpsError) as caught:
        restored(ops)
    assert (caught.value.code, asked(ops).asked) == ("TB-0923", [])
    restored(ops, stop_first=True)
    assert words(ops)[0] == "STOP worker"


@pytest.fixture
def held(ops: Ops) -> Ops:
    """The watched bot holds a position, and the stack runs."""
    ops.state.store(WatchedBot("freqtrade"))
    ops.__dict__["api"] = Api(bot([LONG]))
    ops.engine.apply(ops.stack, "worker", 1)
    put(ops)
    return ops


@pytest.mark.parametrize(
    ("api", "code"),
    [(Api(bot([LONG])), "TB-0911"), (Api(error=Unreachable("It is away.", code="TB-0501")), "TB-0912")],
)
def test_an_open_position_or_an_unknown_one_refuses_it_before_anybody_is_asked(held: Ops, api: Api, code: str) -> None:
    held.__dict__["api"] = api
    before = held.engine.list()
    with pytest.raises(OpsError) as caught:
        restore.restore(held, shelf(held), "latest", pytest.fail, ignore_progress, stop_first=True)
    assert (caught.value.code, caught.value.exit_code) == (code, ExitCode.REFUSED)
    assert "--force --reason" in caught.value.hint
    assert (asked(held).asked, held.engine.list()) == ([], before)


def test_forced_it_is_restored_and_the_reason_is_kept(held: Ops, monkeypatch: pytest.MonkeyPatch) -> None:
    reasons = list[str]()
    monkeypatch.setattr(restore, "stop", lambda *_, forced: reasons.append(forced))
    restored(held, stop_first=True, forced="maintenance")
    assert any(text.startswith("ALTER DATABASE") for text in asked(held).statements())
    assert reasons == ["maintenance"], "what stops the stack is not refused for the same position"
    assert [line for line in held.warnings if line.endswith("It was done all the same: maintenance")]
    assert '"--force", "--reason", "maintenance"' in (held.state.folder / "audit.jsonl").read_text()


def test_who_says_no_changes_nothing(ops: Ops) -> None:
    backup = put(ops)

    def no(sentence: str) -> None:
        assert backup.id in sentence
        raise OpsError("Not confirmed.", code="TB-0201")

    with pytest.raises(OpsError):
        restore.restore(ops, shelf(ops), "latest", no, ignore_progress)
    assert asked(ops).asked == []


@pytest.mark.parametrize(
    ("manifest", "code"),
    [(replace(MANIFEST, project="other"), "TB-0921"), (replace(MANIFEST, revision="9999"), "TB-0922")],
)
def test_what_a_guard_refuses_changes_nothing(ops: Ops, manifest: Any, code: str) -> None:
    put(ops, manifest=manifest)
    with pytest.raises(OpsError) as caught:
        restored(ops, stop_first=True)
    assert (caught.value.code, asked(ops).asked) == (code, [])
    with pytest.raises(OpsError) as caught:
        restore.restore_beside(ops, shelf(ops), "latest", "look", ignore_progress)
    assert (caught.value.code, asked(ops).asked) == (code, [])


def test_the_dump_of_a_newer_postgres_is_not_tried(ops: Ops) -> None:
    put(ops, manifest=replace(MANIFEST, server="19.1"))
    for asked_for in (restored, lambda ops: restore.restore_beside(ops, shelf(ops), "latest", "x", ignore_progress)):
        with pytest.raises(OpsError) as caught:
            asked_for(ops)
        assert caught.value.code == "TB-0924"
    assert not [text for text in asked(ops).statements() if text.startswith(("CREATE DATABASE", "ALTER"))]


def test_beside_takes_a_name_that_is_free(ops: Ops) -> None:
    put(ops)
    asked(ops).answers["SELECT 1 AS found"] = [{"found": 1}]
    with pytest.raises(OpsError) as caught:
        restore.restore_beside(ops, shelf(ops), "latest", "look", ignore_progress)
    assert caught.value.code == "TB-0926"
    assert not [text for text in asked(ops).statements() if text.startswith("CREATE DATABASE")]
    del asked(ops).answers["SELECT 1 AS found"]
    found = restore.restore_beside(ops, shelf(ops), "latest", "look", ignore_progress)
    assert isinstance(found.data, dict)
    assert (found.data["database"], found.data["rows"]) == ("look", 3)
    assert not {"ALTER", "DROP", "STOP", "FORGET"} & {text.split()[0] for text in asked(ops).statements()}


def test_the_configuration_goes_into_an_empty_folder_alone(ops: Ops, tmp_path: Path) -> None:
    from tradebot_ops.operations.backup import create

    create.create(ops, ignore_progress)
    target = tmp_path / "look"
    found = restore.restore_configuration(ops, shelf(ops), "latest", target)
    assert isinstance(found.data, dict)
    assert {"compose.yaml", "settings.env"} <= set(found.data["files"])
    assert (target / "compose.yaml").is_file()
    assert target.stat().st_mode & 0o777 == 0o700
    (target / "compose.yaml").write_text("mine")
    with pytest.raises(OpsError) as caught:
        restore.restore_configuration(ops, shelf(ops), "latest", target)
    assert (caught.value.code, (target / "compose.yaml").read_text()) == ("TB-0925", "mine")


def test_what_is_no_part(ops: Ops) -> None:
    assert restore.is_configuration("config")
    assert not restore.is_configuration("postgres")
    with pytest.raises(OpsError) as caught:
        restore.is_configuration("redis")
    assert caught.value.code == "TB-0266"


@pytest.mark.parametrize(("forced", "more"), [("", ()), ("the disk died", ("--force", "--reason", "the disk died"))])
def test_the_audit_log_has_why_a_restore_was_forced(
    ops: Ops, monkeypatch: pytest.MonkeyPatch, forced: str, more: tuple[str, ...]
) -> None:
    backup = put(ops)

    def act(heard: OnProgress) -> None:
        restore.restore(ops, shelf(ops), "latest", lambda _: None, heard, forced=forced)

    assert made(monkeypatch, act) == [Made(("backup restore", backup.id, *more))]


def test_the_audit_log_has_the_database_that_a_backup_is_restored_into(
    ops: Ops, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = put(ops)
    assert made(monkeypatch, lambda heard: restore.restore_beside(ops, shelf(ops), "latest", "beside", heard)) == [
        Made(("backup restore", backup.id, "--into", "beside"))
    ]


def test_the_backup_of_another_project_is_put_in_place_only_where_that_is_named(ops: Ops) -> None:
    backup = put(ops, manifest=replace(MANIFEST, project="other"))

    def in_place(named: str) -> None:
        restore.restore(ops, shelf(ops), "latest", lambda _: None, ignore_progress, from_project=named)

    def beside(named: str) -> None:
        restore.restore_beside(ops, shelf(ops), "latest", "look", ignore_progress, from_project=named)

    for act in (in_place, beside):
        for wrong in ("", "third"):
            with pytest.raises(OpsError) as caught:
                act(wrong)
            assert refusal(caught.value) == (
                "TB-0921",
                f"The backup {backup.id} is of the project other, and this is demo.",
                "If it is meant to replace this one's data: --from-project other",
            )
        act("other")


def test_who_restored_is_who_halted(ops: Ops) -> None:
    backup = put(ops)
    restore.restore(ops, shelf(ops), "latest", lambda _: None, ignore_progress)
    (params,) = [params for _, text, params in asked(ops).asked if f"restored from backup {backup.id}" in params]
    assert any(str(each).startswith("ana@") for each in params)


def test_who_looks_on_is_told_where_it_goes(ops: Ops) -> None:
    backup, events = put(ops), list[ProgressEvent]()
    restore.restore(ops, shelf(ops), "latest", lambda _: None, events.append)
    restore.restore_beside(ops, shelf(ops), "latest", "look", events.append)
    assert [each for each in events if each.service == backup.id] == [
        ProgressEvent(backup.id, Phase.PREPARING, "restoring into tradebot_restoring"),
        ProgressEvent(backup.id, Phase.DONE, "in place, equal to its manifest"),
        ProgressEvent(backup.id, Phase.PREPARING, "restoring into look"),
    ]


def test_a_name_that_is_taken_says_so(ops: Ops) -> None:
    put(ops)
    asked(ops).answers["SELECT 1 AS found"] = [{"found": 1}]
    with pytest.raises(OpsError) as caught:
        restore.restore_beside(ops, shelf(ops), "latest", "look", ignore_progress)
    assert refusal(caught.value) == (
        "TB-0926",
        "There is a database look already; nothing was done.",
        "Name one that does not exist: a restore always makes a new one.",
    )


def test_all_that_is_said_of_a_restore(ops: Ops, monkeypatch: pytest.MonkeyPatch) -> None:
    backup, times = put(ops), iter([10.0, 12.34567])
    monkeypatch.setattr(restore, "time", SimpleNamespace(monotonic=lambda: next(times)))
    asked(ops).answers["SELECT state, count(*)"] = [{"state": "running", "jobs": 1}, {"state": "queued", "jobs": 20}]
    sentences: list[str] = []
    report = restore.restore(ops, shelf(ops), "latest", sentences.append, ignore_progress)
    aside = "tradebot_before_20261127t120000"
    assert sentences == [f"This puts the backup {backup.id} in place of the database of demo."]
    said, next_ = report.sections
    assert said.lines == (
        f"Backup {backup.id} is in place: 3 rows of 1 table, equal to its manifest; 2.35 s.",
        "The stack is halted: no job starts. Jobs at the moment of the backup: 20 queued, 1 running.",
        "Those that ran then run again after the resume: the data know nothing of what they did.",
        f"The old database is kept as {aside}, in the same server.",
        f"Drop it once you need it no more: tradebot exec postgres -- dropdb -U tradebot {aside}",
    )
    assert next_.title == "Next"
    assert next_.lines == ("tradebot up", "tradebot jobs list --state queued", "tradebot dlq list", "tradebot resume")
    assert report.data == {
        "id": backup.id,
        "rows": 3,
        "tables": 1,
        "seconds": 2.346,
        "aside": aside,
        "jobs": {"running": 1, "queued": 20},
    }
    assert report.warnings == ()


def test_a_restore_into_an_empty_stack_says_less(ops: Ops) -> None:
    put(ops)
    asked(ops).answers |= {"SELECT state, count(*)": [], "SELECT count(*) AS tables": [{"tables": 0}]}
    report = restored(ops)
    assert len(report.sections[0].lines) == 2
    said = report.sections[0].lines[1]
    assert said == "The stack is halted: no job starts. Jobs at the moment of the backup: none that were not over."
    assert (report.data["aside"], report.data["jobs"]) == (None, {})


def test_all_that_is_said_of_one_beside(ops: Ops) -> None:
    backup = put(ops)
    report = restore.restore_beside(ops, shelf(ops), "latest", "look", ignore_progress)
    assert report.sections[0].lines == (
        f"Backup {backup.id} lies in the database look: 3 rows of 1 table.",
        "Look at it: tradebot exec -it postgres -- psql -U tradebot -d look",
        "Drop it: tradebot exec postgres -- dropdb -U tradebot look",
    )
    assert report.data == {"id": backup.id, "database": "look", "rows": 3, "tables": 1}
    names = [name for name, text, _ in asked(ops).asked if text.startswith(("SELECT 1 AS found", "CREATE"))]
    assert names == ["postgres"] * len(names), "databases are administered from one that is always there"


def test_all_that_is_said_of_the_configuration(ops: Ops, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fine, failed = put(ops, 1), put(ops)
    for each in (fine, failed):
        configuration.pack(ops, each.folder / CONFIG)
    failed.refute(Refutation("2026-11-27T09:00:00+00:00", "The dump is cut."))
    monkeypatch.setitem(vars(ops), "settings", replace(ops.settings, cwd=tmp_path / "here"))
    for target in (None, tmp_path / "there"):
        report = restore.restore_configuration(ops, shelf(ops), "latest", target)
        folder = target or tmp_path / "here" / f"restored-{fine.id}"
        names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
        assert report.data == {"id": fine.id, "folder": str(folder), "files": names}
        assert report.sections[0].lines == (
            f"Wrote {len(names)} files of backup {fine.id} into {folder}.",
            f"Its settings, without secrets, are in {folder}/settings.env.",
        )
        assert report.warnings == (failed.folder and shelf(ops).all()[-1].damage,)
    fine.dump.write_bytes(b"dumq")
    with pytest.raises(OpsError) as caught:
        restore.restore_configuration(ops, shelf(ops), fine.id, tmp_path / "more")
    assert (caught.value.code, (tmp_path / "more").exists()) == ("TB-0132", False)


@pytest.mark.parametrize(
    ("part", "hint"),
    [("configs", "Did you mean `config`? postgres, config."), ("redis", " postgres, config.")],
)
def test_what_is_no_part_says_which_there_are(part: str, hint: str) -> None:
    with pytest.raises(OpsError) as caught:
        restore.is_configuration(part)
    assert refusal(caught.value) == ("TB-0266", f"'{part}' is no part of a backup.", hint)


def test_what_is_stopped_and_started_is_told_and_in_order(ops: Ops, monkeypatch: pytest.MonkeyPatch) -> None:
    put(ops)
    for service in ("worker", "api"):
        ops.engine.apply(ops.stack, service, 1)
    calls: list[tuple[Any, ...]] = []
    monkeypatch.setattr(restore, "stop", lambda *words, **options: calls.append(("stop", *words[1:], options)))
    monkeypatch.setattr(restore, "up", lambda *words, **options: calls.append(("up", *words[1:], options)))
    events: list[ProgressEvent] = []
    heard = events.append
    restore.restore(ops, shelf(ops), "latest", lambda _: None, heard, stop_first=True, forced="")
    assert calls == [
        ("stop", ["api", "worker"], heard, {"forced": ""}),
        ("up", ["postgres", "redis"], heard, {"prove": False}),
        ("up", ["migrate"], heard, {"prove": False}),
    ]


def test_a_stack_of_a_database_alone_has_no_queue_and_no_migration(ops: Ops, monkeypatch: pytest.MonkeyPatch) -> None:
    put(ops)
    services = {"postgres": ops.stack.services["postgres"]}
    monkeypatch.setitem(vars(ops), "stack", replace(ops.stack, services=services))
    restored(ops)
    assert [text for text in words(ops) if text.startswith(("UP ", "FORGET"))] == ["UP postgres"]


def test_only_a_migration_that_is_over_is_taken_away(ops: Ops) -> None:
    put(ops)
    restored(ops)
    assert [each.service for each in ops.engine.list()] == ["postgres", "redis"]
    ops.engine.apply(ops.stack, "migrate", 1)
    (task,) = (each for each in ops.engine.list() if each.service == "migrate")
    alive = task.state.alive
    restored(ops)
    assert ("migrate" in {each.service for each in ops.engine.list()}) is alive


def test_sessions_of_both_databases_end_before_the_names_change(ops: Ops) -> None:
    put(ops)
    restored(ops)
    ((name, _, params),) = [each for each in asked(ops).asked if each[1].startswith("SELECT pg_terminate_backend")]
    assert (name, params) == ("postgres", (["tradebot", "tradebot_restoring"],))
    beginnings = ("INSERT INTO public.halt", "ALTER")
    where = {text.split()[0]: name for name, text, _ in asked(ops).asked if text.startswith(beginnings)}
    assert where == {"INSERT": "tradebot_restoring", "ALTER": "postgres"}


def test_what_workers_were_told_is_forgotten_with_the_queue(ops: Ops) -> None:
    put(ops)
    ops.state.store(WorkersTold(3))
    restored(ops)
    assert ops.state.load(WorkersTold) == WorkersTold()
