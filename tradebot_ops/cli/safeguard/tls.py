"""tradebot tls …"""

from pathlib import Path
from typing import Annotated

import typer

from tradebot_ops.cli.emit import emit, ops_of, show_progress

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Make, show and bring the certificate of the stack.",
)


@app.callback()
def tls() -> None:
    """Make, show and bring the certificate of the stack."""


@app.command()
def create(
    context: typer.Context,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="Names and addresses others reach this host by.")
    ] = None,
    days: Annotated[int, typer.Option("--days", metavar="N", help="Days that it lasts, 397 at most.")] = 397,
    new_ca: Annotated[bool, typer.Option("--new-ca", help="With a new authority: all have to trust that one.")] = False,
) -> None:
    """Make a certificate for this host and the services, signed by an authority of this project's own.

    The authority stays the same: who trusts it once trusts each later certificate.

    \b
    Examples:
      tradebot tls create
      tradebot tls create trading.example.com 192.0.2.7 --days 90
    """
    from tradebot_ops.operations.tls import certificates

    ops = ops_of(context)
    with show_progress(ops, live=False) as on_progress:
        report = certificates.create(ops, names or [], days, on_progress, new_ca=new_ca)
    emit(ops, report)


@app.command()
def show(context: typer.Context) -> None:
    """Show what the certificate is for, who signed it and when it ends. Shows no key.

    \b
    Examples:
      tradebot tls show
    """
    from tradebot_ops.operations.tls import certificates

    ops = ops_of(context)
    emit(ops, certificates.show(ops))


@app.command("import")
def import_(
    context: typer.Context,
    certificate: Annotated[Path, typer.Argument(metavar="CERTIFICATE", help="PEM: the server's, then those above it.")],
    key: Annotated[Path, typer.Argument(metavar="KEY", help="Its private key, in PEM, without a passphrase.")],
    ca: Annotated[Path | None, typer.Option("--ca", metavar="FILE", help="The authority that clients trust.")] = None,
) -> None:
    """Take a certificate of your own. Nothing is taken unless it is in force, trusted, and the key is its own.

    \b
    Examples:
      tradebot tls import fullchain.pem privkey.pem --ca /etc/ssl/certs/ca-certificates.crt
    """
    from tradebot_ops.operations.tls import certificates

    ops = ops_of(context)
    with show_progress(ops, live=False) as on_progress:
        report = certificates.import_(ops, certificate, key, ca, on_progress)
    emit(ops, report)
