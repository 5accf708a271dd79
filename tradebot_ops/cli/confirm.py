"""The guard before something is lost: ``--yes``, or the project's name typed on a terminal."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from tradebot_ops.errors import OpsError

if TYPE_CHECKING:
    from tradebot_ops.context import Ops


def confirm(ops: "Ops", warning: str, detail: Sequence[str] = ()) -> None:
    """Raises ``OpsError`` TB-0902 unless the operator agreed; ``detail`` are lines that say what the warning means."""
    if ops.settings.yes:
        return
    project = ops.settings.project
    if sys.stdin.isatty() and sys.stderr.isatty():
        for line in detail:
            typer.echo(f"  {line}", err=True)
        typed = typer.prompt(
            f"{warning} Type the project's name ({project}) to go on",
            default="",
            show_default=False,
            err=True,
        )
        if typed == project:
            return
    raise OpsError(
        f"{warning} It was not confirmed, so nothing was done.",
        code="TB-0902",
        hint="Add --yes.",
        detail=tuple(detail),
    )
