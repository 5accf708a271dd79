"""`tradebot waive`: write a waiver into tradebot.toml, and leave the rest of that file as it is."""

import datetime as dt
import os
import tempfile
from pathlib import Path

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT, Table

from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Report, Section
from tradebot_ops.operations.change import change, user
from tradebot_ops.prodcheck import catalogue
from tradebot_ops.prodcheck.waivers import MOST_DAYS
from tradebot_ops.settings.folder import TOML


def waive(ops: Ops, id_: str, reason: str, until: str, owner: str = "") -> Report:
    """Write it; one for the same check is replaced.

    Raises ``OpsError``: TB-0230 for an unknown check, TB-0233 without a reason or with a day that does not do, TB-0804
    for a file that is not TOML, TB-0802 for one that cannot be written.
    """
    _, check = catalogue.find(id_)
    if not reason.strip():
        hint = f"tradebot waive {check.id} --reason 'The test machine has 16 GB.' --until 2027-03-31"
        raise OpsError("A waiver needs a reason.", code="TB-0233", hint=hint)
    day = _day(until, ops.clock().date())
    entry = _entry(check.id, reason.strip(), owner.strip() or user(ops), day)
    path = ops.settings.folder / TOML
    with change(ops, "waive", check.id):
        replaced = _write(path, check.id, entry)
    text = f"[[waiver]]\n{entry.as_string()}".rstrip()
    head = f"{path}: {'replaced' if replaced else 'added'}"
    left = (day - ops.clock().date()).days
    data = {"file": str(path), "replaced": replaced, "days": left, **{key: str(value) for key, value in entry.items()}}
    return Report(data=data, sections=(Section(head, lines=tuple(text.splitlines())),))


def _day(text: str, today: dt.date) -> dt.date:
    most = today + dt.timedelta(days=MOST_DAYS)
    hint = f"Write --until with a day from {today} to {most}."
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        raise OpsError(f"'{text}' is not a day such as {most}.", code="TB-0233", hint=hint) from None
    if day < today:
        raise OpsError(f"{day} is over.", code="TB-0233", hint=hint)
    if day > most:
        raise OpsError(f"{day} is more than {MOST_DAYS} days away.", code="TB-0233", hint=hint)
    return day


def _entry(id_: str, reason: str, owner: str, expires: dt.date) -> Table:
    table = tomlkit.table()
    for key, value in (("id", id_), ("reason", reason), ("owner", owner), ("expires", expires)):
        table.add(key, value)
    return table


def _write(path: Path, id_: str, entry: Table) -> bool:
    """Whether one was replaced. Comments, order and spaces of the file stay as they are."""
    try:
        document = tomlkit.parse(path.read_text(encoding="utf-8") if path.exists() else "")
    except (TOMLKitError, OSError, UnicodeDecodeError) as error:
        raise OpsError(f"Cannot read {path}: {error}.", code="TB-0804", hint="Mend the line it names.") from None
    waivers = document.get("waiver")
    if waivers is None:
        waivers = tomlkit.aot()
        document.append("waiver", waivers)
    if not isinstance(waivers, AoT):
        raise OpsError(f"`waiver` in {path} is not a list.", code="TB-0804", hint="Write [[waiver]] for each one.")
    places = [place for place, each in enumerate(waivers) if str(each.get("id", "")).upper() == id_]
    if places:
        _update(waivers[places[0]], entry)
    else:
        waivers.append(entry)
    _replace(path, tomlkit.dumps(document))
    return bool(places)


def _update(old: Table, entry: Table) -> None:
    for key, value in entry.items():
        old[key] = value


def _replace(path: Path, text: str) -> None:
    """Whole or not at all, with the rights that the file had."""
    try:
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(text)
                os.fchmod(stream.fileno(), mode)
                stream.flush()
                os.fsync(stream.fileno())
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise OpsError(
            f"Cannot write {path}: {error.strerror}.", code="TB-0802", hint="Check who owns it and its folder."
        ) from None
