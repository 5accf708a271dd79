"""A record to start from."""

from dataclasses import replace

from tradebot_ops.engines.local.records import Record

_WEB = Record(
    service="web",
    number=1,
    spec_hash="a",
    content_hash="",
    image="",
    argv=("/bin/true",),
    environ={},
    folder="/",
    restart="unless-stopped",
    one_shot=False,
    stop_signal="SIGTERM",
    stop_grace=10,
)


def a_record(**values: object) -> Record:
    return replace(_WEB, **values)  # type: ignore[arg-type]
