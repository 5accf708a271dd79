"""A backup is proved by a restore that equals its manifest; whatever is wrong on the way is no proof."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.backups.test_manifest import MANIFEST
from tests.operations.backup.kit import GONE, PipingEngine, Session, damage, put, shelf, with_database, world
from tests.operations.seen import Made, made, refusal
from tradebot_ops.backups.manifest import DatabaseFigures, TableFigures
from tradebot_ops.backups.shelf import Proof
from tradebot_ops.context import Ops
from tradebot_ops.engines.base import ExecResult
from tradebot_ops.errors import OpsError
from tradebot_ops.operations.backup import figures, verify
from tradebot_ops.progress import Phase, ProgressEvent, ignore_progress

FAILED = ExecResult(1, "pg_restore: error: could not read from input file: end of file")


@pytest.fixture
def ops(tmp_path: Path) -> Ops:
    return world(tmp_path, "postgres")


def piped(ops: Ops) -> PipingEngine:
    assert isinstance(ops.engine, PipingEngine)
    return ops.engine


def test_what_equals_its_manifest_is_proved_and_the_database_dropped(ops: Ops) -> None:
    backup, database = put(ops), with_database(ops)
    found = verify.verify(ops, shelf(ops), "latest", ignore_progress)
    name = f"tradebot_verify_{backup.id.lower()}"
    about = [text for text in database.statements() if name in text]
    assert [text.split()[0] for text in about] == ["DROP", "CREATE", "DROP"]
    assert piped(ops).piped_words == [
        ("pg_restore", "--username=tradebot", "--no-password", f"--dbname={name}", "--exit-on-error", "--no-owner")
    ]
    assert piped(ops).read == [b"dump"]
    proof = shelf(ops).all()[0].proof
    assert isinstance(proof, Proof)
    assert proof.at == "2026-11-27T12:00:00+00:00"
    assert [text for text in database.statements() if text.startswith("INSERT INTO public.backup_note")]
    assert isinstance(found.data, dict)
    assert (found.data["rows"], found.data["tables"], found.data["deep"]) == (3, 1, False)
    assert "every page" not in found.sections[0].lines[0]


def test_deep_examines_what_was_restored(ops: Ops) -> None:
    put(ops)
    with_database(ops)
    found = verify.verify(ops, shelf(ops), "latest", ignore_progress, deep=True)
    assert [words[0] for words in piped(ops).piped_words] == ["pg_restore", "pg_amcheck"]
    assert "every page and index is sound" in found.sections[0].lines[0]
    piped(ops).ends["pg_amcheck"] = ExecResult(2, "pg_amcheck: error: heap is torn")
    with pytest.raises(OpsError, match="The restored database is damaged: heap is torn"):
        verify.verify(ops, shelf(ops), "latest", ignore_progress, deep=True)


@pytest.mark.parametrize(
    ("answers", "ends", "code"),
    [
        ({"SELECT count(*) AS rows": [{"rows": 2, "digest": "77"}]}, {}, "TB-0133"),
        ({"SELECT count(*) AS rows": [{"rows": 3, "digest": "78"}]}, {}, "TB-0133"),
        ({"WITH ours": [{"schema": "another"}]}, {}, "TB-0133"),
        ({"SELECT n.nspname AS schema": []}, {}, "TB-0133"),
        ({}, {"pg_restore": FAILED}, "TB-0131"),
    ],
)
def test_what_is_not_what_was_backed_up_is_no_proof(
    ops: Ops, answers: dict[str, object], ends: dict[str, ExecResult], code: str
) -> None:
    """It is dropped all the same, no proof is kept, and the metrics do not take it for a fresh backup."""
    backup, database = put(ops), with_database(ops, **answers)
    piped(ops).ends |= ends
    with pytest.raises(OpsError) as caught:
        verify.verify(ops, shelf(ops), backup.id, ignore_progress)
    assert caught.value.code == code
    assert shelf(ops).all()[0].proof is None
    about = [text.split()[0] for text in database.statements() if f"tradebot_verify_{backup.id.lower()}" in text]
    assert about == ["DROP", "CREATE", "DROP"]
    assert ("", "DELETE FROM public.backup_note WHERE what = %s", ("taken",)) in database.asked
    refutation = shelf(ops).all()[0].refutation
    assert (refutation and refutation.at, refutation and refutation.why) == (
        "2026-11-27T12:00:00+00:00",
        caught.value.message,
    )


def test_what_was_proved_counts_no_more_once_a_verification_fails_until_one_succeeds(ops: Ops) -> None:
    """The newest is verified again although it failed: what was in its way may be gone."""
    put(ops, 1)
    backup = put(ops)
    with_database(ops)
    backup.remember(Proof("2026-11-26T13:00:00+00:00", 1.0))
    piped(ops).ends["pg_restore"] = FAILED
    with pytest.raises(OpsError):
        verify.verify(ops, shelf(ops), "latest", ignore_progress)
    found = shelf(ops).all()[-1]
    assert (found.proof, found.usable) == (None, False)
    piped(ops).ends.clear()
    verify.verify(ops, shelf(ops), "latest", ignore_progress)
    found = shelf(ops).all()[-1]
    assert (found.id, found.proof is not None, found.usable) == (backup.id, True, True)


def test_a_postgres_that_goes_away_says_nothing_about_the_backup(ops: Ops) -> None:
    backup = put(ops)
    backup.remember(Proof("2026-11-26T13:00:00+00:00", 1.0))
    with_database(ops, **{"CREATE DATABASE": GONE})
    with pytest.raises(OpsError) as caught:
        verify.verify(ops, shelf(ops), "latest", ignore_progress)
    assert (caught.value.code, shelf(ops).all()[0].proof is not None) == ("TB-0501", True)


def test_another_major_version_words_the_same_schema_differently(ops: Ops) -> None:
    put(ops)
    with_database(ops, **{"WITH ours": [{"schema": "another"}], "SHOW server_version": [{"server_version": "19.1"}]})
    verify.verify(ops, shelf(ops), "latest", ignore_progress)


def test_accounts_that_are_missing_are_made_without_a_password(ops: Ops) -> None:
    put(ops)
    database = with_database(ops)
    verify.verify(ops, shelf(ops), "latest", ignore_progress)
    assert [text for text in database.statements() if text.startswith("CREATE ROLE")] == [
        'CREATE ROLE "tradebot_app" LOGIN'
    ]
    database.answers["SELECT rolname AS name FROM"] = [{"name": "tradebot_app"}]
    database.asked.clear()
    verify.verify(ops, shelf(ops), "latest", ignore_progress)
    assert not [text for text in database.statements() if text.startswith("CREATE ROLE")]


def test_damaged_files_are_refused_before_anything_is_restored(ops: Ops) -> None:
    backup, database = put(ops), with_database(ops)
    backup.dump.write_bytes(b"dumq")
    with pytest.raises(OpsError, match=r"postgres\.dump is not as it was written") as caught:
        verify.verify(ops, shelf(ops), "latest", ignore_progress)
    assert caught.value.code == "TB-0132"
    damage(backup)
    with pytest.raises(OpsError) as caught:
        verify.verify(ops, shelf(ops), backup.id, ignore_progress)
    assert caught.value.code == "TB-0132"
    assert not [text for text in database.statements() if text.startswith("CREATE DATABASE")]
    assert piped(ops).piped_words == []


def test_without_a_running_postgres_nothing_is_proved(tmp_path: Path) -> None:
    ops = world(tmp_path, "redis")
    put(ops)
    with_database(ops)
    with pytest.raises(OpsError) as caught:
        verify.verify(ops, shelf(ops), "latest", ignore_progress)
    assert caught.value.code == "TB-0535"


def test_all_that_is_said_of_a_proof(ops: Ops, monkeypatch: pytest.MonkeyPatch) -> None:
    backup, events = put(ops), list[ProgressEvent]()
    with_database(ops)
    times = iter([10.0, 12.34567])
    monkeypatch.setattr(verify, "time", SimpleNamespace(monotonic=lambda: next(times)))
    report = verify.verify(ops, shelf(ops), "latest", events.append, deep=True)
    name = f"tradebot_verify_{backup.id.lower()}"
    assert report.data == {"id": backup.id, "rows": 3, "tables": 1, "seconds": 2.346, "deep": True}
    equal = f"Backup {backup.id} restores: 1 table with 3 rows, equal to its manifest"
    assert report.sections[0].lines == (f"{equal}, and every page and index is sound; 2.35 s.",)
    assert events == [
        ProgressEvent(backup.id, Phase.PREPARING, f"restoring into {name}"),
        ProgressEvent(backup.id, Phase.PREPARING, "examining every page and index"),
        ProgressEvent(backup.id, Phase.DONE, "equal to its manifest"),
    ]
    assert f"--database={name}" in piped(ops).piped_words[1]
    proof = shelf(ops).all()[0].proof
    assert proof
    assert round(proof.seconds, 3) == 2.346


def test_the_audit_log_has_it(ops: Ops, monkeypatch: pytest.MonkeyPatch) -> None:
    put(ops)
    with_database(ops)
    assert made(monkeypatch, lambda heard: verify.verify(ops, shelf(ops), "latest", heard)) == [
        Made(("backup verify", "latest"))
    ]


def test_what_is_damaged_says_what_to_use_instead(ops: Ops) -> None:
    backup = put(ops)
    backup.dump.write_bytes(b"dumq")
    with pytest.raises(OpsError) as caught:
        verify.check_files(backup)
    why = f"The backup {backup.id} is damaged: postgres.dump is not as it was written"
    code, message, hint = refusal(caught.value)
    assert (code, message.rstrip("."), hint) == ("TB-0132", why, "Use another one: tradebot backup list")
    assert [each.rstrip(".") for each in caught.value.detail] == ["postgres.dump is not as it was written"]


def test_what_differs_is_said_in_full(ops: Ops) -> None:
    backup = put(ops)
    with_database(ops, **{"SELECT count(*) AS rows": [{"rows": 2, "digest": "77"}], "WITH ours": [{"schema": "x"}]})
    with pytest.raises(OpsError) as caught:
        verify.verify(ops, shelf(ops), "latest", ignore_progress)
    code, message, hint = refusal(caught.value)
    assert (code, hint) == ("TB-0133", "Use another one: tradebot backup list")
    wrong = caught.value.detail
    assert len(wrong) == 2
    assert message == (
        f"The backup {backup.id} was restored, and the data are not those that were backed up: {wrong[0]}"
    )


def test_of_many_differences_twenty_are_kept(ops: Ops) -> None:
    put(ops)
    tables = [{"schema": "public", "name": f"t{number}", "portable": True} for number in range(30)]
    with_database(ops, **{"SELECT n.nspname AS schema": tables})
    with pytest.raises(OpsError) as caught:
        verify.verify(ops, shelf(ops), "latest", ignore_progress)
    assert len(caught.value.detail) == 20


def test_a_manifest_that_cannot_be_read_is_said_with_its_fault(ops: Ops) -> None:
    backup = put(ops)
    damage(backup)
    broken = shelf(ops).all()[0]
    with pytest.raises(OpsError) as caught:
        verify.check_files(broken)
    assert (caught.value.message, caught.value.detail) == (
        f"The backup {backup.id} is damaged: {broken.fault}",
        (broken.fault,),
    )
    assert broken.fault


def test_each_database_is_asked_where_it_is(ops: Ops) -> None:
    backup = put(ops, manifest=replace(MANIFEST, roles={"a": True, "b": False, "postgres": True, "tradebot": True}))
    database = with_database(ops)
    verify.verify(ops, shelf(ops), "latest", ignore_progress)
    name = f"tradebot_verify_{backup.id.lower()}"
    beginnings = ("CREATE", "DROP", "SHOW", "WITH")
    where = {text.split()[0]: where for where, text, _ in database.asked if text.startswith(beginnings)}
    assert where == {"CREATE": "postgres", "DROP": "postgres", "SHOW": name, "WITH": name}
    made = [text for text in database.statements() if text.startswith(("CREATE", "DROP"))]
    assert made == [
        f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)',
        'CREATE ROLE "a" LOGIN',
        'CREATE ROLE "b"',
        f'CREATE DATABASE "{name}" TEMPLATE template0',
        f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)',
    ], "the owner of the database is there already"


def hashed(database: Any) -> list[str]:
    """By which form of its rows each table was hashed."""
    asked = [text for text in database.statements() if text.startswith("SELECT count")]
    return [next(form for form in ("record_send(t.*)", "(t.*)::text", "(t::text") if form in text) for text in asked]


def test_every_table_sequence_and_login_is_counted(ops: Ops) -> None:
    tables = [
        {"schema": "public", "name": "job", "portable": True},
        {"schema": "odd", "name": 'a"b', "portable": False},
    ]
    sequences = [{"name": "public.job_id", "value": 9}, {"name": "odd.x", "value": 0}]
    database = with_database(
        ops,
        **{
            "SELECT n.nspname AS schema": tables,
            "SELECT schemaname": sequences,
            "SELECT rolname AS name, rolcanlogin": [{"name": "a", "login": True}, {"name": "b", "login": False}],
        },
    )
    session: Any = Session(database, "")
    assert figures.figures(session) == DatabaseFigures(
        {"public.job": TableFigures(3, "77"), 'odd.a"b': TableFigures(3, "77")},
        {"public.job_id": 9, "odd.x": 0},
        "abc",
    )
    assert [text.partition(" ONLY ")[2] for text in database.statements() if text.startswith("SELECT count")] == [
        '"public"."job" t',
        '"odd"."a""b" t',
    ]
    assert hashed(database) == ["record_send(t.*)", "(t.*)::text"], (
        "numbers of another database are compared by their names"
    )
    database.asked.clear()
    figures.figures(session, 1)
    assert hashed(database) == ["(t::text", "(t::text"], "as the releases did that wrote the first form"
    assert figures.roles(session) == {"a": True, "b": False}
    assert (figures.revision(session), figures.server(session)) == ("0010", "18.6")
    database.answers["SELECT version_num"] = []
    assert figures.revision(session) == "", "a table that nothing was written into"


def test_that_the_metrics_know_nothing_of_it_is_a_warning(ops: Ops) -> None:
    put(ops)
    with_database(ops, **{"SELECT to_regclass('public.backup_note')": GONE})
    (warning,) = verify.verify(ops, shelf(ops), "latest", ignore_progress).warnings
    assert warning == "The metrics of backups could not be brought up to date: Postgres does not answer."
