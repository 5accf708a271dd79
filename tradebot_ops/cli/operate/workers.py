"""tradebot workers …"""

from functools import partial
from typing import Annotated

import typer

from tradebot_ops.cli.confirm import confirm
from tradebot_ops.cli.emit import emit, ops_of, show_progress
from tradebot_ops.cli.operate.lifecycle import Drain

app = typer.Typer(
    add_completion=False, rich_markup_mode=None, no_args_is_help=True, help="Show, drain, kill and restart workers."
)

Worker = Annotated[str, typer.Argument(metavar="WORKER", help="worker-2, or 2.")]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; shown to whoever asks.")]

Wait = Annotated[bool, typer.Option("--wait", help="End once its job is over; --timeout limits that.")]


@app.callback()
def workers() -> None:
    """Show, drain, resume, kill and restart workers: those who run the jobs."""


@app.command("list")
def list_(context: typer.Context) -> None:
    """List the workers: state, job and for how long, heartbeat, memory, version, and what to type next.

    \b
    Examples:
      tradebot workers list
    """
    from tradebot_ops.operations.jobs import workers as operation

    ops = ops_of(context)
    emit(ops, operation.list_(ops))


@app.command()
def drain(context: typer.Context, worker: Worker, reason: Reason = "", wait: Wait = False) -> None:
    """Let a worker end its job and take no other; it stays up, also over its restarts, until `resume`.

    \b
    Examples:
      tradebot workers drain worker-2 --reason 'its host gets more memory'
      tradebot --timeout 3600 workers drain worker-2 --wait
    """
    from tradebot_ops.operations.jobs import workers as operation

    ops = ops_of(context)
    with show_progress(ops, live=wait) as on_progress:
        report = operation.drain(ops, worker, reason, wait=wait, on_progress=on_progress)
    emit(ops, report)


@app.command()
def resume(context: typer.Context, worker: Worker, reason: Reason = "") -> None:
    """Let a worker that was drained take jobs again.

    \b
    Examples:
      tradebot workers resume worker-2
    """
    from tradebot_ops.operations.jobs import workers as operation

    ops = ops_of(context)
    with show_progress(ops, live=False) as on_progress:
        report = operation.resume(ops, worker, reason, on_progress)
    emit(ops, report)


@app.command()
def kill(context: typer.Context, worker: Worker, reason: Reason = "") -> None:
    """End a worker now and start it again; its job begins anew elsewhere, with no attempt counted.

    \b
    Examples:
      tradebot workers kill worker-2
      tradebot workers kill worker-2 --yes --reason 'it hangs'
    """
    from tradebot_ops.operations.lifecycle import end_worker

    ops = ops_of(context)
    agree = partial(confirm, ops)
    with show_progress(ops) as on_progress:
        report = end_worker.kill(ops, worker, reason, agree, on_progress)
    emit(ops, report)


@app.command()
def restart(context: typer.Context, worker: Worker, drain: Drain = None) -> None:
    """Let a worker end its job, and start it again. What takes too long is handed back and begins anew elsewhere.

    \b
    Examples:
      tradebot workers restart worker-2 --drain 300
    """
    from tradebot_ops.operations.lifecycle import end_worker

    ops = ops_of(context)
    with show_progress(ops) as on_progress:
        report = end_worker.restart(ops, worker, on_progress, drain=drain)
    emit(ops, report)
