"""The names that the brief's make targets had; each says its new name once and does the work."""

import sys
from typing import Annotated

import typer

from tradebot_ops.cli import alerts, metrics, monitoring

app = typer.Typer(add_completion=False, rich_markup_mode=None)


def _renamed(new: str) -> None:
    sys.stderr.write(f"This is now: tradebot {new}\n")


@app.command("monitoring-setup")
def monitoring_setup(context: typer.Context) -> None:
    """Now: tradebot monitoring setup."""
    _renamed("monitoring setup")
    monitoring.setup(context)


@app.command("monitoring-start")
def monitoring_start(context: typer.Context) -> None:
    """Now: tradebot monitoring start."""
    _renamed("monitoring start")
    monitoring.start(context)


@app.command("monitoring-stop")
def monitoring_stop(context: typer.Context) -> None:
    """Now: tradebot monitoring stop."""
    _renamed("monitoring stop")
    monitoring.stop(context)


@app.command("monitoring-status")
def monitoring_status(context: typer.Context) -> None:
    """Now: tradebot monitoring status."""
    _renamed("monitoring status")
    monitoring.status(context)


@app.command("metrics-api")
def metrics_api(context: typer.Context) -> None:
    """Now: tradebot metrics api."""
    _renamed("metrics api")
    metrics.api(context)


@app.command("metrics-worker")
def metrics_worker(
    context: typer.Context, number: Annotated[int | None, typer.Argument(help="Which worker.")] = None
) -> None:
    """Now: tradebot metrics worker."""
    _renamed("metrics worker")
    metrics.worker(context, number)


@app.command("alerts-list")
def alerts_list(context: typer.Context) -> None:
    """Now: tradebot alerts list."""
    _renamed("alerts list")
    alerts.list_(context)
