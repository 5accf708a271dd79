"""tradebot attest …"""

from typing import Annotated

import typer

from tradebot_ops.cli.emit import emit, ops_of

app = typer.Typer(add_completion=False, rich_markup_mode=None)

_LIST = "list"


@app.command()
def attest(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="What to attest, such as team-trained; `list` shows all.")],
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="Who vouches for it.")] = "",
    note: Annotated[str, typer.Option("--note", metavar="TEXT", help="What should be known about it.")] = "",
) -> None:
    """Vouch for what no probe can see, for 180 days; `prod-check` asks for it.

    \b
    Examples:
      tradebot attest list
      tradebot attest team-trained --by maria --note 'all four, with a drill'
    """
    from tradebot_ops.operations import attest as operation

    ops = ops_of(context)
    emit(ops, operation.list_(ops) if name == _LIST else operation.attest(ops, name, by, note))
