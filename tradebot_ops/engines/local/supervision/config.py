"""The supervisor's configuration.

Only names relative to the project's folder stand in it: then neither spaces nor other characters of the path can be
misread, and the socket's path stays below the kernel's limit of 108 bytes. A replica's command and environment are
in its record, which the launcher reads.
"""

from collections.abc import Iterable

from tradebot_ops.engines.local.records import Record
from tradebot_ops.settings import MAX_DRAIN

#: A replica that lives this many seconds has started; dying earlier counts towards the crash-loop verdict.
STARTED_AFTER = 10
#: Restarts in a row before the verdict; the pauses between them are 1, 2, 3 … seconds.
START_RETRIES = 4

_HEADER = """\
; Written by tradebot; changes are lost.
[supervisord]
logfile=logs/supervisord.log
logfile_maxbytes=1MB
logfile_backups=2
loglevel=info
pidfile=supervisord.pid
umask=077
minfds=256
minprocs=1
nocleanup=true
{user}
[unix_http_server]
file=/proc/self/cwd/supervisor.sock
chmod=0600

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""

_PROGRAM = """
[program:{name}]
command=/bin/sh launch {name}
autostart=false
autorestart={autorestart}
exitcodes=0
startsecs={startsecs}
startretries={retries}
stopsignal={signal}
stopwaitsecs={wait}
killasgroup=true
redirect_stderr=true
stdout_logfile=logs/{name}.log
stdout_logfile_maxbytes={log_size}
stdout_logfile_backups={log_backups}
"""


def render_config(records: Iterable[Record], *, as_root: bool) -> str:
    """The whole configuration; a replica's command and environment are in its record, not here."""
    header = _HEADER.format(user="user=root\n" if as_root else "")
    return header + "".join(_render_program(record) for record in records)


def nameless(signal: str) -> bool:
    """Whether the supervisor cannot send it: a real-time signal, given by its number."""
    return signal.isdigit()


def _render_program(record: Record) -> str:
    policy, _, retries = record.restart.partition(":")
    again = {"always": "true", "unless-stopped": "true", "on-failure": "unexpected"}.get(policy, "false")
    if record.one_shot:
        again = "false"
    return _PROGRAM.format(
        name=record.label,
        autorestart=again,
        startsecs=0 if again == "false" else STARTED_AFTER,
        retries=int(retries) if retries.isdigit() else START_RETRIES,
        # It refuses its whole configuration for a signal without a name, which the engine sends itself.
        signal="CONT" if nameless(record.stop_signal) else record.stop_signal.removeprefix("SIG"),
        # The engine kills when the grace it was given has passed; this is for an engine that was killed itself.
        wait=int(record.stop_grace) + MAX_DRAIN + 60,
        log_size=record.log_size,
        log_backups=max(record.log_files - 1, 0),
    )
