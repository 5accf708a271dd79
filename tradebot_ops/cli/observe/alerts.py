"""tradebot alerts …"""

from typing import Annotated

import typer

from tradebot_ops.cli.emit import emit, ops_of, show_progress

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Show, acknowledge, silence and test alerts.",
)


@app.callback()
def alerts() -> None:
    """Show, acknowledge, silence and test alerts."""


@app.command("list")
def list_(
    context: typer.Context,
    every: Annotated[bool, typer.Option("--all", help="Also those that fire by design, such as Watchdog.")] = False,
) -> None:
    """Show what fires or is about to, and silences.

    \b
    Examples:
      tradebot alerts list
      tradebot alerts list --all --json
    """
    from tradebot_ops.operations.alerts import overview

    ops = ops_of(context)
    emit(ops, overview.list_(ops, every=every))


@app.command()
def show(context: typer.Context, alert: Annotated[str, typer.Argument(help="Its name, such as RedisDown.")]) -> None:
    """Show one alert: its rule and whether it fires.

    \b
    Examples:
      tradebot alerts show RedisDown
    """
    from tradebot_ops.operations.alerts import overview

    ops = ops_of(context)
    emit(ops, overview.show(ops, alert))


@app.command()
def history(
    context: typer.Context,
    alert: Annotated[str | None, typer.Argument(help="Only this one.", show_default=False)] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=500, help="At most so many, newest first.")] = 50,
) -> None:
    """Show the alerts that arrived and their ends, as the API stored them.

    \b
    Examples:
      tradebot alerts history
      tradebot alerts history RedisDown --limit 10
    """
    from tradebot_ops.operations.alerts import overview

    ops = ops_of(context)
    emit(ops, overview.history(ops, alert, limit))


@app.command()
def ack(
    context: typer.Context,
    alert: Annotated[str, typer.Argument(help="Its name, such as RedisDown.")],
    labels: Annotated[
        list[str] | None,
        typer.Argument(metavar="LABEL=VALUE", help="Only where it has this label.", show_default=False),
    ] = None,
    false_positive: Annotated[bool, typer.Option("--false-positive", help="There was nothing to act on.")] = False,
    reason: Annotated[str, typer.Option("--reason", "-m", help="What you found; kept with your name.")] = "",
    since: Annotated[
        str | None,
        typer.Option("--since", help="Also earlier ones since 15m, 2h, 7d ago that nobody acknowledged."),
    ] = None,
) -> None:
    """Say that you looked at an alert: at what fires now, or fired last. The next firing is a new one.

    It notifies nobody and keeps nothing quiet (tradebot alerts silence); accuracy in tradebot kpi counts it.

    \b
    Examples:
      tradebot alerts ack RedisDown --reason "moved to the larger host"
      tradebot alerts ack WorkerInstanceDown instance=worker-2:9102
      tradebot alerts ack HighCPUUsage --false-positive --reason "nightly sweep" --since 12h
    """
    from tradebot_ops.operations.alerts import quality

    ops = ops_of(context)
    with show_progress(ops, live=False) as on_progress:
        report = quality.acknowledge(
            ops, alert, labels or [], reason, since, false_positive=false_positive, on_progress=on_progress
        )
    emit(ops, report)


@app.command()
def stats(
    context: typer.Context,
    alert: Annotated[str | None, typer.Argument(help="Only this one.", show_default=False)] = None,
    since: Annotated[str, typer.Option("--since", help="15m, 2h, 7d or 2026-11-22T08:00 (UTC).")] = "30d",
) -> None:
    """Show how good each alert is: how often it fired, was acknowledged, was false, how soon it came and ended.

    \b
    Examples:
      tradebot alerts stats
      tradebot alerts stats HighAPILatency --since 7d --json
    """
    from tradebot_ops.operations.alerts import quality

    ops = ops_of(context)
    emit(ops, quality.stats(ops, alert, since))


@app.command()
def silence(
    context: typer.Context,
    matchers: Annotated[list[str], typer.Argument(help="A name, or LABEL=VALUE, =~, !=, !~.")],
    lasting: Annotated[str | None, typer.Option("--for", help="How long: 30m, 2h, 1d.")] = None,
    comment: Annotated[str | None, typer.Option("--comment", "-m", help="Why; whoever is on call reads it.")] = None,
) -> None:
    """Keep alerts quiet for a while; it needs an end and a reason.

    \b
    Examples:
      tradebot alerts silence HighCPUUsage --for 2h --comment "load test"
      tradebot alerts silence job=worker 'severity=~"warning|info"' --for 30m -m "rolling update"
    """
    from tradebot_ops.operations.alerts import silences

    ops = ops_of(context)
    with show_progress(ops, live=False) as on_progress:
        report = silences.silence(ops, matchers, lasting, comment, on_progress)
    emit(ops, report)


@app.command()
def unsilence(
    context: typer.Context, silence: Annotated[str, typer.Argument(help="The silence's id, or its beginning.")]
) -> None:
    """End a silence now.

    \b
    Examples:
      tradebot alerts unsilence 3f2a
    """
    from tradebot_ops.operations.alerts import silences

    ops = ops_of(context)
    with show_progress(ops, live=False) as on_progress:
        report = silences.unsilence(ops, silence, on_progress)
    emit(ops, report)


@app.command("test")
def try_out(
    context: typer.Context,
    receivers: Annotated[
        list[str] | None,
        typer.Option("--receiver", help="Also through its channels, really: critical, warning.", show_default=False),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Also through every channel.")] = False,
) -> None:
    """Send an alert all the way to the store and back; names the hop that broke.

    \b
    Examples:
      tradebot alerts test
      tradebot alerts test --receiver critical
      tradebot alerts test --all
    """
    from tradebot_ops.operations.alerts import delivery

    ops = ops_of(context)
    with show_progress(ops) as on_progress:
        report = delivery.run(ops, on_progress, receivers or (), every=every)
    emit(ops, report)


@app.command("test-rules")
def check_rules(
    context: typer.Context,
    files: Annotated[
        list[str] | None, typer.Argument(help="Such as workers; all when none is named.", show_default=False)
    ] = None,
) -> None:
    """Run the unit tests of the alert rules.

    \b
    Examples:
      tradebot alerts test-rules
      tradebot alerts test-rules workers
    """
    from tradebot_ops.operations.alerts import lint as operation

    ops = ops_of(context)
    emit(ops, operation.test_rules(ops, files or []))


@app.command()
def lint(context: typer.Context) -> None:
    """Check rules, configuration, runbooks and metrics, without anything running.

    \b
    Examples:
      tradebot alerts lint
    """
    from tradebot_ops.operations.alerts import lint as operation
    from tradebot_ops.operations.lifecycle.monitoring import with_monitoring

    ops = with_monitoring(ops_of(context))
    emit(ops, operation.lint(ops))
