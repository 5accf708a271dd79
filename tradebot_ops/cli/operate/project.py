"""init, version."""

from pathlib import Path
from typing import Annotated

import typer

from tradebot_ops.cli.emit import emit, ops_of

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def init(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Where to; made if missing.")] = Path(),
) -> None:
    """Write the stack's files into a folder, for editing.

    \b
    Examples:
      tradebot init my-stack && cd my-stack && tradebot up
    """
    from tradebot_ops.operations.project import init as write

    ops = ops_of(context)
    emit(ops, write(ops.settings.cwd / folder))


@app.command("ls")
def list_(context: typer.Context) -> None:
    """List the projects of this host, on every engine or on that of --engine.

    \b
    Examples:
      tradebot ls
      tradebot ls --engine docker --json
    """
    from tradebot_ops.operations import projects

    ops = ops_of(context)
    emit(ops, projects.list_(ops))


@app.command()
def version(context: typer.Context) -> None:
    """Show the version of tradebot, and of Python.

    \b
    Examples:
      tradebot version
      tradebot version --json
    """
    import platform

    from tradebot_ops.model import Report, Section
    from tradebot_ops.version import version as installed

    data = {"tradebot": installed(), "python": platform.python_version()}
    emit(
        ops_of(context),
        Report(
            data=data,
            sections=(Section(lines=(f"tradebot {data['tradebot']} (Python {data['python']})",)),),
        ),
    )
