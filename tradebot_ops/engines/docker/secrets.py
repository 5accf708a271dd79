"""Secret files as containers can read them.

A process in a container reads a mounted file with the rights of its own user, which this host does not know: API and
worker run as 10001, Redis as 999, exporters as nobody, and several of them share one secret. No owner and no group
fits all, and plain `docker compose up` cannot copy a secret for each. So what protects a secret on this host is its
folder, which only its owner can enter, and the file inside is readable to whom it is mounted for.
"""

from collections.abc import Iterator
from pathlib import Path

from tradebot_ops.errors import OpsError
from tradebot_ops.stack.model import SecretFile, Stack

READABLE = 0o444


def share(stack: Stack) -> None:
    """Make every secret in use readable inside its private folder; does nothing on one that is already.

    Raises OpsError TB-0828 for a secret that would become readable to other users of this host.
    """
    for secret in in_use(stack):
        if secret.file.is_file() and not secret.file.stat().st_mode & 0o004:
            if not in_private(secret.file):
                raise exposed(secret)
            try:
                secret.file.chmod(READABLE)
            except PermissionError as error:
                raise foreign(secret) from error


def in_use(stack: Stack) -> Iterator[SecretFile]:
    names = {mount.source for service in stack.services.values() for mount in service.secrets}
    return (stack.secrets[name] for name in sorted(names))


def in_private(file: Path) -> bool:
    """Whether some folder above lets nobody but its owner pass."""
    return any(not folder.stat().st_mode & 0o011 for folder in file.resolve().parents)


def exposed(secret: SecretFile) -> OpsError:
    return OpsError(
        f"Containers cannot read the secret {secret.file}, and opening it would show it to other users of this host.",
        code="TB-0828",
        hint=f"Close its folder first: chmod 700 '{secret.file.parent}'",
    )


def foreign(secret: SecretFile) -> OpsError:
    return OpsError(
        f"Containers cannot read the secret {secret.file}, and it belongs to another user.",
        code="TB-0828",
        hint=f"Type `sudo chmod 444 '{secret.file}'`; its folder keeps other users out.",
    )
