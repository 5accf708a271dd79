"""Waivers: failures that were accepted, for a reason and until a day. They are listed, never hidden.

    [[waiver]]
    id = "ENG-03"
    reason = "The test machine has 16 GB."
    owner = "maria"
    expires = 2026-12-31

All four are required, and a waiver lasts at most 180 days: lists of exceptions rot otherwise.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tradebot_ops.text.sentences import agreed

MOST_DAYS = 180
KEYS = ("id", "reason", "owner", "expires")


@dataclass(frozen=True)
class Waiver:
    """``expires`` is the last day it holds."""

    id: str
    reason: str
    owner: str
    expires: dt.date

    def days_left(self, today: dt.date) -> int:
        return (self.expires - today).days


@dataclass(frozen=True)
class Waivers:
    """``active`` by check id. ``problems`` are sentences about entries that waive nothing."""

    active: Mapping[str, Waiver]
    problems: tuple[str, ...] = ()


def read(entries: Any, known: Collection[str], today: dt.date) -> Waivers:
    """The waivers of ``tradebot.toml``. An entry that is incomplete, expired, too long or for nothing waives nothing
    and is reported: a typing error must not turn a failure into silence, nor end the run.
    """
    if not isinstance(entries, Sequence) or isinstance(entries, str):
        return Waivers({}, ("`waiver` in tradebot.toml is not a list: write [[waiver]].",))
    active: dict[str, Waiver] = {}
    problems: list[str] = []
    for number, entry in enumerate(entries, 1):
        read_one = _read(entry)
        problem = read_one if isinstance(read_one, str) else _wrong(read_one, known, today)
        if problem or isinstance(read_one, str):
            problems.append(f"Waiver {number} in tradebot.toml waives nothing: {problem}.")
        elif read_one.id in active:
            problems.append(f"Waiver {number} in tradebot.toml waives nothing: {read_one.id} is waived already.")
        else:
            active[read_one.id] = read_one
    return Waivers(active, tuple(problems))


def unused(waivers: Waivers, failing: Collection[str], judged: Collection[str]) -> tuple[str, ...]:
    """Sentences about waivers whose check was judged and needs none any more."""
    return tuple(
        f"The waiver for {waiver.id} ({waiver.owner}) is not needed any more: remove it from tradebot.toml."
        for waiver in waivers.active.values()
        if waiver.id in judged and waiver.id not in failing
    )


def _read(entry: Any) -> Waiver | str:
    if not isinstance(entry, Mapping):
        return "it is not a table"
    missing = [key for key in KEYS if not entry.get(key)]
    if missing:
        return f"it has no {', '.join(missing)}"
    expires = _day(entry["expires"])
    if expires is None:
        return f"expires = {entry['expires']!r} is not a day such as 2026-12-31"
    return Waiver(str(entry["id"]).upper(), str(entry["reason"]), str(entry["owner"]), expires)


def _day(value: Any) -> dt.date | None:
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    try:
        return dt.date.fromisoformat(str(value))
    except ValueError:
        return None


def _wrong(waiver: Waiver, known: Collection[str], today: dt.date) -> str:
    left = waiver.days_left(today)
    if waiver.id not in known:
        return f"there is no check {waiver.id}"
    if left < 0:
        return f"that for {waiver.id} expired on {waiver.expires}"
    if left > MOST_DAYS:
        return agreed(f"that for {waiver.id} lasts {left} days, and {MOST_DAYS} are the most")
    return ""
