"""Makes an authority that only this project knows, and certificates that it signs. Pure: no file is read or written."""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from tradebot_ops.errors import OpsError
from tradebot_ops.settings import Secret
from tradebot_ops.text.sentences import agreed

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

AUTHORITY_DAYS = 3650
#: Browsers refuse longer ones.
LONGEST = 397
#: Clocks of clients that are a little slow must not refuse it.
EARLIER = timedelta(hours=1)
_NAME = re.compile(r"(\*\.)?([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?")


@dataclass(frozen=True)
class Pair:
    """A certificate and its private key, both in PEM."""

    certificate: str
    key: Secret


def names_of(typed: Sequence[str]) -> tuple[str, ...]:
    """Host names and addresses as a certificate has them, each once. Raises ``OpsError`` TB-0281 for anything else."""
    return tuple(dict.fromkeys(_name(each.strip().lower()) for each in typed))


def _name(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text.removeprefix("[").removesuffix("]")))
    except ValueError:
        pass
    if len(text) > 253 or not _NAME.fullmatch(text) or re.fullmatch(r"[\d.]+", text):
        raise OpsError(
            f"'{text}' is neither a host name nor an address, so no certificate can be for it.",
            code="TB-0281",
            hint="Write it as in an address, without https:// and without a port: trading.example.com or 192.0.2.7",
        )
    return text


def check_days(days: int) -> None:
    """Raises ``OpsError`` TB-0281 for a time that no client would take."""
    if not 1 <= days <= LONGEST:
        raise OpsError(
            agreed(f"A certificate cannot last {days} days."),
            code="TB-0281",
            hint=f"--days 1 to {LONGEST}: browsers take no more",
        )


def authority(project: str, now: datetime) -> Pair:
    """An authority whose key signs certificates and nothing else."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

    key = _key()
    name = _called(f"tradebot {project} authority"[:64])
    ends = now + timedelta(days=AUTHORITY_DAYS)
    builder = _begun(name, name, key, now, ends).add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
    builder = builder.add_extension(_usage(signs_certificates=True), True)
    return _pair(builder.sign(key, hashes.SHA256()), key)


def server(by: Pair, names: Sequence[str], now: datetime, days: int) -> Pair:
    """A certificate for a server of these names, signed by an authority and never longer valid than that one."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.x509.oid import ExtendedKeyUsageOID

    above = x509.load_pem_x509_certificate(by.certificate.encode())
    signer = serialization.load_pem_private_key(by.key.reveal().encode(), None)
    key = _key()
    ends = min(now + timedelta(days=days), above.not_valid_after_utc)
    builder = _begun(_called(names[0][:64]), above.subject, key, now, ends)
    identifier = above.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    builder = (
        builder.add_extension(x509.SubjectAlternativeName([_alternative(each) for each in names]), False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
        .add_extension(_usage(signs_certificates=False), True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), False)
    )
    return _pair(builder.sign(signer, hashes.SHA256()), key)  # type: ignore[arg-type]  # ours are of one kind


def _key() -> "EllipticCurvePrivateKey":
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1())


def _called(name: str) -> "x509.Name":
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _begun(
    name: "x509.Name", issuer: "x509.Name", key: "EllipticCurvePrivateKey", now: datetime, ends: datetime
) -> "x509.CertificateBuilder":
    from cryptography import x509

    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - EARLIER)
        .not_valid_after(ends)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
    )


def _usage(*, signs_certificates: bool) -> "x509.KeyUsage":
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative(name: str) -> "x509.GeneralName":
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pair(certificate: "x509.Certificate", key: "EllipticCurvePrivateKey") -> Pair:
    from cryptography.hazmat.primitives import serialization

    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Pair(certificate.public_bytes(serialization.Encoding.PEM).decode(), Secret(private.decode()))
