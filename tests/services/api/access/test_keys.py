"""The shape of a key, its hash, and the state it is in at a moment."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from services.api.access.keys import INSERT, SHAPE, USED, Key, KeyStore, hashed, id_of, new_key
from services.api.access.roles import Role

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
WHOLE = "tb_0123456789abcdef_" + "x" * 43


def key(expires_at: datetime | None = None, revoked_at: datetime | None = None) -> Key:
    return Key("1", "nightly", Role.READ, NOON, "ana", expires_at, None, revoked_at, None)


def test_each_key_is_another_one_and_hard_to_print() -> None:
    keys = [new_key() for _ in range(100)]
    texts = {each.get_secret_value() for each in keys}
    assert len(texts) == len({id_of(text) for text in texts}) == len({hashed(text) for text in texts}) == 100
    assert all(SHAPE.fullmatch(text) for text in texts)
    assert not any(text in repr(keys) + str(keys) for text in texts)


@pytest.mark.parametrize(
    "text",
    ["", "tb_", WHOLE[:-1], WHOLE + "x", WHOLE.upper(), " " + WHOLE, WHOLE + "\n", "tb_0123_" + "x" * 43, "ä" * 63],
)
def test_a_text_of_another_shape_is_no_key(text: str) -> None:
    assert id_of(text) is None


def test_a_key_is_found_by_its_id_and_kept_as_the_hash_of_all_of_it() -> None:
    assert id_of(WHOLE) == "0123456789abcdef"
    assert len(hashed(WHOLE)) == 32
    assert hashed(WHOLE) != hashed(WHOLE[:-1] + "y")


@pytest.mark.parametrize(
    ("known", "state"),
    [
        (key(), "active"),
        (key(expires_at=NOON + SECOND), "active"),
        (key(expires_at=NOON), "expired"),
        (key(expires_at=NOON - SECOND), "expired"),
        (key(revoked_at=NOON - SECOND), "revoked"),
        (key(expires_at=NOON - SECOND, revoked_at=NOON), "revoked"),
    ],
)
def test_its_state_at_a_moment(known: Key, state: str) -> None:
    assert known.state(NOON) == state


class Database:
    """Holds one row of the table of keys, and keeps what it was asked."""

    def __init__(self, **row: Any) -> None:
        self.kept = {**vars(key()), "id": id_of(WHOLE), "hash": hashed(WHOLE), **row}
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def row(self, query: str, params: dict[str, Any]) -> dict[str, Any] | None:
        self.asked.append((query, params))
        return self.kept if params.get("id") == self.kept["id"] else None

    def execute(self, query: str, params: dict[str, Any]) -> None:
        self.asked.append((query, params))


def store(database: Database) -> KeyStore:
    return KeyStore(cast("Any", database), lambda: NOON)


def test_a_key_is_known_by_the_whole_of_it() -> None:
    database = Database(role="operate", name="nightly")
    found = store(database).find(WHOLE)
    assert found is not None
    assert (found.name, found.role) == ("nightly", Role.OPERATE)
    for other in (WHOLE[:-1] + "y", WHOLE.replace("tb_0", "tb_1"), WHOLE[:-1], ""):
        assert store(database).find(other) is None


@pytest.mark.parametrize(("ago", "noted"), [(None, True), (61, True), (60, False), (0, False)])
def test_when_a_key_was_used_is_noted_once_a_minute(ago: int | None, noted: bool) -> None:
    database = Database()
    last = None if ago is None else NOON - ago * SECOND
    store(database).used(replace(key(), last_used_at=last))
    assert [query for query, _ in database.asked] == [USED] * noted


def test_a_new_key_is_stored_as_its_hash_alone() -> None:
    database = Database()
    database.row = lambda query, params: database.asked.append((query, params))  # type: ignore[method-assign]
    assert store(database).create("nightly", Role.READ, None, "ana") is None, "another one has the name"
    [(query, params)] = database.asked
    assert (query, params["name"], params["role"], params["by"]) == (INSERT, "nightly", "read", "ana")
    assert not any(isinstance(each, str) and id_of(each) for each in params.values())
