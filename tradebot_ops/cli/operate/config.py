"""tradebot config …"""

from pathlib import Path
from typing import Annotated

import typer

from tradebot_ops.cli.emit import emit, ops_of, show_progress

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Show, check and change the settings.",
)


Apply = Annotated[bool, typer.Option("--apply", help="Bring the stack to it at once, as `up` does.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")]
File = Annotated[Path, typer.Argument(metavar="FILE", help="A settings file, such as .env.")]


@app.callback()
def config() -> None:
    """Show, check and change the settings."""


@app.command()
def show(
    context: typer.Context,
    origin: Annotated[bool, typer.Option("--origin", help="Show where each came from; that is always shown.")] = True,
) -> None:
    """Show every setting, its value and where it came from.

    \b
    Examples:
      WORKER_REPLICAS=4 tradebot config show
    """
    del origin  # asked for by habit; a value without its origin answers half of the question
    from tradebot_ops.operations.project import show_config

    ops = ops_of(context)
    emit(ops, show_config(ops))


@app.command()
def validate(context: typer.Context) -> None:
    """Check compose.yaml and every setting without touching anything.

    \b
    Examples:
      tradebot config validate -f compose.yaml
    """
    from tradebot_ops.operations.project import validate_config

    ops = ops_of(context)
    emit(ops, validate_config(ops))


@app.command()
def get(
    context: typer.Context, name: Annotated[str, typer.Argument(metavar="SETTING", help="Such as WORKER_REPLICAS.")]
) -> None:
    """Print the value of one setting, as it is in force.

    \b
    Examples:
      tradebot config get WORKER_REPLICAS
    """
    from tradebot_ops.operations import configure

    ops = ops_of(context)
    emit(ops, configure.get(ops, name))


@app.command("set")
def set_(
    context: typer.Context,
    settings: Annotated[list[str], typer.Argument(metavar="SETTING=VALUE", help="One or more.")],
    apply: Apply = False,
    dry_run: DryRun = False,
) -> None:
    """Write settings into the settings file, and show which services change by it.

    \b
    Examples:
      tradebot config set WORKER_MEMORY_LIMIT=4gb REDIS_MAXMEMORY=2gb
      tradebot config set WORKER_REPLICAS=6 --apply
    """
    from tradebot_ops.operations import configure

    ops = ops_of(context)
    with show_progress(ops, live=False) as on_progress:
        values = configure.pairs(settings)
        report = configure.change_settings(ops, values, on_progress, apply=apply, dry_run=dry_run)
    emit(ops, report)


@app.command()
def unset(
    context: typer.Context,
    names: Annotated[list[str], typer.Argument(metavar="SETTING", help="One or more.")],
    apply: Apply = False,
    dry_run: DryRun = False,
) -> None:
    """Take settings out of the settings file, so that their defaults are in force.

    \b
    Examples:
      tradebot config unset LOG_LEVEL
    """
    from tradebot_ops.operations import configure

    ops = ops_of(context)
    with show_progress(ops, live=False) as on_progress:
        report = configure.change_settings(ops, dict.fromkeys(names), on_progress, apply=apply, dry_run=dry_run)
    emit(ops, report)


@app.command()
def docs(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="SETTING", help="One; else all.")] = "",
) -> None:
    """Show what each setting means, its default and its value now.

    \b
    Examples:
      tradebot config docs
      tradebot config docs REDIS_MAXMEMORY
    """
    from tradebot_ops.operations import configure

    ops = ops_of(context)
    emit(ops, configure.docs(ops, name))


@app.command()
def example(context: typer.Context) -> None:
    """Print a settings file to begin with: every setting, its meaning and its default.

    \b
    Examples:
      tradebot config example | tee .env.production
    """
    from tradebot_ops.operations import configure

    emit(ops_of(context), configure.example())


@app.command()
def diff(
    context: typer.Context,
    first: File,
    second: Annotated[Path, typer.Argument(metavar="OTHER", help="Another one.")],
) -> None:
    """Show what two settings files set to different values; secrets are not shown.

    \b
    Examples:
      tradebot config diff .env .env.production
    """
    from tradebot_ops.operations import configure

    ops = ops_of(context)
    emit(ops, configure.diff(ops, first, second))
