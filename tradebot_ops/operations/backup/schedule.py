"""Lines that have this host back the project up regularly: for systemd or cron, printed, never installed."""

import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Report, Section

#: What a scheduler has to be given to find the same stack and the same backups.
_CARRIED = ("TRADEBOT_STATE", "TRADEBOT_BACKUPS", "XDG_STATE_HOME", "DOCKER_HOST", "PATH")
_TIME = re.compile(r"(?:[01]?\d|2[0-3]):[0-5]\d")
FORMS = ("systemd", "cron")


def schedule(ops: Ops, at: str, keep: int, form: str) -> Report:
    """The lines for one backup a day at this time, and the proof that it restores right after it.

    Raises ``OpsError`` TB-0272 for what is no time of day or no form.
    """
    if not _TIME.fullmatch(at):
        raise OpsError(f"'{at}' is no time of day.", code="TB-0272", hint="Write hours and minutes: --at 03:15")
    if form not in FORMS:
        raise OpsError(f"'{form}' is no scheduler that is known.", code="TB-0272", hint=f"One of: {', '.join(FORMS)}.")
    hour, minute = map(int, at.split(":"))
    name = f"tradebot-backup-{ops.settings.project}"
    calls = [_call(ops, "backup", "create", "--keep", str(keep)), _call(ops, "backup", "verify", "latest")]
    carried = {each: ops.settings.environ[each] for each in _CARRIED if ops.settings.environ.get(each)}
    files = (
        {f"{name}.service": _service(ops, calls, carried), f"{name}.timer": _timer(name, hour, minute)}
        if form == "systemd"
        else {"crontab": _cron(ops, calls, carried, hour, minute)}
    )
    sections = [Section(title, lines=tuple(text.splitlines())) for title, text in files.items()]
    return Report(data={"files": files}, sections=(*sections, Section("Next", lines=_next(name, form))))


def _call(ops: Ops, *words: str) -> list[str]:
    """Such as it is typed, but that a scheduler has neither this folder nor this shell's settings."""
    settings = ops.settings
    files = [word for path in ops.source.files for word in ("--file", str(path))]
    chosen = ["-p", settings.project, "--engine", ops.choice.engine.name, *files]
    if settings.env_file.is_file():
        chosen += ["--env-file", str(settings.env_file)]
    return [_program(), *chosen, *words, "--quiet"]


def _program() -> str:
    beside = Path(sys.executable).with_name("tradebot")
    return str(beside) if beside.is_file() else str(Path(sys.argv[0]).resolve())


def _service(ops: Ops, calls: Sequence[Sequence[str]], environ: Mapping[str, str]) -> str:
    quoted = [" ".join(map(_unit_quoted, call)) for call in calls]
    lines = [
        "[Unit]",
        f"Description=Back up {ops.settings.project}, and prove that it restores",
        "",
        "[Service]",
        "Type=oneshot",
        f"WorkingDirectory={str(ops.settings.cwd).replace('%', '%%')}",
        *(f"Environment={_unit_quoted(f'{name}={value}')}" for name, value in environ.items()),
        *(f"ExecStart={call}" for call in quoted),
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


def _unit_quoted(word: str) -> str:
    """As systemd.syntax(7) reads it: percent signs and dollars have a meaning there."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return escaped if re.fullmatch(r"[\w./:=@%$,+-]+", escaped) else f'"{escaped}"'


def _cron(ops: Ops, calls: Sequence[Sequence[str]], environ: Mapping[str, str], hour: int, minute: int) -> str:
    """One line; a percent sign would end it."""
    given = " ".join(f"{name}={shlex.quote(value)}" for name, value in environ.items())
    typed = " && ".join(f"{given} {shlex.join(call)}".strip() for call in calls)
    line = f"cd {shlex.quote(str(ops.settings.cwd))} && {typed}".replace("%", "\\%")
    return f"{minute} {hour} * * * {line}\n"


def _next(name: str, form: str) -> tuple[str, ...]:
    if form == "cron":
        return ("Add the line with: crontab -e",)
    return (
        f"Write both files into ~/.config/systemd/user, and then: systemctl --user enable --now {name}.timer",
        "So that it runs while you are not logged in: loginctl enable-linger",
    )
