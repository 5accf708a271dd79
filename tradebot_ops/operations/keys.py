"""Named keys of the API, through the API: made, listed, revoked. A key is shown when it is made, and never again."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

from tradebot_ops import units
from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Report, Section, Table
from tradebot_ops.operations.change import change
from tradebot_ops.progress import OnProgress, ignore_progress
from tradebot_ops.text.quantities import ago
from tradebot_ops.text.suggest import did_you_mean

#: Each may do what the ones before it may; the API has the table of what that is.
ROLES = ("read", "operate", "admin")
NONE = "No named key yet. Make one: tradebot keys create nightly --role operate --expires 90d"
_HINT = "--role read, operate or admin; --expires 90d or 2027-03-31"


def create(ops: Ops, name: str, role: str, expires: str | None, on_progress: OnProgress = ignore_progress) -> Report:
    """The new key, alone on its line. Raises ``OpsError`` TB-0279 for no role and for no time to come."""
    if role not in ROLES:
        raise OpsError(f"'{role}' is no role. {did_you_mean(role, ROLES)}".rstrip(), code="TB-0279", hint=_HINT)
    until = None if expires is None else end(expires, ops.clock()).isoformat()
    with change(ops, "keys create", name, role, on_progress=on_progress, lease=False):
        made = ops.api.create_key(name, role, until)
    return Report(data=made, sections=(Section(lines=(made["key"],)),))


def end(text: str, now: datetime) -> datetime:
    """``90d`` from now, a day (its first moment, UTC) or an ISO time. Raises ``OpsError`` TB-0279 for none to come."""
    try:
        at = _from_now(text, now) or datetime.fromisoformat(text)
        at = (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise OpsError(f"'{text}' is not a time.", code="TB-0279", hint=_HINT) from None
    if at <= now:
        raise OpsError(f"{at:%Y-%m-%d %H:%M:%S} UTC is past.", code="TB-0279", hint=_HINT)
    return at


def _from_now(text: str, now: datetime) -> datetime | None:
    try:
        return now + timedelta(seconds=units.seconds(text, units.TYPED))
    except ValueError:
        return None


def list_(ops: Ops) -> Report:
    """Every key: its role, who made it, when it ends, when it was used; the key itself nobody has any more."""
    found, now = ops.api.keys(), ops.clock()
    if not found:
        return Report(data=found, sections=(Section(lines=(NONE,)),))
    rows = tuple(
        (
            each["name"],
            each["role"],
            each["state"],
            each["created_by"],
            _day(each["created_at"]),
            _day(each["expires_at"]) if each["expires_at"] else "never",
            ago(each["last_used_at"], now) if each["last_used_at"] else "never",
        )
        for each in found
    )
    table = Table(("key", "role", "state", "created by", "created", "expires", "last used"), rows)
    return Report(data=found, sections=(Section(tables=(table,)),))


def _day(at: str) -> str:
    moment = datetime.fromisoformat(at).astimezone(UTC)
    return f"{moment:%Y-%m-%d}" if moment.time() == time() else f"{moment:%Y-%m-%d %H:%M}"


def revoke(ops: Ops, name: str, on_progress: OnProgress = ignore_progress) -> Report:
    """End a key for good. Raises ``OpsError`` TB-0280 where none of this name is in force."""
    with change(ops, "keys revoke", name, on_progress=on_progress, lease=False):
        ended = ops.api.revoke_key(name)
        if ended is None:
            raise _unknown(ops.api.keys(), name)
    line = f"The API key {name} is revoked: the API refuses it from now on."
    return Report(data=ended, sections=(Section(lines=(line,)),))


def _unknown(known: list[dict[str, Any]], name: str) -> OpsError:
    in_force = [each["name"] for each in known if each["state"] != "revoked"]
    again = any(each["name"] == name for each in known)
    sentence = f"The API key {name} was revoked before." if again else f"There is no API key '{name}'."
    return OpsError(f"{sentence} {did_you_mean(name, in_force)}".rstrip(), code="TB-0280", hint="tradebot keys list")
