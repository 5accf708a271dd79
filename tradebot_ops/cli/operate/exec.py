"""exec, shell."""

import sys
from typing import Annotated

import typer

from tradebot_ops.cli.emit import emit, ops_of
from tradebot_ops.cli.streams import writing_stdout
from tradebot_ops.errors import OpsError

app = typer.Typer(add_completion=False, rich_markup_mode=None)

Service = Annotated[str, typer.Argument(help="Service or replica: worker, worker-2.")]


@app.command("exec", context_settings={"allow_interspersed_args": False, "ignore_unknown_options": True})
def exec_(
    context: typer.Context,
    service: Service,
    words: Annotated[list[str], typer.Argument(metavar="[N] -- COMMAND...", help="Replica, and what to run there.")],
    interactive: Annotated[bool, typer.Option("-i", "--interactive", hidden=True, help="It always is.")] = False,
    no_tty: Annotated[bool, typer.Option("-T", "--no-tty", hidden=True, help="So it is in a pipe.")] = False,
    tty: Annotated[bool, typer.Option("-t", "--tty", hidden=True, help="So it is on a terminal.")] = False,
) -> None:
    """Run a command where a service runs; its exit code is the exit code.

    Input and output are passed on as they are. With --json they are collected, for --timeout seconds at most.

    \b
    Examples:
      tradebot exec redis -- redis-cli --version
      tradebot exec worker-2 -- env
      tradebot exec api --json -- python --version
    """
    del interactive, tty, no_tty  # asked for by habit: input is passed on, and a terminal is one there, too
    from tradebot_ops.operations.exec import attach, run, split

    ops = ops_of(context)
    number, command = split(words)
    if ops.settings.output in {"json", "yaml"}:
        emit(ops, run(ops, service, number, command))
        return
    with writing_stdout() as stdout:
        terminal = sys.stdin.isatty() and stdout.isatty()
        code = attach(ops, service, number, command, stdout.write, terminal=terminal)
    raise typer.Exit(code)


@app.command()
def shell(
    context: typer.Context,
    service: Service,
    number: Annotated[int | None, typer.Argument(help="Replica; the first that runs.", show_default=False)] = None,
) -> None:
    """Open a shell where a service runs: in its container, or here with its environment.

    \b
    Examples:
      tradebot shell api
      tradebot shell worker-2
    """
    from tradebot_ops.operations.exec import attach

    ops = ops_of(context)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise OpsError(
            "A shell needs a terminal.", code="TB-0213", hint=f"Run a single command: tradebot exec {service} -- env"
        )
    raise typer.Exit(attach(ops, service, number, (), sys.stdout.write, terminal=True))
