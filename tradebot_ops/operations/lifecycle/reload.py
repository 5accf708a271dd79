"""Have Prometheus and Alertmanager read their configuration again, once it is proved right."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from tradebot_ops.context import Ops
from tradebot_ops.engines.base import Replica, State
from tradebot_ops.errors import OpsError
from tradebot_ops.facts import promtool
from tradebot_ops.model import Report, Section
from tradebot_ops.operations.change import change
from tradebot_ops.operations.converge import execute
from tradebot_ops.operations.monitoring import channels
from tradebot_ops.progress import OnProgress, Phase, ProgressEvent

SECONDS = 20.0


def reload(ops: Ops, on_progress: OnProgress) -> Report:
    """Check the configuration, then have it read. Raises ``OpsError`` TB-0860, and then reloads nothing."""
    with change(ops, "monitoring reload", on_progress=on_progress):
        channels.ensure(ops)
        promtool.check(ops)
        running = [found for found in ops.engine.list() if found.service in {"prometheus", "alertmanager"}]
        running = [found for found in running if found.state is State.RUNNING]
        if not running:
            raise OpsError(
                "Neither Prometheus nor Alertmanager runs.", code="TB-0113", hint="tradebot monitoring start"
            )
        for found in running:
            _reload(ops, found, on_progress)
    line = f"Checked and reloaded: {', '.join(found.service for found in running)}."
    return Report(
        "monitoring.reload",
        data={"reloaded": [found.service for found in running]},
        sections=(Section(lines=(line,)),),
    )


def _reload(ops: Ops, found: Replica, on_progress: OnProgress) -> None:
    service = ops.stack.services[found.service]
    if found.spec_hash != service.spec_hash:
        raise OpsError(
            f"{found.service} itself is described differently by now, and must be started anew.",
            code="TB-0907",
            hint="tradebot up",
        )
    on_progress(ProgressEvent(found.service, Phase.PREPARING, "reads its configuration"))
    before = datetime.now(UTC)
    execute.reload(ops.engine, ops.stack, found)
    _until(lambda: _loaded(ops, found.service, before), found.service)
    on_progress(ProgressEvent(found.service, Phase.DONE))


def _loaded(ops: Ops, service: str, since: datetime) -> bool:
    """Prometheus tells the second, not more."""
    status = ops.prometheus.status() if service == "prometheus" else ops.alertmanager.status()
    return status.config_loaded and status.config_loaded_at >= since.replace(microsecond=0)


def _until(look: Callable[[], bool], service: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not _holds(look):
        if time.monotonic() > deadline:
            raise OpsError(
                f"{service.capitalize()} did not take over the configuration within {SECONDS:.0f} s; "
                "what it had before is in force.",
                code="TB-0605",
                hint=f"tradebot logs {service} --tail 50",
            )
        time.sleep(0.2)


def _holds(look: Callable[[], bool]) -> bool:
    try:
        return look()
    except OpsError:  # it may have been started anew, and not answer yet
        return False
