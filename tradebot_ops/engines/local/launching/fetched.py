"""Programs that come from PATH or from Debian packages: what they have in common."""

from collections.abc import Callable, Mapping
from pathlib import Path

from tradebot_ops.debian import packages
from tradebot_ops.engines.local.launching.program import Launch, LocalReplica, Say
from tradebot_ops.errors import OpsError, Unavailable
from tradebot_ops.stack.model import Service


def obtaining(program: str) -> Callable[[Mapping[str, str], Say], None]:
    def obtain(host: Mapping[str, str], say: Say) -> None:
        packages.obtain(program, host, say)

    return obtain


def binary(replica: LocalReplica, program: str) -> Path:
    """Where it is; ``Unavailable`` when it was not obtained."""
    found = packages.find(program, replica.host)
    if found is None:
        raise Unavailable(f"This host has no {program}.", hint="Fetch it: tradebot up")
    return found


def launching(program: str) -> Callable[[LocalReplica], Launch]:
    def launch(replica: LocalReplica) -> Launch:
        return Launch((str(binary(replica, program)), *replica.argv[1:]), replica.folder(""))

    return launch


def option(argv: tuple[str, ...], name: str) -> str:
    """The value of ``--name=value``; empty when it is not given."""
    return next((word.partition("=")[2] for word in argv if word.startswith(f"{name}=")), "")


def with_option(argv: tuple[str, ...], name: str, value: str) -> tuple[str, ...]:
    return tuple(f"{name}={value}" if word.startswith(f"{name}=") else word for word in argv)


def mounted_file(service: Service, name: str) -> Path | None:
    """Where the file that option ``name`` gives lies on this host, while nothing is localised yet."""
    inside = option((*(service.entrypoint or ()), *service.command), name)
    for mount in service.mounts:
        if inside.startswith(f"{mount.target.rstrip('/')}/"):
            return Path(mount.source) / inside.removeprefix(f"{mount.target.rstrip('/')}/")
    return None


def configuration(path: Path) -> str:
    """The text of a file that a program needs; ``OpsError`` TB-0842 where there is none."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise OpsError(
            f"Cannot read {path}: {reason}.",
            code="TB-0842",
            hint="Create it, or correct the option that names it in compose.yaml.",
        ) from None


def text_of(path: Path | None) -> tuple[str, ...]:
    """Empty when it cannot be read: the program says so itself when it starts."""
    try:
        return (path.read_text(encoding="utf-8"),) if path else ()
    except (OSError, UnicodeDecodeError):
        return ()
