"""Keys of the API as a person makes, lists and revokes them."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from services.api.access.roles import Role
from tests.operations.seen import Made, made, refusal, whole
from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError
from tradebot_ops.operations import keys
from tradebot_ops.settings import load_settings

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
NIGHTLY = {
    "name": "nightly",
    "role": "operate",
    "state": "active",
    "created_at": "2026-11-27T08:15:00Z",
    "created_by": "ana@desk",
    "expires_at": "2027-02-26T00:00:00Z",
    "last_used_at": "2026-11-28T11:58:00Z",
    "revoked_at": None,
    "revoked_by": None,
}
OLD = NIGHTLY | {"name": "old", "role": "read", "state": "revoked", "expires_at": None, "last_used_at": None}


class Api:
    def __init__(self, *known: dict[str, Any]) -> None:
        self.known, self.asked = list(known), list[tuple[Any, ...]]()

    def keys(self) -> list[dict[str, Any]]:
        return self.known

    def create_key(self, name: str, role: str, expires_at: str | None) -> dict[str, Any]:
        self.asked.append((name, role, expires_at))
        return NIGHTLY | {"name": name, "role": role, "key": "tb_0_x"}

    def revoke_key(self, name: str) -> dict[str, Any] | None:
        in_force = [each for each in self.known if each["name"] == name and each["state"] != "revoked"]
        return in_force[0] | {"state": "revoked"} if in_force else None


def ops_with(api: Api, tmp_path: Path) -> Ops:
    settings = load_settings({"project": "demo"}, {"TRADEBOT_STATE": str(tmp_path), "HOME": str(tmp_path)}, tmp_path)
    ops = Ops(settings, StubEngine("demo"), lambda: NOON)
    ops.__dict__["api"] = api
    return ops


def test_the_key_stands_alone_and_not_in_the_audit_log(tmp_path: Path) -> None:
    api = Api()
    ops = ops_with(api, tmp_path)
    report = keys.create(ops, "nightly", "operate", "90d")
    assert [section.lines for section in report.sections] == [("tb_0_x",)]
    assert api.asked == [("nightly", "operate", "2027-02-26T12:00:00+00:00")]
    log = (ops.state.folder / "audit.jsonl").read_text()
    assert "keys create" in log
    assert "tb_0_x" not in log


@pytest.mark.parametrize(
    ("typed", "until"),
    [
        ("90d", "2027-02-26T12:00:00+00:00"),
        ("1h30m", "2026-11-28T13:30:00+00:00"),
        ("2027-03-31", "2027-03-31T00:00:00+00:00"),
        ("2027-03-31T08:00+01:00", "2027-03-31T07:00:00+00:00"),
    ],
)
def test_an_end_is_a_time_from_now_or_a_date(typed: str, until: str) -> None:
    assert keys.end(typed, NOON).isoformat() == until


@pytest.mark.parametrize(
    "typed", ["", "soon", "90", "2026-11-28", "-1d", "0d", "9999999999d", "9999-12-31T23:59-14:00"]
)
def test_an_end_that_is_none_or_past_is_refused(typed: str) -> None:
    with pytest.raises(OpsError) as raised:
        keys.end(typed, NOON)
    assert raised.value.code == "TB-0279"


def test_a_role_that_there_is_not_asks_nothing(tmp_path: Path) -> None:
    api = Api()
    with pytest.raises(OpsError, match="'rread' is no role. Did you mean `read`"):
        keys.create(ops_with(api, tmp_path), "nightly", "rread", None)
    assert api.asked == []


def test_a_list_has_ends_and_uses(tmp_path: Path) -> None:
    report = keys.list_(ops_with(Api(NIGHTLY, OLD), tmp_path))
    assert report.sections[0].tables[0].rows == (
        ("nightly", "operate", "active", "ana@desk", "2026-11-27 08:15", "2027-02-26", "2 min"),
        ("old", "read", "revoked", "ana@desk", "2026-11-27 08:15", "never", "never"),
    )
    assert keys.list_(ops_with(Api(), tmp_path)).sections[0].lines == (keys.NONE,)


def test_only_a_key_in_force_is_revoked(tmp_path: Path) -> None:
    ops = ops_with(Api(NIGHTLY, OLD), tmp_path)
    assert "nightly is revoked" in keys.revoke(ops, "nightly").sections[0].lines[0]
    for name, sentence in (("old", "was revoked before"), ("nihgtly", "Did you mean `nightly`")):
        with pytest.raises(OpsError, match=sentence) as raised:
            keys.revoke(ops, name)
        assert raised.value.code == "TB-0280"


def test_screens(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    late = NIGHTLY | {"name": "late", "expires_at": "2027-02-26T08:15:00Z"}
    ops = ops_with(Api(NIGHTLY, OLD, late), tmp_path)
    seen = [whole(keys.list_(ops)), whole(keys.revoke(ops, "nightly")), whole(keys.create(ops, "new", "read", None))]
    assert "\n\n".join([*seen, whole(keys.list_(ops_with(Api(), tmp_path)))]) == snapshot


def test_refusals(tmp_path: Path) -> None:
    ops = ops_with(Api(NIGHTLY, OLD), tmp_path)
    hint = "--role read, operate or admin; --expires 90d or 2027-03-31"
    seen = []
    for act in (
        lambda: keys.create(ops, "a", "king", None),
        lambda: keys.end("soon", NOON),
        lambda: keys.end("2026-11-28", NOON),
        lambda: keys.end(NOON.isoformat(), NOON),
        lambda: keys.revoke(ops, "old"),
        lambda: keys.revoke(ops, "zebra"),
    ):
        with pytest.raises(OpsError) as raised:
            act()
        seen.append(refusal(raised.value))
    assert seen == [
        ("TB-0279", "'king' is no role.", hint),
        ("TB-0279", "'soon' is not a time.", hint),
        ("TB-0279", "2026-11-28 00:00:00 UTC is past.", hint),
        ("TB-0279", "2026-11-28 12:00:00 UTC is past.", hint),
        ("TB-0280", "The API key old was revoked before.", "tradebot keys list"),
        ("TB-0280", "There is no API key 'zebra'.", "tradebot keys list"),
    ]


def test_the_audit_log_has_the_words_and_nobody_is_hindered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ops = ops_with(Api(NIGHTLY), tmp_path)
    assert made(monkeypatch, lambda heard: keys.create(ops, "new", "read", "1d", heard)) == [
        Made(("keys create", "new", "read"), leased=False)
    ]
    assert made(monkeypatch, lambda heard: keys.revoke(ops, "nightly", heard)) == [
        Made(("keys revoke", "nightly"), leased=False)
    ]


def test_the_roles_are_those_that_the_api_knows(tmp_path: Path) -> None:
    assert tuple(role.value for role in Role) == keys.ROLES
    api = Api()
    for role in Role:
        keys.create(ops_with(api, tmp_path), "nightly", role.value, None)
    assert [asked[1] for asked in api.asked] == ["read", "operate", "admin"]


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Tokyo"])
def test_a_day_begins_where_the_api_is_and_not_where_somebody_types(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert keys.end("2027-03-31", NOON) == datetime(2027, 3, 31, tzinfo=UTC)
        assert keys.end("2027-03-31T08:00+02:00", NOON) == datetime(2027, 3, 31, 6, tzinfo=UTC)
    finally:
        monkeypatch.undo()
        time.tzset()
