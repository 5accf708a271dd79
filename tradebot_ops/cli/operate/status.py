"""status, logs, urls, events."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from tradebot_ops.cli.emit import emit, ops_of
from tradebot_ops.cli.streams import say, writing_stdout
from tradebot_ops.model import Report

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def status(
    context: typer.Context,
    services: Annotated[
        list[str] | None, typer.Argument(help="Services; all when none is named.", show_default=False)
    ] = None,
    cpu: Annotated[bool, typer.Option("--cpu", help="Measure CPU, too; takes a moment longer.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Show it with CPU every two seconds until Ctrl-C.")] = False,
    every: Annotated[bool, typer.Option("-a", "--all", hidden=True, help="They are always shown.")] = False,
) -> None:
    """Show every service: state, health, endpoint, memory.

    Exit code 1 when something that should run does not.

    \b
    Examples:
      tradebot status
      tradebot status worker --json
      tradebot status --watch
    """
    from tradebot_ops.operations.lifecycle.status import status as look
    from tradebot_ops.operations.select import chosen_services

    del every  # asked for by habit: stopped replicas are always shown
    ops = ops_of(context)
    chosen = chosen_services(ops.stack, services) if services else ()

    def now(*, cpu: bool) -> Report:
        return look(ops, chosen, cpu=cpu, only=bool(chosen))

    if watch:
        from tradebot_ops.render.watch import watch as repeat

        with writing_stdout() as stdout:
            repeat(lambda: now(cpu=True), ops.settings, stdout)
        return
    emit(ops, now(cpu=cpu))


@app.command()
def urls(context: typer.Context) -> None:
    """Show the addresses of everything with an address, moved ports included.

    \b
    Examples:
      tradebot urls
      tradebot urls --json
    """
    from tradebot_ops.operations.urls import urls as addresses

    ops = ops_of(context)
    emit(ops, addresses(ops))


@app.command()
def logs(
    context: typer.Context,
    services: Annotated[
        list[str] | None, typer.Argument(help="Services, or replicas: worker-2; all when none.", show_default=False)
    ] = None,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on with new lines until Ctrl-C.")] = False,
    since: Annotated[str | None, typer.Option("--since", help="15m, 2h or 2026-11-22T08:00 (UTC).")] = None,
    tail: Annotated[int, typer.Option("-n", "--tail", help="Lines per replica; 0 shows all.", min=0)] = 100,
    timestamps: Annotated[bool, typer.Option("-t", "--timestamps", hidden=True, help="They are always shown.")] = False,
    level: Annotated[str | None, typer.Option("--level", help="Least level: debug … critical.")] = None,
    grep: Annotated[str | None, typer.Option("--grep", help="Only lines that match this regular expression.")] = None,
    raw: Annotated[
        bool, typer.Option("--raw", help="Lines as the services wrote them, without the replica's name.")
    ] = False,
) -> None:
    """Show or follow the logs of services: rendered on a terminal, as written when piped.

    \b
    Examples:
      tradebot logs worker -f
      tradebot logs worker-2 --tail 20
      tradebot logs --since 15m --level warning
    """
    del timestamps  # asked for by habit
    from tradebot_ops.engines.base import LogQuery
    from tradebot_ops.operations.logs import entries, unreadable
    from tradebot_ops.operations.logs import since as moment
    from tradebot_ops.operations.select import chosen_replicas
    from tradebot_ops.render.logs import LogWriter

    ops = ops_of(context)
    chosen = chosen_replicas(ops.stack, services or [])
    query = LogQuery(since=moment(since, datetime.now(UTC)), tail=tail or None, follow=follow)
    for sentence in unreadable(ops, chosen):
        say(sentence)
    with writing_stdout() as stdout:
        writer = LogWriter(stdout, ops.settings.color, ndjson=ops.settings.output == "json", raw=raw)
        for entry in entries(ops, chosen, query, level, grep):
            writer.write(entry)


@app.command()
def events(
    context: typer.Context,
    services: Annotated[
        list[str] | None, typer.Argument(help="Services; all when none is named.", show_default=False)
    ] = None,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on with new ones until Ctrl-C.")] = False,
    since: Annotated[str | None, typer.Option("--since", help="15m, 2h or 2026-11-22T08:00 (UTC).")] = None,
) -> None:
    """Show or follow what happened to services: starts, ends, kills for lack of memory.

    With --follow only new ones, unless --since asks for older. With --json one document a line.

    \b
    Examples:
      tradebot events --since 1h
      tradebot events worker -f --json
    """
    from tradebot_ops.operations.events import happened
    from tradebot_ops.operations.logs import since as moment
    from tradebot_ops.render.events import EventWriter

    ops = ops_of(context)
    found = happened(ops, services or [], moment(since, datetime.now(UTC)), follow=follow)
    with writing_stdout() as stdout:
        writer = EventWriter(stdout, ops.settings.color, ndjson=ops.settings.output == "json")
        for event in found:
            writer.write(event)
