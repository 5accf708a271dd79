"""tradebot diag …"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from tradebot_ops.cli.emit import emit, ops_of
from tradebot_ops.cli.streams import writing_stdout

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Find out what is wrong, and why.",
)


@app.callback()
def diag() -> None:
    """Find out what is wrong, and why."""


Watch = Annotated[bool, typer.Option("--watch", help="Look again every two seconds until Ctrl-C.")]


def _examined(context: typer.Context, name: str, watch: bool) -> None:
    from tradebot_ops.diagnostics.runner import diagnose

    ops = ops_of(context)
    if watch:
        from tradebot_ops.render.watch import watch as repeat

        with writing_stdout() as stdout:
            repeat(lambda: diagnose(ops, name), ops.settings, stdout)
        return
    emit(ops, diagnose(ops, name))


@app.command()
def full(context: typer.Context, watch: Watch = False) -> None:
    """Examine everything at once: what is wrong, since when, and what to type. Exit code 1 when something is.

    \b
    Examples:
      tradebot diag full
      tradebot diag full --json
      tradebot diag redis
    """
    _examined(context, "full", watch)


@app.command()
def explain(context: typer.Context) -> None:
    """Name the cause of what is wrong, with its evidence and what to type.

    \b
    Example:
      tradebot diag explain
    """
    from tradebot_ops.diagnostics import runner

    ops = ops_of(context)
    emit(ops, runner.explain(ops))


@app.command()
def errors(
    context: typer.Context,
    since: Annotated[str, typer.Option("--since", help="15m, 2h, 1d, or a time such as 2026-11-22T08:00.")] = "1h",
    new: Annotated[bool, typer.Option("--new", help="Only what came up after the last start of a replica.")] = False,
) -> None:
    """Show what went wrong, each fault once: from the logs, the API's own count, and the jobs that died.

    \b
    Examples:
      tradebot diag errors
      tradebot diag errors --since 1d --new
    """
    from tradebot_ops.diagnostics import errors as diagnosis

    ops = ops_of(context)
    emit(ops, diagnosis.report(ops, since, only_new=new))


@app.command()
def bundle(
    context: typer.Context,
    output_file: Annotated[Path | None, typer.Option("--output-file", help="Write it here, for you alone.")] = None,
) -> None:
    """Gather what whoever helps has to know, without the secrets; nothing is sent anywhere.

    Without --output-file nothing is written: it shows what would be in the file.

    \b
    Examples:
      tradebot diag bundle
      tradebot diag bundle --output-file bundle.tar.gz
    """
    from tradebot_ops.diagnostics.bundle import command

    ops = ops_of(context)
    emit(ops, command.bundle(ops, output_file))


@app.command()
def diff(
    context: typer.Context,
    snapshot: Annotated[Path, typer.Argument(help="A file that `diag bundle` wrote.")],
    other: Annotated[
        Path | None, typer.Argument(help="A later one; this moment if not given.", show_default=False)
    ] = None,
) -> None:
    """Show what is another than it was: settings, replicas, images, alerts, kinds of errors.

    \b
    Examples:
      tradebot diag diff bundle.tar.gz
      tradebot diag diff monday.tar.gz tuesday.tar.gz
    """
    from tradebot_ops.diagnostics.bundle import difference

    ops = ops_of(context)
    emit(ops, difference.diff(ops, snapshot, other))


@app.command()
def net(
    context: typer.Context,
    port: Annotated[int | None, typer.Option("--port", help="Who listens on this one.", min=1, max=65535)] = None,
    watch: Watch = False,
) -> None:
    """Examine net alone; with --port show who listens on it.

    \b
    Examples:
      tradebot diag net
      tradebot diag net --port 9091
    """
    if port is None:
        _examined(context, "net", watch)
        return
    from tradebot_ops.diagnostics.port import report

    ops = ops_of(context)
    emit(ops, report(ops, port))


_GROUP = "diag"


def _topic(name: str) -> Callable[..., None]:
    def examine(context: typer.Context, watch: Watch = False) -> None:
        _examined(context, name, watch)

    examine.__doc__ = f"Examine {name} alone.\n\n\b\nExamples:\n  tradebot {_GROUP} {name}"
    return examine


#: Topics whose command has options of its own, above.
OWN = frozenset({"errors", "net"})


def _register() -> None:
    """One command a topic: a new file in ``diagnostics/topics`` is a new command."""
    from tradebot_ops.diagnostics import topics
    from tradebot_ops.discovery import names

    for name in sorted(set(names(list(topics.__path__))) - OWN):
        app.command(name)(_topic(name))


_register()
