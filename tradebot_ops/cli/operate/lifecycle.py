"""up, down, start, stop, restart, scale."""

from typing import Annotated

import typer

from tradebot_ops.cli.emit import emit, ops_of, show_progress
from tradebot_ops.cli.operate.plan import plan as show_plan
from tradebot_ops.errors import OpsError
from tradebot_ops.settings import MAX_DRAIN

app = typer.Typer(add_completion=False, rich_markup_mode=None)

Drain = Annotated[
    int | None,
    typer.Option(
        "--drain",
        min=0,
        max=MAX_DRAIN,
        metavar="SECONDS",
        help="Let the job of a stopping worker go on for so long; 30 (WORKER_GRACE_SECONDS) if not given.",
        show_default=False,
    ),
]
Force = Annotated[
    bool, typer.Option("--force", help="Although the watched bot holds a position; with --reason.", show_default=False)
]
Reason = Annotated[
    str, typer.Option("--reason", metavar="TEXT", help="Why it is forced; for the audit log.", show_default=False)
]
Services = Annotated[list[str] | None, typer.Argument(help="Services; all when none is named.", show_default=False)]


Replicas = Annotated[
    list[str] | None, typer.Argument(help="Services, or replicas: worker-2; all when none.", show_default=False)
]


@app.command()
def up(
    context: typer.Context,
    services: Services = None,
    no_canary: Annotated[bool, typer.Option("--no-canary", help="Skip the proof by a real job.")] = False,
    remove_orphans: Annotated[
        bool, typer.Option("--remove-orphans", help="Remove services that are not in the stack any more.")
    ] = False,
    build: Annotated[bool, typer.Option("--build", help="Build the stack's own images first.")] = False,
    plan: Annotated[bool, typer.Option("--plan", help="Only show what would be done, and why.")] = False,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="With --plan: exit with 10 for changes.")] = False,
    detach: Annotated[bool, typer.Option("-d", "--detach", hidden=True, help="It always does.")] = False,
    wait: Annotated[bool, typer.Option("--wait", hidden=True, help="It always does.")] = False,
    scale: Annotated[list[str] | None, typer.Option("--scale", metavar="SERVICE=N", hidden=True)] = None,
) -> None:
    """Start the stack, prove that it works, and show it.

    Changes only what differs from the description; a second `up` changes nothing and says so.

    \b
    Examples:
      tradebot up
      tradebot up redis postgres
      tradebot up --engine local --json
      tradebot up --plan
    """
    del detach, wait  # asked for by habit; `up` waits until everything is ready, then leaves it running
    if scale:
        raise OpsError(
            "`up` does not set how many replicas run: `scale` sets it, and `up` keeps to it.",
            code="TB-0265",
            hint="; then ".join(["tradebot up", *(f"tradebot scale {pair}" for pair in scale)]),
        )
    if plan:
        show_plan(context, services, remove_orphans, exit_code)
        return
    from tradebot_ops.operations.lifecycle import up as operation

    ops = ops_of(context)
    with show_progress(ops) as on_progress:
        report = operation.up(
            ops, services or [], on_progress, prove=not no_canary, remove_orphans=remove_orphans, build=build
        )
    emit(ops, report)


@app.command()
def down(
    context: typer.Context,
    volumes: Annotated[bool, typer.Option("-v", "--volumes", help="Remove the data and the secrets, too.")] = False,
    drain: Drain = None,
    force: Force = False,
    reason: Reason = "",
) -> None:
    """Stop and remove the stack; data stays unless --volumes is given.

    A worker's job that is not done in time is handed back: the next `up` runs it from its beginning.

    \b
    Examples:
      tradebot down
      tradebot down --drain 300
      tradebot down --volumes --yes
    """
    from tradebot_ops.cli.confirm import confirm
    from tradebot_ops.operations.lifecycle import down as operation
    from tradebot_ops.operations.trade.open_positions import reason_of

    ops, forced = ops_of(context), reason_of(force=force, reason=reason)
    if volumes:
        confirm(ops, "This removes all data of the project.")
    with show_progress(ops) as on_progress:
        report = operation.down(ops, on_progress, volumes=volumes, drain=drain, forced=forced)
    emit(ops, report)


@app.command()
def start(context: typer.Context, services: Replicas = None) -> None:
    """Start stopped services again, as they were.

    \b
    Examples:
      tradebot start worker
    """
    from tradebot_ops.operations.lifecycle import startstop

    ops = ops_of(context)
    with show_progress(ops) as on_progress:
        report = startstop.start(ops, services or [], on_progress)
    emit(ops, report)


@app.command()
def stop(context: typer.Context, services: Replicas = None, force: Force = False, reason: Reason = "") -> None:
    """Stop services without removing them.

    A worker's job has up to 30 s (WORKER_GRACE_SECONDS) to end, then it is handed back to the queue.

    \b
    Examples:
      tradebot stop worker
    """
    from tradebot_ops.operations.lifecycle import startstop
    from tradebot_ops.operations.trade.open_positions import reason_of

    ops, forced = ops_of(context), reason_of(force=force, reason=reason)
    with show_progress(ops) as on_progress:
        report = startstop.stop(ops, services or [], on_progress, forced=forced)
    emit(ops, report)


@app.command()
def restart(
    context: typer.Context,
    services: Replicas = None,
    rolling: Annotated[
        bool, typer.Option("--rolling", help="One replica at a time, each ready before the next.")
    ] = False,
    force: Force = False,
    reason: Reason = "",
) -> None:
    """Stop and start services and wait until they are ready.

    They come back as they are described now: `tradebot plan` shows before what that changes.

    \b
    Examples:
      tradebot restart api
      tradebot restart worker-2
      tradebot restart worker --rolling
    """
    from tradebot_ops.operations.lifecycle import startstop
    from tradebot_ops.operations.trade.open_positions import reason_of

    ops, forced = ops_of(context), reason_of(force=force, reason=reason)
    with show_progress(ops) as on_progress:
        report = startstop.restart(ops, services or [], on_progress, rolling=rolling, forced=forced)
    emit(ops, report)


@app.command(context_settings={"ignore_unknown_options": True})
def scale(
    context: typer.Context,
    service: Annotated[str, typer.Argument(help="Service, such as workers; or the word history.")],
    count: Annotated[str | None, typer.Argument(help="How many replicas.", show_default=False)] = None,
    drain: Drain = None,
    explain: Annotated[bool, typer.Option("--explain", help="Only say who would leave or come, and why.")] = False,
    no_persist: Annotated[bool, typer.Option("--no-persist", help="Only until the next `up`.")] = False,
    reset: Annotated[
        bool, typer.Option("--reset", help="Forget the number; run as many as the files and settings ask for.")
    ] = False,
    force: Force = False,
    reason: Reason = "",
) -> None:
    """Set how many replicas of a service run, and remember it.

    New ones are added without touching the others. Idle ones leave first. The job of a busy one that leaves has up
    to 30 s (WORKER_GRACE_SECONDS) or --drain SECONDS to end, then it is handed back, and another worker runs it from
    its beginning. `scale history` shows who asked for how many, and when.

    \b
    Examples:
      tradebot scale workers 6
      tradebot scale workers=6
      tradebot scale workers 2 --drain 300
      tradebot scale workers 2 --explain
      tradebot scale workers --reset
      tradebot scale history
    """
    from tradebot_ops.operations.lifecycle import scale as scaling
    from tradebot_ops.operations.lifecycle import scale_history
    from tradebot_ops.operations.trade.open_positions import reason_of

    ops, forced = ops_of(context), reason_of(force=force, reason=reason)
    if (service, count) == ("history", None):
        emit(ops, scale_history.history(ops))
        return
    if reset:
        with show_progress(ops) as on_progress:
            report = scaling.reset(ops, scaling.parse_reset(service, count), on_progress, drain=drain, forced=forced)
        emit(ops, report)
        return
    name, number = scaling.parse(service, count)
    if explain:
        emit(ops, scaling.explain(ops, name, number, drain=drain))
        return
    with show_progress(ops) as on_progress:
        report = scaling.scale(ops, name, number, on_progress, drain=drain, persist=not no_persist, forced=forced)
    emit(ops, report)
