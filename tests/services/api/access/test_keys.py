"""The shape of a key, its hash, and the state it is in at a moment."""

from datetime import UTC, datetime, timedelta

import pytest

from services.api.access.keys import SHAPE, Key, hashed, id_of, new_key
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
