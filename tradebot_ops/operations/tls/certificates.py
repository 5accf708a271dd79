"""`tradebot tls create`, `show` and `import`: the files beside the secrets, and what people read of them.

The authority's own key lies there, too, and is given to no service: it is only for the next certificate.
"""

import socket
from collections.abc import Mapping, Sequence
from pathlib import Path

from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Report, Section, Table
from tradebot_ops.operations.change import change
from tradebot_ops.operations.tls import examine, issue
from tradebot_ops.operations.tls.examine import Certificate
from tradebot_ops.operations.tls.issue import Pair
from tradebot_ops.progress import OnProgress, ignore_progress
from tradebot_ops.settings import Secret
from tradebot_ops.settings.declared import SCHEMES
from tradebot_ops.text.sentences import agreed

CERTIFICATE, KEY, AUTHORITY, AUTHORITY_KEY = "tls_certificate", "tls_key", "tls_ca", "tls_ca_key"
#: What clients on this host and in the stack's network call its servers.
ALWAYS = ("localhost", "127.0.0.1", "::1", "api", "prometheus", "alertmanager", "grafana")
NONE = "No certificate yet. Make one: tradebot tls create"


def create(
    ops: Ops, names: Sequence[str], days: int, on_progress: OnProgress = ignore_progress, *, new_ca: bool = False
) -> Report:
    """A certificate for this host, the stack's services and ``names``, by the project's authority.

    That is made first where there is none, where it is ``new_ca`` that is wanted, and where it has ended. Raises
    ``OpsError`` TB-0281 for a name or days that cannot be.
    """
    issue.check_days(days)
    wanted = issue.names_of([*ALWAYS, _name(ops), socket.gethostname(), *_address(ops), *names])
    with change(ops, "tls create", *names, on_progress=on_progress):
        known = None if new_ca else _authority(ops)
        by = known or issue.authority(ops.settings.project, ops.clock())
        _write(ops, issue.server(by, wanted, ops.clock(), days), by.certificate, by.key)
    lines = () if known else ("Made an authority of this project's own.",)
    return _report(ops, (*lines, "Made a certificate."))


def import_(
    ops: Ops, certificate: Path, key: Path, authority: Path | None, on_progress: OnProgress = ignore_progress
) -> Report:
    """Take a certificate of one's own. Raises ``OpsError`` TB-0870 to TB-0875 for one that could not serve."""
    chain, private = _text(ops, certificate), Secret(_text(ops, key))
    trusted = examine.root(chain) if authority is None else _text(ops, authority)
    if not trusted and authority is None:
        raise OpsError(
            f"{certificate} does not say whom clients have to trust: its last certificate is signed by another one.",
            code="TB-0875",
            hint=f"Name the authority's certificate: tradebot tls import {certificate} {key} --ca FILE",
        )
    examine.check_name(examine.check(chain, private, trusted, ops.clock()), _name(ops))
    with change(ops, "tls import", certificate.name, on_progress=on_progress):
        _write(ops, Pair(chain, private), trusted, None)
    return _report(ops, ("Took the certificate.",))


def ready(ops: Ops) -> None:
    """Do nothing where every service answers in the clear, or over TLS with a certificate that clients take.

    Raises ``OpsError`` TB-0877 where there is none, TB-0870 to TB-0874 for one that could not serve.
    """
    given = ops.settings.variables()
    chosen = [setting for setting in SCHEMES if given[setting] == "https"]
    if not chosen:
        return
    certificate = _kept(ops, CERTIFICATE)
    if not certificate:
        raise OpsError(
            f"{chosen[0]} is https, and there is no certificate yet.",
            code="TB-0877",
            hint="Make one: tradebot tls create; or bring one: tradebot tls import CERTIFICATE KEY",
        )
    found = examine.check(certificate, Secret(_kept(ops, KEY)), _kept(ops, AUTHORITY), ops.clock())
    examine.check_name(found, _name(ops))


def show(ops: Ops) -> Report:
    """Names, signer and time of the certificate; never a key."""
    return _report(ops, ())


def _report(ops: Ops, lines: Sequence[str]) -> Report:
    text = _kept(ops, CERTIFICATE)
    if not text:
        return Report(data={"certificate": None}, sections=(Section(lines=(NONE,)),))
    found, now = examine.read(text), ops.clock()
    left = (found.ends - now).days
    rows = (
        ("for", ", ".join(found.names) or "no name: no client takes it"),
        ("signed by", found.issuer),
        ("in force", agreed(f"{found.begins:%Y-%m-%d} to {found.ends:%Y-%m-%d} ({max(left, 0)} days left)")),
        ("SHA-256", found.sha256),
        ("to be trusted", str(ops.state.secrets / AUTHORITY)),
    )
    sections = (Section(lines=tuple(lines)), Section(tables=(Table(("certificate", ""), rows),)))
    return Report(data=_data(ops, found, left), findings=examine.findings(found, now), sections=sections)


def _data(ops: Ops, found: Certificate, left: int) -> Mapping[str, object]:
    shown = {
        "names": list(found.names),
        "issuer": found.issuer,
        "begins": found.begins.isoformat(),
        "ends": found.ends.isoformat(),
        "days_left": left,
        "sha256": found.sha256,
    }
    return {"certificate": shown, "ca_file": str(ops.state.secrets / AUTHORITY)}


def _name(ops: Ops) -> str:
    return ops.settings.variables()["TLS_NAME"]


def _address(ops: Ops) -> tuple[str, ...]:
    """Where the API is published, if that is one address: all of a host's are for people to name."""
    address = ops.settings.variables()["API_ADDRESS"]
    return () if address == "0.0.0.0" else (address,)  # noqa: S104 - compared, not bound


def _authority(ops: Ops) -> Pair | None:
    """The one made before, while it is in force. One whose key is not here cannot sign."""
    certificate, key = _kept(ops, AUTHORITY), _kept(ops, AUTHORITY_KEY)
    if not certificate or not key:
        return None
    return Pair(certificate, Secret(key)) if examine.read(certificate, "authority").ends > ops.clock() else None


def _kept(ops: Ops, name: str) -> str:
    """Empty where there is none."""
    file = ops.state.secrets / name
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(file, error) from None


def _write(ops: Ops, made: Pair, authority: str, authority_key: Secret | None) -> None:
    """The key first: killed in between, a service that starts finds a pair that does not match, and says so."""
    if authority_key is None:
        ops.state.remove(f"secrets/{AUTHORITY_KEY}")
    else:
        ops.state.write(f"secrets/{AUTHORITY_KEY}", authority_key.reveal())
    ops.state.write(f"secrets/{KEY}", made.key.reveal())
    ops.state.write(f"secrets/{CERTIFICATE}", made.certificate)
    ops.state.write(f"secrets/{AUTHORITY}", authority)


def _text(ops: Ops, path: Path) -> str:
    file = ops.settings.cwd / path.expanduser()
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(file, error) from None


def _unreadable(file: Path, error: OSError | UnicodeDecodeError) -> OpsError:
    reason = getattr(error, "strerror", None) or "it is not text, and PEM is"
    return OpsError(f"{file} cannot be read: {reason}.", code="TB-0876", hint=f"ls -l '{file}'")
