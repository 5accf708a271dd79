"""Inspection of a replica that is a process of this host, and of this host as an engine."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil

from tradebot_ops.engines.base import Replica
from tradebot_ops.engines.inspection import Binding, EngineInfo, Inspected
from tradebot_ops.engines.local.layout import Layout
from tradebot_ops.engines.local.observing.boot import places, starts_at_boot
from tradebot_ops.engines.local.records import Record


def inspected(record: Record, replica: Replica) -> Inspected:
    """The supervisor rotates output at ``max-size``, and passes stop signals on: both hold for every replica."""
    return Inspected(
        service=record.service,
        number=record.number,
        id=record.label,
        name=replica.name,
        status=replica.state.value,
        contained=False,
        exit_code=replica.exit_code,
        pid=replica.pid,
        restarts=replica.restarts,
        started_at=replica.started_at,
        restart_policy=record.restart.partition(":")[0],
        image=record.image,
        source_hash=record.source,
        environment=record.environ,
        command=record.argv,
        stop_signal=record.stop_signal,
        stop_grace=record.stop_grace,
        init=True,
        log_driver="supervisor",
        log_options={"max-size": str(record.log_size), "max-file": str(record.log_files)},
        user=_user(replica.pid),
        bindings=tuple(
            Binding(target, record.listen, local)
            for target in record.published
            if (local := record.ports.get(str(target))) is not None
        ),
    )


def _user(pid: int | None) -> str:
    """Of the service itself: where a wrapper drops its rights, the last child's."""
    try:
        return psutil.Process(pid).username() if pid else ""
    except psutil.Error:
        return ""


def info(layout: Layout) -> EngineInfo:
    now = datetime.now(UTC)
    starts, evidence = starts_at_boot(layout.state.name, places(Path.home()))
    return EngineInfo(
        name="local",
        version=f"supervisor {version('supervisor')}",
        os=platform.platform(),
        memory=psutil.virtual_memory().total,
        cpus=len(os.sched_getaffinity(0)),
        data_root=str(layout.state),
        on_this_host=True,
        starts_at_boot=starts,
        boot_evidence=evidence,
        now=now,
        asked=now,
        answered=now,
    )
