"""Channels that notify people: Alertmanager's configuration with those that the settings switch on.

Without any, and where no service answers over TLS, the stack's own file is used as it is. Else a copy lies in the
project's state, the secrets that it names beside it, and the stack mounts that folder instead.
"""

from pathlib import Path

from tradebot_ops.context import ALERTMANAGER_FOLDER, Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.monitoring import over_tls
from tradebot_ops.monitoring.alertmanager import SECRETS, Channels, channels, check_url, with_channels
from tradebot_ops.operations.monitoring import copied
from tradebot_ops.operations.monitoring.over_tls import secured, server_name

INSIDE = "/etc/alertmanager"
_URLS = frozenset({"slack_webhook_url", "alert_webhook_url"})


def ensure(ops: Ops) -> tuple[str, ...]:
    """Write, renew or remove the copy; returns the names of the channels. To be called before the stack is read.

    Raises ``OpsError`` TB-0851 for a channel set by halves, TB-0852 for a secret that is no address, TB-0853 for one
    that is missing.
    """
    chosen = channels({name: value.text for name, value in ops.settings.stack.items()})
    folder = ops.state.folder / ALERTMANAGER_FOLDER
    services = secured(ops)
    if not chosen.names and not services:
        copied.remove(folder)
        return ()
    secrets = {name: _secret(ops.state.secrets / name) for name in chosen.secret_files}
    own = ops.source.folder / "config" / "alertmanager" / "alertmanager.yml"
    text = _moved(with_channels(_text(own), chosen), chosen)
    if services:
        text = over_tls.alertmanager(text, services, server_name(ops))
    files = {"alertmanager.yml": text, **secrets}
    copied.write(ops, folder, {Path(name): content for name, content in files.items()})
    return chosen.names


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise OpsError(
            f"A channel or TLS is switched on, and {path} cannot be read: {reason}.",
            code="TB-0857",
            hint="Mend the file, or take the settings ALERT_*, API_SCHEME and MONITORING_SCHEME away.",
        ) from None


def _secret(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8").strip()
    except OSError:
        text = ""
    if not text:
        raise OpsError(
            f"A channel is switched on, and its secret {path.name} is missing.",
            code="TB-0853",
            hint=f"Put it into the file {path}, readable by you alone.",
        )
    if path.name in _URLS:
        check_url(path.name, text)
    return text


def _moved(text: str, chosen: Channels) -> str:
    """The secrets of channels lie beside the configuration: no description of the stack need name them."""
    for name in chosen.secret_files:
        text = text.replace(f"{SECRETS}/{name}", f"{INSIDE}/{name}")
    return text
