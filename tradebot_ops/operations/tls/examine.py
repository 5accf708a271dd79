"""Reads what a certificate is for and how long it lasts, and checks that it can serve with its key. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from tradebot_ops.errors import OpsError
from tradebot_ops.model import Finding, Level
from tradebot_ops.settings import Secret
from tradebot_ops.text.sentences import agreed

if TYPE_CHECKING:
    from cryptography import x509

SOON_DAYS = 30
_PEM = "Bring it in PEM, the text that begins with -----BEGIN; openssl makes it of other forms."


@dataclass(frozen=True)
class Certificate:
    """``names`` are the host names and addresses that it is for, ``sha256`` its fingerprint."""

    names: tuple[str, ...]
    issuer: str
    begins: datetime
    ends: datetime
    sha256: str


def read(text: str, what: str = "certificate") -> Certificate:
    """The first certificate in a text, that of the server itself. Raises ``OpsError`` TB-0870 where there is none."""
    from cryptography.hazmat.primitives import hashes

    found = _chain(text, what)[0]
    return Certificate(
        names=_names(found),
        issuer=found.issuer.rfc4514_string(),
        begins=found.not_valid_before_utc,
        ends=found.not_valid_after_utc,
        sha256=found.fingerprint(hashes.SHA256()).hex(),
    )


def check(certificate: str, key: Secret, authority: str, now: datetime) -> Certificate:
    """The facts of a certificate that can serve: in force, with its own key, and trusted through ``authority``.

    Raises ``OpsError`` TB-0870 for what is no PEM, TB-0871 for the key of another one, TB-0872 for one that is not in
    force, TB-0874 where no way leads from it to the authority.
    """
    chain, above = _chain(certificate, "certificate"), _chain(authority, "authority")
    if chain[0].public_key() != _key(key).public_key():  # type: ignore[attr-defined]
        raise OpsError(
            "The key does not match the certificate: it belongs to another one.",
            code="TB-0871",
            hint="Bring the key that the certificate was asked for with; compare: openssl x509 -noout -pubkey -in FILE",
        )
    facts = read(certificate)
    check_time(facts, now)
    _check_trust(chain, above)
    return facts


def check_time(found: Certificate, now: datetime) -> None:
    """Raises ``OpsError`` TB-0872 for one that has ended, or has not begun."""
    if found.ends <= now:
        raise OpsError(
            f"The certificate has expired: it ended on {found.ends:%Y-%m-%d at %H:%M} UTC, and no client takes it.",
            code="TB-0872",
            hint="Make a new one: tradebot tls create; or bring one: tradebot tls import CERTIFICATE KEY",
        )
    if found.begins > now:
        raise OpsError(
            f"The certificate is not yet in force: it begins on {found.begins:%Y-%m-%d at %H:%M} UTC.",
            code="TB-0872",
            hint="Is the clock of this host right? timedatectl",
        )


def findings(found: Certificate, now: datetime) -> tuple[Finding, ...]:
    """A failure where it is not in force, a warning where it soon will be no more."""
    try:
        check_time(found, now)
    except OpsError as error:
        return (Finding(Level.FAIL, error.code, error.message, hint=error.hint),)
    if (left := (found.ends - now).days) < SOON_DAYS:
        message = agreed(f"The certificate ends in {left} days, on {found.ends:%Y-%m-%d}.")
        return (Finding(Level.WARN, "TB-0872", message, hint="tradebot tls create; or tradebot tls import"),)
    return ()


def covers(found: Certificate, host: str) -> bool:
    """Whether a client that asks for ``host`` takes it; ``*`` stands for one label."""
    return host in found.names or f"*.{host.partition('.')[2]}" in found.names


def check_name(found: Certificate, host: str) -> None:
    """Raises ``OpsError`` TB-0873 where clients that compare ``host`` would refuse it."""
    if covers(found, host):
        return
    wanted = next((each for each in found.names if "*" not in each), "NAME")
    raise OpsError(
        f"The certificate is for {', '.join(found.names) or 'no name'}, and not for {host}, the name that the commands "
        "and Prometheus compare.",
        code="TB-0873",
        hint=f"tradebot config set TLS_NAME={wanted}; or make one: tradebot tls create",
    )


def root(text: str) -> str:
    """The last certificate of a text where that is its own authority; empty where another one signed it."""
    from cryptography.hazmat.primitives import serialization

    last = _chain(text, "certificate")[-1]
    return last.public_bytes(serialization.Encoding.PEM).decode() if last.issuer == last.subject else ""


def _chain(text: str, what: str) -> "list[x509.Certificate]":
    from cryptography import x509

    try:
        return x509.load_pem_x509_certificates(text.encode())
    except ValueError:
        raise OpsError(f"The {what} is no certificate in PEM.", code="TB-0870", hint=_PEM) from None


def _key(key: Secret) -> object:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization

    try:
        return serialization.load_pem_private_key(key.reveal().encode(), None)
    except TypeError:
        message, hint = (
            "The key is locked by a passphrase, which no service could type.",
            "openssl pkey -in FILE -out NEW",
        )
        raise OpsError(message, code="TB-0870", hint=hint) from None
    except (ValueError, UnsupportedAlgorithm):
        raise OpsError("The key is no private key in PEM.", code="TB-0870", hint=_PEM) from None


def _names(found: "x509.Certificate") -> tuple[str, ...]:
    """Clients look at the alternative names alone."""
    from cryptography import x509

    try:
        alternative = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    names = [name.lower() for name in alternative.get_values_for_type(x509.DNSName)]
    return (*names, *(str(each) for each in alternative.get_values_for_type(x509.IPAddress)))


def _check_trust(chain: "list[x509.Certificate]", above: "list[x509.Certificate]") -> None:
    """From the server's certificate upwards, each signed by the next; one of them or its signer is an authority."""
    for lower, upper in zip(chain, [*chain[1:], None], strict=True):
        if lower in above or any(_signed(lower, each) for each in above):
            return
        if upper is None or not _signed(lower, upper):
            break
    raise OpsError(
        "No way leads from the certificate to the authority, so no client would trust it.",
        code="TB-0874",
        hint="Put the certificates between them behind the first in its file, and name the authority's with --ca.",
    )


def _signed(lower: "x509.Certificate", upper: "x509.Certificate") -> bool:
    from cryptography.exceptions import InvalidSignature

    try:
        lower.verify_directly_issued_by(upper)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
