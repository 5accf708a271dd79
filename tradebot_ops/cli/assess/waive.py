"""tradebot waive."""

from typing import Annotated

import typer

from tradebot_ops.cli.emit import emit, ops_of

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def waive(
    context: typer.Context,
    id_: Annotated[str, typer.Argument(metavar="ID", help="The check, such as ENG-03.")],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why it is accepted.")] = "",
    until: Annotated[str, typer.Option("--until", metavar="DAY", help="The last day, such as 2027-03-31.")] = "",
    owner: Annotated[str, typer.Option("--owner", metavar="NAME", help="Who answers for it; else you.")] = "",
) -> None:
    """Accept that a check fails, for a reason and at most 180 days: written into tradebot.toml.

    \b
    Example:
      tradebot waive ENG-03 --reason 'The test machine has 16 GB.' --until 2027-03-31
    """
    from tradebot_ops.prodcheck.waive import waive as write

    ops = ops_of(context)
    emit(ops, write(ops, id_, reason, until, owner))
