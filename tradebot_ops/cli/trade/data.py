"""tradebot data …"""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from tradebot_ops.cli.confirm import confirm
from tradebot_ops.cli.emit import emit, ops_of, show_progress
from tradebot_ops.cli.streams import writing_stdout

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Import, download, list, export and remove prices.",
)

Files = Annotated[list[Path], typer.Argument(metavar="FILE...", help="CSV, plain, .gz or .zip, of any usual vendor.")]
Symbol = Annotated[
    str | None, typer.Option("--symbol", metavar="SYMBOL", help="What they are of, where no column says it: AAPL.")
]
Interval = Annotated[
    str | None, typer.Option("--interval", metavar="INTERVAL", help="How long a bar lasts, where they do not show it.")
]
Columns = Annotated[
    str | None, typer.Option("--columns", metavar="NAME,…", help="Names of the columns: date,open,high,low,close.")
]
Dates = Annotated[
    str | None, typer.Option("--dates", metavar="dmy|mdy", help="Day or month first, where they do not show it.")
]
Decimal = Annotated[
    str | None, typer.Option("--decimal", metavar="point|comma", help="Sign before decimals, where it is not plain.")
]


@app.callback()
def data() -> None:
    """Import, download, check, list, export and remove prices; backtests and sweeps run on them."""


@app.command("import")
def import_(
    context: typer.Context,
    files: Files,
    symbol: Symbol = None,
    interval: Interval = None,
    columns: Columns = None,
    dates: Dates = None,
    decimal: Decimal = None,
) -> None:
    """Import prices from files: uploaded through the API, checked row by row, and stored.

    \b
    Examples:
      tradebot data import AAPL.csv --symbol AAPL
      tradebot data import Binance_BTCUSDT_1h.zip --symbol BTC/USDT
      tradebot data import kurse.csv --symbol SAP --dates dmy --decimal comma
    """
    _load(context, files, (symbol, interval, columns, dates, decimal), dry_run=False)


@app.command()
def check(
    context: typer.Context,
    files: Files,
    symbol: Symbol = None,
    interval: Interval = None,
    columns: Columns = None,
    dates: Dates = None,
    decimal: Decimal = None,
) -> None:
    """Read and check files as `import` does, and store nothing.

    \b
    Examples:
      tradebot data check AAPL.csv --symbol AAPL
    """
    _load(context, files, (symbol, interval, columns, dates, decimal), dry_run=True)


def _load(context: typer.Context, files: list[Path], asked: tuple[str | None, ...], *, dry_run: bool) -> None:
    from tradebot_ops.operations.trade import data as operation

    ops = ops_of(context)
    with show_progress(ops, live=False) as on_progress:
        report = operation.load(ops, files, operation.Asked(*asked), on_progress, dry_run=dry_run)
    emit(ops, report)


@app.command()
def download(
    context: typer.Context,
    exchange: Annotated[str, typer.Argument(metavar="EXCHANGE", help="As ccxt names it: binance, kraken, coinbase.")],
    symbol: Annotated[str, typer.Argument(metavar="SYMBOL", help="As it is traded there: BTC/USDT.")],
    interval: Annotated[str, typer.Option("--interval", metavar="INTERVAL", help="How long a bar lasts.")] = "1d",
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="DAY", help="First day: 2024-01-01; else 1000 bars, then what is new."),
    ] = None,
) -> None:
    """Download prices of an exchange from where the stored ones end; no account is needed.

    \b
    Examples:
      tradebot data download binance BTC/USDT --since 2020-01-01
      tradebot data download kraken ETH/EUR --interval 1h
    """
    from tradebot_ops.operations.trade import downloads

    ops = ops_of(context)
    with show_progress(ops, live=False) as on_progress:
        report = downloads.download(ops, downloads.Wanted(exchange, symbol, interval, since), on_progress)
    emit(ops, report)


@app.command("list")
def list_(context: typer.Context) -> None:
    """List the stored prices: symbol, interval, first and last bar, rejected rows.

    \b
    Examples:
      tradebot data list
    """
    from tradebot_ops.operations.trade import data as operation

    ops = ops_of(context)
    emit(ops, operation.listed(ops))


@app.command()
def export(
    context: typer.Context,
    symbol: Annotated[str, typer.Argument(metavar="SYMBOL", help="As `data list` shows it.")],
    interval: Annotated[str, typer.Option("--interval", metavar="INTERVAL", help="Of which its bars are.")] = "1d",
    file: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write them there, for you alone; else to the output.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace the file if it is there.", show_default=False)
    ] = False,
) -> None:
    """Write the stored prices of a symbol as CSV that `import` reads again to equal bars.

    \b
    Examples:
      tradebot data export AAPL --csv AAPL.csv
      tradebot data export BTC/USDT --interval 1h | gzip > btc.csv.gz
    """
    from tradebot_ops.operations.trade import data as operation

    ops = ops_of(context)
    if file is None and ops.settings.output == "table":
        lines = operation.lines(ops, symbol, interval)
        with writing_stdout() as stdout:  # as they stand: no line of it may be wrapped
            stdout.writelines(f"{line}\n" for line in lines)
        return
    emit(ops, operation.export(ops, symbol, interval, file, force=force))


@app.command()
def rm(
    context: typer.Context,
    symbol: Annotated[str, typer.Argument(metavar="SYMBOL", help="As `data list` shows it.")],
    interval: Annotated[str, typer.Option("--interval", metavar="INTERVAL", help="Of which its bars are.")] = "1d",
) -> None:
    """Remove the prices of a symbol, with its rejected rows. Asks before.

    \b
    Examples:
      tradebot data rm AAPL
      tradebot data rm BTC/USDT --interval 1h --yes
    """
    from tradebot_ops.operations.trade import data as operation

    ops = ops_of(context)
    with show_progress(ops, live=False) as on_progress:
        report = operation.remove(ops, symbol, interval, partial(confirm, ops), on_progress)
    emit(ops, report)
