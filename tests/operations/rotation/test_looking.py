"""Who can read a secret, and what `secrets show` leaves in the audit log."""

import os
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.operations.seen import whole
from tests.paths import ROOT
from tradebot_ops.context import Change, Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Level
from tradebot_ops.operations import secrets
from tradebot_ops.operations.rotation import looking
from tradebot_ops.operations.rotation.pending import Journal, Pending
from tradebot_ops.operations.rotation.rotate import own
from tradebot_ops.settings import Secret, load_settings
from tradebot_ops.stack.model import SecretFile

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
SOUND = "a-secret-of-20-signs"


@pytest.fixture
def ops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ops:
    monkeypatch.setattr(secrets, "BCRYPT_ROUNDS", 4)
    environ = {"TRADEBOT_STATE": str(tmp_path / "state"), "HOME": str(tmp_path)}
    made = Ops(load_settings({"project": "demo"}, environ, ROOT), StubEngine("demo"))
    secrets.ensure(made.stack, made.state)
    return made


@pytest.mark.parametrize(
    ("mode", "above", "open_"),
    [
        (0o600, 0o755, False),
        (0o604, 0o755, True),
        (0o640, 0o755, True),
        (0o620, 0o755, False),  # may be written by others, which is another matter
        (0o644, 0o700, False),
        (0o644, 0o701, True),
        (0o644, 0o710, True),
        (0o644, 0o744, False),  # its names may be read, but nothing below
    ],
)
def test_others_read_what_they_may_reach_and_read(mode: int, above: int, open_: bool) -> None:
    def of(mode: int) -> Any:
        return SimpleNamespace(stat=lambda: SimpleNamespace(st_mode=mode))

    file = of(0o100000 | mode)
    file.resolve = lambda: SimpleNamespace(parents=[of(0o40755), of(0o40000 | above), of(0o40755)])
    assert bool(looking._open_to_others(SecretFile("word", file))) is open_


def test_that_a_value_was_shown_is_in_the_audit_log_and_holds_nobody_up(
    ops: Ops, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes: list[Change] = []
    ends: list[BaseException | None] = []

    class Audited:
        def __init__(self, _: Ops, made: Change) -> None:
            changes.append(made)

        def end(self, error: BaseException | None = None) -> None:
            ends.append(error)

    monkeypatch.setattr(looking, "Audited", Audited)
    with ops.state.lock("up"):
        report = looking.show(ops, "redis_password")
    assert report.data == {"name": "redis_password", "value": ops.secret("redis_password").reveal()}
    assert report.sections[0].lines == (ops.secret("redis_password").reveal(),)
    assert (changes, ends) == ([Change("secrets show", ("redis_password",), leased=False)], [None])
    ops.secret_file("redis_password").unlink()
    with pytest.raises(OpsError) as caught:
        looking.show(ops, "redis_password")
    assert ends[1:] == [caught.value]


def found(ops: Ops) -> list[tuple[Level, str, str]]:
    return [(each.level, each.message, each.hint) for each in looking.check(ops).findings]


def test_all_are_sound(ops: Ops) -> None:
    report = looking.check(ops)
    assert found(ops) == [(Level.PASS, f"All {len(own(ops))} secrets are sound.", "")]
    assert report.data == {"secrets": list(own(ops)), "sound": True}
    assert {each.id for each in report.findings} == {"TB-0137"}


@pytest.mark.parametrize(
    ("text", "level", "says"),
    [
        (SOUND[:16], None, ""),
        (SOUND[:15], Level.WARN, "redis_password has 15 characters only."),
        (None, Level.WARN, "There is no redis_password yet."),
        ("", Level.FAIL, "is empty, of several lines"),
        ("a b\nc", Level.FAIL, "of several lines"),
        (b"\xff\xfe", Level.FAIL, "redis_password cannot be read as text."),
    ],
)
def test_one_is_not_sound(ops: Ops, text: Any, level: Level | None, says: str) -> None:
    file = ops.secret_file("redis_password")
    file.unlink()
    if text is not None:
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
    (finding,) = found(ops)
    assert finding[0] is (level or Level.PASS)
    assert says in finding[1]
    assert level is None or finding[2]
    data = looking.check(ops).data
    assert isinstance(data, dict)
    assert data["sound"] is (level is None)


def test_the_list_and_the_faults_as_they_are_seen(
    ops: Ops, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion
) -> None:
    for name in own(ops):
        os.utime(ops.secret_file(name), (NOON.timestamp() - 3 * 86400,) * 2)
    ops.clock = lambda: NOON
    Journal(ops.state).begin(Pending("api_key", Secret("old"), Secret("new")))
    ops.secret_file("alert_token").unlink()
    ops.secret_file("redis_password").write_bytes(b"\xff\xfe")
    ops.secret_file("prometheus_password").write_text("short")
    ops.secret_file("postgres_password").write_text("")
    ops.secret_file("bot_password").write_text("x" * 80)
    monkeypatch.setattr(looking, "_open_to_others", lambda secret: secret.name in {"api_key", "redis_password"})
    for report in (looking.listing(ops), looking.check(ops)):
        assert whole(report).replace(str(ops.state.folder), "STATE") == snapshot


def test_one_of_a_users_own_stack_opens_what_that_alone_knows(ops: Ops) -> None:
    mine = SecretFile("mine", ops.state.secrets / "mine")
    ops.__dict__["stack"] = SimpleNamespace(secrets={"mine": mine})
    assert looking.listing(ops).data == {
        "secrets": [{"name": "mine", "opens": "", "file": str(mine.file), "rotates": False, "state": "not made yet"}]
    }
