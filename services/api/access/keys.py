"""Named keys of the API. Of each only a SHA-256 is kept: 256 random bits need no slow hash and no salt.

A key is ``tb_ID_SECRET``; by its id it is found, and the whole of it is compared, in constant time.
"""

import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Literal

from pydantic import SecretStr

from services.api.access.roles import Role
from services.common.database import Database

SHAPE = re.compile(r"tb_([0-9a-f]{16})_[A-Za-z0-9_-]{43}")
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
State = Literal["active", "expired", "revoked"]

INSERT = """
INSERT INTO api_key (id, name, role, hash, created_at, created_by, expires_at)
VALUES (%(id)s, %(name)s, %(role)s, %(hash)s, %(now)s, %(by)s, %(expires_at)s)
ON CONFLICT (name) WHERE revoked_at IS NULL DO NOTHING
RETURNING *
"""
FIND = "SELECT * FROM api_key WHERE id = %(id)s"
#: Once a minute is enough to know which keys nobody uses.
USED = """
UPDATE api_key SET last_used_at = %(now)s
WHERE id = %(id)s AND (last_used_at IS NULL OR last_used_at < %(now)s - interval '1 minute')
"""
LIST = "SELECT * FROM api_key ORDER BY created_at, id"
REVOKE = """
UPDATE api_key SET revoked_at = %(now)s, revoked_by = %(by)s
WHERE name = %(name)s AND revoked_at IS NULL
RETURNING *
"""


@dataclass(frozen=True)
class Key:
    """A key without its value, which nobody has but its holder."""

    id: str
    name: str
    role: Role
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None
    revoked_by: str | None

    def state(self, now: datetime) -> State:
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "active"


def new_key() -> SecretStr:
    return SecretStr(f"tb_{secrets.token_hex(8)}_{secrets.token_urlsafe(32)}")


def id_of(text: str) -> str | None:
    """The id in a key; None for what is no key of ours."""
    match = SHAPE.fullmatch(text)
    return match[1] if match else None


def hashed(text: str) -> bytes:
    return sha256(text.encode()).digest()


class KeyStore:
    """Keys in Postgres. Each question is asked anew: a key that was revoked is refused at the next request.

    Every method raises ``DatabaseUnavailable`` while Postgres is away.
    """

    def __init__(self, database: Database, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._database = database
        self.clock = clock

    def create(self, name: str, role: Role, expires_at: datetime | None, by: str) -> tuple[Key, SecretStr] | None:
        """A new key, the only time that it is known; None where another one of this name was not revoked."""
        made = new_key()
        text = made.get_secret_value()
        values = {"id": id_of(text), "name": name, "role": role.value, "hash": hashed(text), "by": by}
        row = self._database.row(INSERT, values | {"now": self.clock(), "expires_at": expires_at})
        return None if row is None else (_key(row), made)

    def find(self, text: str) -> Key | None:
        """The key that this is, whatever its state; None for one that is not ours."""
        if (id_ := id_of(text)) is None:
            return None
        row = self._database.row(FIND, {"id": id_})
        if row is None or not hmac.compare_digest(hashed(text), row["hash"]):
            return None
        return _key(row)

    def used(self, key: Key) -> None:
        """Note that it was used just now."""
        now = self.clock()
        if key.last_used_at is None or (now - key.last_used_at).total_seconds() > 60:
            self._database.execute(USED, {"id": key.id, "now": now})

    def all(self) -> list[Key]:
        """The oldest first, with those that were revoked."""
        return [_key(row) for row in self._database.rows(LIST)]

    def revoke(self, name: str, by: str) -> Key | None:
        """End it, at once and for good; None where no such key is in force."""
        row = self._database.row(REVOKE, {"name": name, "by": by, "now": self.clock()})
        return None if row is None else _key(row)


def _key(row: dict[str, Any]) -> Key:
    known = {name: value for name, value in row.items() if name in Key.__dataclass_fields__}
    return Key(**known | {"role": Role(row["role"])})
