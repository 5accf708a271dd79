"""prune."""

from typing import Annotated

import typer

from tradebot_ops.cli.emit import emit, ops_of, show_progress

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def prune(
    context: typer.Context,
    images: Annotated[
        bool, typer.Option("--images", help="Old images that tradebot made, too, whichever project they were for.")
    ] = False,
    volumes: Annotated[
        bool, typer.Option("--volumes", help="Volumes that are not in the stack any more, too: their data is lost.")
    ] = False,
) -> None:
    """Remove what the project left behind: one-offs that ended, replicas and networks the stack does not know.

    Asks first. Nothing of another project is touched.

    \b
    Examples:
      tradebot prune
      tradebot prune --images --volumes --yes
    """
    from tradebot_ops.cli.confirm import confirm
    from tradebot_ops.operations.lifecycle import prune as operation

    ops = ops_of(context)
    found = operation.leftovers(ops, images=images, volumes=volumes)
    if not found:
        emit(ops, operation.report(found))
        return
    confirm(ops, f"This removes {len(found)} of what is left over.", [operation.line(each) for each in found])
    with show_progress(ops) as on_progress:
        report = operation.prune(ops, found, on_progress)
    emit(ops, report)
