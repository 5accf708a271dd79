"""The command line: global options, then the command."""

import gc
import os
from pathlib import Path
from typing import Annotated, Any

import typer

from tradebot_ops.cli import interrupt
from tradebot_ops.cli.boundary import OpsGroup
from tradebot_ops.cli.streams import writing_stdout

app = typer.Typer(
    cls=OpsGroup,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Start here: tradebot up, then tradebot status.",
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from tradebot_ops.version import version

        with writing_stdout() as stdout:
            stdout.write(f"tradebot {version()}\n")
        raise typer.Exit


@app.callback()
def tradebot(
    context: typer.Context,
    project: Annotated[
        str | None, typer.Option("-p", "--project", metavar="NAME", help="Name of the stack on this host.")
    ] = None,
    files: Annotated[
        list[str] | None,
        typer.Option("-f", "--file", metavar="FILE", help="Compose file; may be given again."),
    ] = None,
    env_file: Annotated[
        str | None, typer.Option("--env-file", metavar="FILE", help="File of settings instead of .env.")
    ] = None,
    env: Annotated[str | None, typer.Option("--env", metavar="NAME", help="dev, staging or prod.")] = None,
    engine: Annotated[
        str | None, typer.Option("--engine", metavar="NAME", help="auto, docker, local or swarm.")
    ] = None,
    host: Annotated[
        str | None, typer.Option("--host", metavar="URL", help="Docker engine, such as ssh://ops@host.")
    ] = None,
    docker_context: Annotated[str | None, typer.Option("--context", metavar="NAME", help="Docker context.")] = None,
    profiles: Annotated[
        list[str] | None,
        typer.Option("--profile", metavar="NAME", help="monitoring (the default) or core; may be given again."),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option("-o", "--output", metavar="FORMAT", help="table, json, yaml, plain; also junit, sarif, html, …"),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Same as -o json.")] = False,
    timeout: Annotated[
        str | None, typer.Option("--timeout", metavar="SECONDS", help="How long each start or answer may take.")
    ] = None,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No progress.")] = False,
    verbose: Annotated[
        int, typer.Option("-v", "--verbose", count=True, show_default=False, help="More detail; -vv shows tracebacks.")
    ] = 0,
    no_color: Annotated[bool, typer.Option("--no-color", help="No colours.")] = False,
    yes: Annotated[bool, typer.Option("-y", "--yes", help="Do not ask.")] = False,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and leave."),
    ] = False,
) -> None:
    """Run, check and repair a trading-bot stack: API, workers, Redis, Postgres, monitoring.

    Every option below may stand before or after the command. In the environment they are TRADEBOT_PROJECT, _FILE,
    _ENV_FILE, _ENV, _ENGINE, _HOST, _CONTEXT, _PROFILES, _OUTPUT, _TIMEOUT and _YES, and NO_COLOR.
    """
    del version
    from tradebot_ops.context import Ops
    from tradebot_ops.render import check_output
    from tradebot_ops.settings import load_settings
    from tradebot_ops.stack.described import completed

    flags: dict[str, Any] = {
        "project": project,
        "files": files,
        "env_file": env_file,
        "env": env,
        "engine": engine,
        "host": host,
        "context": docker_context,
        "profiles": profiles,
        "output": "json" if json else output,
        "timeout": timeout,
        "quiet": quiet,
        "verbose": verbose,
        "no_color": no_color,
        "yes": yes,
    }
    settings = completed(load_settings(flags, os.environ, Path.cwd()))
    check_output(settings.output)
    # Tests hand in a world of their own: an engine in memory, a clock that stands still.
    context.obj = Ops(settings, **(context.obj or {}))
    context.obj.complaint = _complaint


def _complaint(call: str) -> str:
    from tradebot_ops.cli.grammar import complaint

    return complaint(call)


def main() -> None:
    """Run the command of this process."""
    # A command imports some ten thousand objects that stay, and ends within a second: looking through them for
    # garbage again and again took a tenth of it.
    gc.set_threshold(50_000, 20, 100)
    interrupt.arm()
    try:
        app()
    finally:
        # Nor for the interpreter's last look before it ends: a tenth of `tradebot status`.
        gc.freeze()
