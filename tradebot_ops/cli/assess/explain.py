"""tradebot explain."""

from typing import Annotated

import typer

from tradebot_ops.cli.emit import emit, ops_of

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def explain(
    context: typer.Context,
    words: Annotated[
        list[str], typer.Argument(metavar="TERM", help="An error, check, alert, setting, metric, topic, cause, figure.")
    ],
) -> None:
    """Explain the name of an error, a check, an alert, a setting, a metric, a figure, or an exit code.

    \b
    Examples:
      tradebot explain TB-0821
      tradebot explain RedisDown
      tradebot explain exit 9
    """
    from tradebot_ops.glossary import lookup

    ops = ops_of(context)
    emit(ops, lookup.explain(ops, " ".join(words)))
