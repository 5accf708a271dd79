"""Prometheus' configuration where services answer over TLS: a copy in the project's state that asks them so.

Where none does, the stack mounts its own folder as it is, and there is no copy.
"""

from pathlib import Path

from tradebot_ops.context import PROMETHEUS_FOLDER, Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.monitoring import over_tls
from tradebot_ops.operations.monitoring import copied
from tradebot_ops.settings.declared import SCHEMES

_MAIN = Path("prometheus.yml")


def secured(ops: Ops) -> frozenset[str]:
    """Services that the settings have answer over TLS."""
    given = ops.settings.variables()
    return frozenset(each for setting, services in SCHEMES.items() if given[setting] == "https" for each in services)


def server_name(ops: Ops) -> str:
    """The name that their certificate is compared with."""
    return ops.settings.variables()["TLS_NAME"]


def ensure(ops: Ops) -> None:
    """Write, renew or remove the copy. To be called before the stack is read.

    Raises ``OpsError`` TB-0863 for a prometheus.yml that is no YAML mapping, TB-0864 for a file that cannot be read.
    """
    folder = ops.state.folder / PROMETHEUS_FOLDER
    services = secured(ops)
    if not services:
        copied.remove(folder)
        return
    texts = _texts(ops.source.folder / "config" / "prometheus")
    if _MAIN in texts:
        texts[_MAIN] = over_tls.prometheus(texts[_MAIN], services, server_name(ops))
    copied.write(ops, folder, texts)


def _texts(own: Path) -> dict[Path, str]:
    found = {}
    for path in sorted(own.rglob("*.y*ml")):
        try:
            found[path.relative_to(own)] = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
            raise OpsError(
                f"Services are to answer over TLS, and {path} cannot be read: {reason}.",
                code="TB-0864",
                hint=f"Mend the file, or take the settings away: tradebot config unset {' '.join(SCHEMES)}",
            ) from None
    return found
