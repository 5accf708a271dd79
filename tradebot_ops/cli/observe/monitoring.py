"""tradebot monitoring …"""

import typer

from tradebot_ops.cli.emit import emit, ops_of, show_progress

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Prometheus, Alertmanager, Grafana and the exporters.",
)


@app.callback()
def monitoring() -> None:
    """Prometheus, Alertmanager, Grafana and the exporters."""


@app.command()
def setup(context: typer.Context) -> None:
    """Make passwords and configuration, fetch what is missing, start the monitoring and wait until it answers.

    \b
    Examples:
      tradebot monitoring setup
    """
    from tradebot_ops.operations.lifecycle import monitoring as operation

    ops = operation.with_monitoring(ops_of(context))
    with show_progress(ops) as on_progress:
        report = operation.start(ops, on_progress, "monitoring setup")
    emit(ops, report)


@app.command()
def start(context: typer.Context) -> None:
    """Start the monitoring, leaving the core as it is.

    \b
    Examples:
      tradebot monitoring start
    """
    from tradebot_ops.operations.lifecycle import monitoring as operation

    ops = operation.with_monitoring(ops_of(context))
    with show_progress(ops) as on_progress:
        report = operation.start(ops, on_progress, "monitoring start")
    emit(ops, report)


@app.command()
def stop(context: typer.Context) -> None:
    """Stop the monitoring; what it has recorded stays.

    \b
    Examples:
      tradebot monitoring stop
    """
    from tradebot_ops.operations.lifecycle import monitoring as operation

    ops = operation.with_monitoring(ops_of(context))
    with show_progress(ops) as on_progress:
        report = operation.stop(ops, on_progress)
    emit(ops, report)


@app.command()
def restart(context: typer.Context) -> None:
    """Stop and start the monitoring.

    \b
    Examples:
      tradebot monitoring restart
    """
    from tradebot_ops.operations.lifecycle import monitoring as operation

    ops = operation.with_monitoring(ops_of(context))
    with show_progress(ops) as on_progress:
        report = operation.restart(ops, on_progress)
    emit(ops, report)


@app.command()
def status(context: typer.Context) -> None:
    """Show the monitoring's services, targets, rules and what fires. Exit code 5 when one does not answer.

    \b
    Examples:
      tradebot monitoring status
    """
    from tradebot_ops.operations.lifecycle import monitoring as operation

    ops = operation.with_monitoring(ops_of(context))
    emit(ops, operation.status(ops))


@app.command()
def targets(context: typer.Context) -> None:
    """Show what Prometheus scrapes. Exit code 1 when a target is down.

    \b
    Examples:
      tradebot monitoring targets
    """
    from tradebot_ops.operations.monitoring import targets as operation

    ops = ops_of(context)
    emit(ops, operation.targets(ops))


@app.command()
def rules(context: typer.Context) -> None:
    """Show every alert and recording rule. Exit code 1 when one cannot be evaluated.

    \b
    Examples:
      tradebot monitoring rules
    """
    from tradebot_ops.operations.monitoring import rules as operation

    ops = ops_of(context)
    emit(ops, operation.rules(ops))


@app.command()
def reload(context: typer.Context) -> None:
    """Check rules and configuration, then have them read; what is wrong is shown and nothing is reloaded.

    \b
    Examples:
      tradebot monitoring reload
    """
    from tradebot_ops.operations.lifecycle import reload as operation
    from tradebot_ops.operations.lifecycle.monitoring import with_monitoring

    ops = with_monitoring(ops_of(context))
    with show_progress(ops) as on_progress:
        report = operation.reload(ops, on_progress)
    emit(ops, report)
