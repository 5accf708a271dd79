"""tradebot audit."""

from typing import Annotated

import typer

from tradebot_ops.cli.emit import emit, ops_of

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def audit(
    context: typer.Context,
    since: Annotated[str | None, typer.Option("--since", help="15m, 7d or 2026-11-22T08:00 (UTC).")] = None,
    by: Annotated[str, typer.Option("--by", metavar="USER", help="Of ana, or of ana@host.")] = "",
    command: Annotated[str, typer.Option("--command", metavar="WORDS", help="Of scale, or of all of backup.")] = "",
    api: Annotated[bool, typer.Option("--api", help="What others asked of the API, such as with a named key.")] = False,
    verify: Annotated[bool, typer.Option("--verify", help="Check that nothing was edited or cut out.")] = False,
    anchor: Annotated[
        str, typer.Option("--anchor", metavar="NUMBER:HASH", help="With --verify: an end noted before.")
    ] = "",
) -> None:
    """Show who changed what, when, for how long and how it ended.

    --verify checks the log line by line, and against the backups: each holds the end of the log of its moment.

    \b
    Examples:
      tradebot audit --since 7d
      tradebot audit --by ana --command backup
      tradebot audit --api --by key:nightly
      tradebot audit --verify
    """
    from datetime import UTC, datetime

    from tradebot_ops.operations.audit import calls, report
    from tradebot_ops.operations.logs import since as moment

    ops = ops_of(context)
    if verify or anchor:
        emit(ops, report.verify(ops, anchor))
        return
    if api:
        emit(ops, calls.listing(ops, moment(since, datetime.now(UTC)), by, command))
        return
    emit(ops, report.listing(ops, moment(since, datetime.now(UTC)), by, command))
