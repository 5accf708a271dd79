"""build, pull, images …"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from tradebot_ops.cli.emit import emit, ops_of, show_progress
from tradebot_ops.progress import OnProgress, Phase, ProgressEvent

app = typer.Typer(add_completion=False, rich_markup_mode=None)
group = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Make, list and carry images.",
)

Services = Annotated[list[str] | None, typer.Argument(help="Services; all when none is named.", show_default=False)]


@app.command()
def build(
    context: typer.Context,
    services: Services = None,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Run every step again.")] = False,
) -> None:
    """Build the stack's own images.

    \b
    Examples:
      tradebot build
      tradebot build api --no-cache
    """
    from tradebot_ops.operations.images import build as operation

    ops = ops_of(context)
    with show_progress(ops) as on_progress:
        report = operation.build(ops, services or [], on_progress, no_cache=no_cache)
    emit(ops, report)


@app.command()
def pull(context: typer.Context, services: Services = None) -> None:
    """Fetch the images that others made.

    \b
    Examples:
      tradebot pull
      tradebot pull redis postgres
    """
    from tradebot_ops.operations.images import build as operation

    ops = ops_of(context)
    with show_progress(ops) as on_progress:
        report = operation.pull(ops, services or [], on_progress)
    emit(ops, report)


@group.callback()
def images() -> None:
    """Make, list and carry images."""


app.add_typer(group, name="images")


@group.command("build")
def make(
    context: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Some of them, such as redis; all when none is named.", show_default=False),
    ] = None,
    source: Annotated[str, typer.Option("--from", help="What to build from; only debian.")] = "debian",
    force: Annotated[bool, typer.Option("--force", help="Build what is up to date, too.")] = False,
) -> None:
    """Build every image from Debian packages, where no registry answers.

    \b
    Examples:
      tradebot images build --from debian
      tradebot images build redis --from debian --force
    """
    from tradebot_ops.errors import OpsError
    from tradebot_ops.operations.images.debian import build_from_debian

    if source != "debian":
        raise OpsError(
            f"Images cannot be built from '{source}'.", code="TB-0205", hint="tradebot images build --from debian"
        )
    ops = ops_of(context)
    with show_progress(ops) as on_progress:
        report = build_from_debian(ops, _as_progress(on_progress), only=names or (), force=force)
    emit(ops, report)


def _as_progress(on_progress: OnProgress) -> Callable[[str, str], None]:
    return lambda name, line: on_progress(ProgressEvent(name, Phase.PREPARING, line))


@group.command("ls", hidden=True)
@group.command("list")
def list_(context: typer.Context) -> None:
    """List the stack's images, here or missing, and others made here.

    \b
    Examples:
      tradebot images list
    """
    from tradebot_ops.operations.images.listing import list_images

    ops = ops_of(context)
    emit(ops, list_images(ops))


@group.command()
def save(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="Where to; .zst and .gz compress.")],
    tags: Annotated[
        list[str] | None,
        typer.Argument(help="Images; all that the stack needs when none is named.", show_default=False),
    ] = None,
) -> None:
    """Write images to a file, for machines without a registry.

    \b
    Examples:
      tradebot images save images.tar.zst
      tradebot images save redis.tar redis:8.0-bookworm
    """
    from tradebot_ops.operations.images.archive import save as write

    ops = ops_of(context)
    emit(ops, write(ops, ops.settings.cwd / file, tags=tags or ()))


@group.command()
def load(context: typer.Context, file: Annotated[Path, typer.Argument(help="What `images save` wrote.")]) -> None:
    """Read images from a file and use them from now on.

    \b
    Examples:
      tradebot images load images.tar.zst
    """
    from tradebot_ops.operations.images.archive import load as read

    ops = ops_of(context)
    with show_progress(ops, live=False) as on_progress:
        report = read(ops, ops.settings.cwd / file, on_progress)
    emit(ops, report)
