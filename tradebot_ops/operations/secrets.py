"""Secrets of a project: made once, at the first `up`, readable by their owner alone, never shown."""

import hashlib
import secrets
from collections.abc import Callable, Mapping

from tradebot_ops.errors import OpsError
from tradebot_ops.stack.model import SecretFile, Stack
from tradebot_ops.state import ProjectState

#: How a file is computed from the other secrets, by the name that `x-tradebot.derive` gives.
Derivation = Callable[[Mapping[str, str]], str]


def redis_acl(values: Mapping[str, str]) -> str:
    """Redis' ACL file: one user, known to Redis by the SHA-256 of its password only (redis.io, "ACL")."""
    digest = hashlib.sha256(values["redis_password"].encode()).hexdigest()
    return f"user default on #{digest} ~* &* +@all\n"


DERIVATIONS: dict[str, Derivation] = {"redis_acl": redis_acl}


def ensure(stack: Stack, state: ProjectState) -> tuple[str, ...]:
    """Make every secret that does not exist yet; returns the names of those it made.

    Only files inside this project's own folder are made: a path the user chose must be filled by the user.
    Derived ones are rewritten when what they derive from changed. Raises ``OpsError`` TB-0805, TB-0837.
    """
    made = []
    values: dict[str, str] = {}
    for secret in sorted(stack.secrets.values(), key=lambda item: bool(item.derive)):
        text = _derived(secret, values) if secret.derive else secrets.token_urlsafe(24)
        if secret.file.is_file() and (not secret.derive or secret.file.read_text(encoding="utf-8") == text):
            values[secret.name] = secret.file.read_text(encoding="utf-8").strip()
            continue
        if secret.file.parent != state.secrets:
            raise OpsError(
                f"The secret file {secret.file} is missing.",
                code="TB-0805",
                hint="Create it, or unset TRADEBOT_SECRETS so that it is generated.",
            )
        state.write(f"secrets/{secret.name}", text)
        values[secret.name] = text.strip()
        made.append(secret.name)
    return tuple(made)


def missing(stack: Stack) -> tuple[str, ...]:
    """Names of the secrets that ``ensure`` would make because their file is not there."""
    return tuple(sorted(secret.name for secret in stack.secrets.values() if not secret.file.is_file()))


def _derived(secret: SecretFile, values: Mapping[str, str]) -> str:
    try:
        return DERIVATIONS[secret.derive](values)
    except KeyError as missing:
        raise OpsError(
            f"The secret {secret.name} cannot be derived: {missing} is not known.",
            code="TB-0837",
            hint=f"Known derivations: {', '.join(sorted(DERIVATIONS))}; check x-tradebot.derive in compose.yaml.",
        ) from None
