"""Secrets of a project: made once, at the first `up`, readable by their owner alone, never shown."""

import hashlib
import json
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TextIO

from tradebot_ops.context import WEB_USER
from tradebot_ops.errors import OpsError
from tradebot_ops.settings import Secret
from tradebot_ops.stack.model import SecretFile, Stack
from tradebot_ops.state import ProjectState
from tradebot_ops.text.sentences import agreed

#: How a file is computed from the other secrets, by the name that `x-tradebot.derive` gives. The second argument is
#: what the file holds now: a salted hash that still fits is kept, so that nothing changes without need.
Derivation = Callable[[Mapping[str, str], str], str]

#: The passwords have 192 random bits, so no guess is made slower by a dearer hash; each request would be.
BCRYPT_ROUNDS = 6
BCRYPT_BYTES = 72
#: In ``web.yml``: answer over TLS alone. Both files are read anew at each connection. Relative paths start from the
#: folder of ``web.yml``, and secrets lie in one folder on every engine.
WEB_TLS = "tls_server_config:\n  cert_file: tls_certificate\n  key_file: tls_key\n  min_version: TLS12\n"
#: What the exporter asks Redis for, and nothing else: it can read no key.
EXPORTER_MAY = "+ping +info +config|get +client|setname +slowlog|get +slowlog|len +latency|latest +latency|histogram"


def redis_acl(values: Mapping[str, str], _now: str) -> str:
    """Redis' ACL file: users known to Redis by the SHA-256 of their passwords only (redis.io, "ACL")."""
    return acl([values["redis_password"]], [values["redis_exporter_password"]])


def acl(services: Sequence[str], exporters: Sequence[str]) -> str:
    """The same for passwords of the services and of the exporter, of which each is taken."""
    known, statistics = (
        " ".join(f"#{hashlib.sha256(each.encode()).hexdigest()}" for each in passwords)
        for passwords in (services, exporters)
    )
    return (
        f"user default on {known} ~* &* +@all\n"
        f"user exporter on {statistics} resetkeys resetchannels -@all {EXPORTER_MAY}\n"
    )


def redis_exporter_login(values: Mapping[str, str], _now: str) -> str:
    """The exporter's password file: JSON from address to password."""
    return json.dumps({"redis://exporter@redis:6379": values["redis_exporter_password"]}) + "\n"


def web_login(password: str, more: str = "") -> Derivation:
    """``web.yml`` of a Prometheus program: basic auth for one user, by the bcrypt hash of the secret ``password``, and
    what else it is to say."""

    def derive(values: Mapping[str, str], now: str) -> str:
        import bcrypt

        secret = values[password].encode()
        if len(secret) > BCRYPT_BYTES:
            raise _unusable(
                agreed(f"The secret {password} has {len(secret)} bytes; bcrypt takes {BCRYPT_BYTES} at most.")
            )
        found = re.search(rf'^  {WEB_USER}: "(.+)"$', now, re.MULTILINE)
        known = found[1] if found and bcrypt.checkpw(secret, found[1].encode()) else ""
        hashed = known or bcrypt.hashpw(secret, bcrypt.gensalt(BCRYPT_ROUNDS)).decode()
        return f'basic_auth_users:\n  {WEB_USER}: "{hashed}"\n{more}'

    return derive


def certificate(_values: Mapping[str, str], now: str) -> str:
    """The file that `tradebot tls` wrote; empty until then, because containers want every file to be there."""
    return now


DERIVATIONS: dict[str, Derivation] = {
    "certificate": certificate,
    "redis_acl": redis_acl,
    "redis_exporter_login": redis_exporter_login,
    "prometheus_web_http": web_login("prometheus_password"),
    "prometheus_web_https": web_login("prometheus_password", WEB_TLS),
    "alertmanager_web_http": web_login("alertmanager_password"),
    "alertmanager_web_https": web_login("alertmanager_password", WEB_TLS),
}


def ensure(stack: Stack, state: ProjectState) -> tuple[str, ...]:
    """Make every secret that does not exist yet; returns the names of those it made.

    Only files inside this project's own folder are made: a path the user chose must be filled by the user.
    Derived ones are rewritten when what they derive from changed. Raises ``OpsError`` TB-0805, TB-0837, TB-0843.
    """
    made = []
    values: dict[str, str] = {}
    for secret in sorted(stack.secrets.values(), key=lambda item: bool(item.derive)):
        now = _read(secret.file) if secret.file.is_file() else ""
        text = _derived(secret, values, now) if secret.derive else (now or secrets.token_urlsafe(24))
        if now == text and secret.file.is_file():
            values[secret.name] = now.strip()
            continue
        if secret.file.parent != state.secrets:
            raise OpsError(
                f"The secret file {secret.file} is missing.",
                code="TB-0805",
                hint="Create it, or unset TRADEBOT_SECRETS so that it is generated.",
            )
        state.write(f"secrets/{secret.name}", text)
        values[secret.name] = text.strip()
        made += [secret.name] if text else []
    return tuple(made)


def missing(stack: Stack) -> tuple[str, ...]:
    """Names of the secrets that ``ensure`` would make because their file is not there."""
    return tuple(sorted(secret.name for secret in stack.secrets.values() if not secret.file.is_file()))


def _read(file: Path) -> str:
    """A byte order mark would be part of the password for one program and not for the next."""
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise _unusable(f"The secret file {file} is not UTF-8 text.") from None
    if text.startswith("\ufeff"):
        raise _unusable(f"The secret file {file} begins with a byte order mark, which editors do not show.")
    return text


def usable(name: str, value: str) -> None:
    """Raises ``OpsError`` TB-0843 for a value that a file of a secret cannot hold, or a program would not take."""
    if not value or value != value.strip() or not value.isprintable():
        raise _unusable(f"The value for {name} is empty, of several lines, or has characters that cannot be typed.")
    if len(value.encode()) > BCRYPT_BYTES:
        raise _unusable(
            agreed(f"The value for {name} has {len(value.encode())} bytes; bcrypt takes {BCRYPT_BYTES} at most.")
        )


def read_value(file: Path | None, stdin: TextIO) -> Secret:
    """A value from a file, or from ``stdin``, without its line end."""
    if file is None:
        return Secret(stdin.read().strip())
    try:
        return Secret(_read(file).strip())
    except OSError as error:
        raise _unusable(f"The file {file} cannot be read: {error.strerror}.") from None


def _unusable(message: str) -> OpsError:
    hint = "Write it again, such as: openssl rand -base64 24 > FILE; or remove the file, and `tradebot up` makes one."
    return OpsError(message, code="TB-0843", hint=hint)


def _derived(secret: SecretFile, values: Mapping[str, str], now: str) -> str:
    try:
        return DERIVATIONS[secret.derive](values, now)
    except KeyError as missing:
        raise OpsError(
            f"The secret {secret.name} cannot be derived: {missing} is not known.",
            code="TB-0837",
            hint=f"Known derivations: {', '.join(sorted(DERIVATIONS))}; check x-tradebot.derive in compose.yaml.",
        ) from None
