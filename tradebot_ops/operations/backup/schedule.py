"""Lines that have this host back the project up regularly: for systemd or cron, printed, never installed."""

import re
import shlex
from collections.abc import Mapping, Sequence

from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Report, Section
from tradebot_ops.operations.backup.copying.copy import named
from tradebot_ops.operations.unattended.typed import assignment, call, carried, folder, unit_quoted

_TIME = re.compile(r"(?:[01]?\d|2[0-3]):[0-5]\d")
FORMS = ("systemd", "cron")


def schedule(ops: Ops, at: str, keep: int, form: str, copy_to: str = "") -> Report:
    """The lines for one backup a day at this time, and right after it the proof that it restores, and its copy.

    Raises ``OpsError`` TB-0272 for what is no time of day or no form.
    """
    if not _TIME.fullmatch(at):
        raise OpsError(f"'{at}' is no time of day.", code="TB-0272", hint="Write hours and minutes: --at 03:15")
    if form not in FORMS:
        raise OpsError(f"'{form}' is no scheduler that is known.", code="TB-0272", hint=f"One of: {', '.join(FORMS)}.")
    hour, minute = map(int, at.split(":"))
    name = f"tradebot-backup-{ops.settings.project}"
    calls = [call(ops, "backup", "create", "--keep", str(keep)), call(ops, "backup", "verify", "latest")]
    if copy_to:
        calls.append(call(ops, "backup", "copy", "latest", named(ops, copy_to)))
    environ = carried(ops)
    files = (
        {f"{name}.service": _service(ops, calls, environ), f"{name}.timer": _timer(name, hour, minute)}
        if form == "systemd"
        else {"crontab": _cron(ops, calls, environ, hour, minute)}
    )
    sections = [Section(title, lines=tuple(text.splitlines())) for title, text in files.items()]
    return Report(data={"files": files}, sections=(*sections, Section("Next", lines=_next(name, form))))


def _service(ops: Ops, calls: Sequence[Sequence[str]], environ: Mapping[str, str]) -> str:
    quoted = [" ".join(map(unit_quoted, words)) for words in calls]
    lines = [
        "[Unit]",
        f"Description=Back up {ops.settings.project}, and prove that it restores",
        "",
        "[Service]",
        "Type=oneshot",
        f"WorkingDirectory={folder(ops.settings.cwd)}",
        *(f"Environment={assignment(f'{name}={value}')}" for name, value in environ.items()),
        *(f"ExecStart={words}" for words in quoted),
    ]
    return "".join(f"{line}\n" for line in lines)


def _timer(name: str, hour: int, minute: int) -> str:
    lines = [
        "[Unit]",
        f"Description=When {name}.service runs",
        "",
        "[Timer]",
        f"OnCalendar=*-*-* {hour:02}:{minute:02}:00",
        "Persistent=true",
        "",
        "[Install]",
        "WantedBy=timers.target",
    ]
    return "".join(f"{line}\n" for line in lines)


def _cron(ops: Ops, calls: Sequence[Sequence[str]], environ: Mapping[str, str], hour: int, minute: int) -> str:
    """One line; a percent sign would end it."""
    given = " ".join(f"{name}={shlex.quote(value)}" for name, value in environ.items())
    typed = " && ".join(f"{given} {shlex.join(words)}".strip() for words in calls)
    line = f"cd {shlex.quote(str(ops.settings.cwd))} && {typed}".replace("%", "\\%")
    return f"{minute} {hour} * * * {line}\n"


def _next(name: str, form: str) -> tuple[str, ...]:
    if form == "cron":
        return ("Add the line with: crontab -e",)
    return (
        f"Write both files into ~/.config/systemd/user, and then: systemctl --user enable --now {name}.timer",
        "So that it runs while you are not logged in: loginctl enable-linger",
    )
