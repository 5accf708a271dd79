"""Have Prometheus and Alertmanager read their configuration again, and prove that it is in force."""

from tradebot_ops.context import Ops
from tradebot_ops.engines.base import Replica, State
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Report, Section
from tradebot_ops.operations.change import change
from tradebot_ops.operations.converge.engine_view import EngineView
from tradebot_ops.operations.converge.execute import converge
from tradebot_ops.operations.converge.judgement import facts_of
from tradebot_ops.operations.converge.reload import answers_of, check_files, put_into_force
from tradebot_ops.operations.monitoring import configuration
from tradebot_ops.progress import OnProgress, Phase, ProgressEvent
from tradebot_ops.stack.plan import Action, Step


def reload(ops: Ops, on_progress: OnProgress) -> Report:
    """Check the configuration where a tool can, then have it read.

    Raises ``OpsError`` TB-0860 for one that is wrong, TB-0605 for one that is not in force in time; what runs goes on
    with the one before.
    """
    with change(ops, "monitoring reload", on_progress=on_progress):
        configuration.ensure(ops)
        checked = check_files(ops)
        running = [found for found in ops.engine.list() if found.service in {"prometheus", "alertmanager"}]
        running = [found for found in running if found.state is State.RUNNING]
        if not running:
            raise OpsError(
                "Neither Prometheus nor Alertmanager runs.", code="TB-0113", hint="tradebot monitoring start"
            )
        replaced = facts_of(ops.engine, ops.stack).replaced
        for found in running:
            _reload(ops, found, on_progress, anew=(found.service, found.number) in replaced)
    line = f"{'Checked and reloaded' if checked else 'Reloaded'}: {', '.join(found.service for found in running)}."
    return Report(
        data={"reloaded": [found.service for found in running]},
        sections=(Section(lines=(line,)),),
    )


def _reload(ops: Ops, found: Replica, on_progress: OnProgress, *, anew: bool) -> None:
    """With ``anew`` it is started again: it has a file that is mounted by itself, and would read the old one."""
    service = ops.stack.services[found.service]
    if found.spec_hash != service.spec_hash:
        raise OpsError(
            f"{found.service} itself is described differently by now, and must be started anew.",
            code="TB-0907",
            hint="tradebot up",
        )
    view = EngineView(ops.engine, ops.settings.timeout)
    if anew:
        step = Step(Action.RESTART, found.service, found.number, "its mounted file was replaced")
        converge(ops.stack, [step], view, answers_of(ops), on_progress).check()
        return
    on_progress(ProgressEvent(found.service, Phase.PREPARING, "reads its configuration"))
    put_into_force(view, ops.stack, found, answers_of(ops))
    on_progress(ProgressEvent(found.service, Phase.DONE))
