"""Damages that the last lines of a service's log name, and what to do about each. Pure."""

import re
from collections.abc import Sequence

_APPENDS = (
    "A power failure leaves zeros at the end of Redis' file. Copy the folder appendonlydir of its volume, then cut the "
    "damaged end off: redis-check-aof --fix appendonlydir/appendonly.aof.manifest (or valkey-check-aof)"
)
_SNAPSHOT = (
    "Redis' snapshot dump.rdb is damaged. Look at it with redis-check-rdb, move it out of the volume and run `tradebot "
    "up`: what it held of the queue is sent again from the ledger in Postgres"
)
_KNOWN = (
    (re.compile("(Bad file format|Unexpected end of file) reading the append only file"), _APPENDS),
    (re.compile("Wrong signature trying to load DB from file|Short read or OOM loading DB"), _SNAPSHOT),
)


def way_out(lines: Sequence[str]) -> str:
    """The repair of the damage that these lines name; empty where they name none that is known."""
    return next((hint for pattern, hint in _KNOWN if any(map(pattern.search, lines))), "")
