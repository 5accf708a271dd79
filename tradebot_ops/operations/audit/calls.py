"""`tradebot audit --api`: changes that others than this command asked of the API, which records them itself."""

from datetime import datetime

from tradebot_ops.context import Ops
from tradebot_ops.model import Report, Section, Table
from tradebot_ops.text.sentences import agreed

#: So many are shown to a person who did not ask for a time, and so many the API gives at most.
SHOWN, MOST = 50, 1000
NONE = "Nothing was asked of the API directly that changes something{fits}."


def listing(ops: Ops, since: datetime | None, by: str, command: str) -> Report:
    """The newest last. ``command`` is the beginning of what was asked, such as ``DELETE /jobs``."""
    since_s = max((ops.clock() - since).total_seconds(), 1.0) if since else None
    known = ops.api.api_calls(MOST, since_s, by or None)
    found = [each for each in reversed(known) if f"{each['method']} {each['path']}".startswith(command.strip())]
    shown = found if since else found[-SHOWN:]
    rows = tuple(
        (each["at"][:19] + "Z", each["by"], f"{each['method']} {each['path']}", outcome(each["status"]))
        for each in shown
    )
    lines = [] if rows else [NONE.format(fits=", and fits" if since or by or command else "")]
    if len(shown) < len(found):
        lines.append(agreed(f"{len(found) - len(shown)} older ones: tradebot audit --api --since 30d"))
    if len(known) == MOST:
        lines.append(f"The API gives the newest {MOST} only.")
    tables = (Table(("when", "by", "asked", "outcome"), rows),) if rows else ()
    return Report(data={"calls": found}, sections=(Section(lines=tuple(lines), tables=tables),))


def outcome(status: int) -> str:
    if status < 400:
        return "ok"
    return f"refused ({status})" if status < 500 else f"failed ({status})"
