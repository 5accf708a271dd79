"""Certificates that an authority signs, as a real handshake takes them."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.operations.seen import refusal
from tradebot_ops.errors import OpsError
from tradebot_ops.operations.tls import examine, issue
from tradebot_ops.operations.tls.issue import Pair

NAMES = ("localhost", "127.0.0.1", "::1", "trading.example.com")


def shaken(server: Pair, trusted: str, host: str, folder: Path) -> None:
    """A whole handshake in memory; raises ``SSLCertVerificationError`` where the client refuses."""
    pair = folder / "pair.pem"
    pair.write_text(server.certificate + server.key.reveal())
    theirs = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    theirs.load_cert_chain(pair)
    ours = ssl.create_default_context(cadata=trusted)
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    serving = theirs.wrap_bio(there, back, server_side=True)
    asking = ours.wrap_bio(back, there, server_hostname=host)
    for side in (asking, serving, asking, serving):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    assert asking.version()


@pytest.mark.parametrize("host", NAMES)
def test_a_client_that_trusts_the_authority_takes_each_of_its_names(tmp_path: Path, host: str) -> None:
    now = datetime.now(UTC)
    above = issue.authority("demo", now)
    shaken(issue.server(above, NAMES, now, 30), above.certificate, host, tmp_path)


def test_a_client_refuses_another_name_and_another_authority(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    above, other = issue.authority("demo", now), issue.authority("demo", now)
    made = issue.server(above, NAMES, now, 30)
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        shaken(made, above.certificate, "example.com", tmp_path)
    with pytest.raises(ssl.SSLCertVerificationError):
        shaken(made, other.certificate, "localhost", tmp_path)


def test_one_that_has_ended_is_refused(tmp_path: Path) -> None:
    then = datetime.now(UTC) - timedelta(days=40)
    above = issue.authority("demo", then)
    with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
        shaken(issue.server(above, NAMES, then, 30), above.certificate, "localhost", tmp_path)


def test_none_outlasts_its_authority() -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    above = issue.authority("demo", now - timedelta(days=issue.AUTHORITY_DAYS - 10))
    assert examine.read(issue.server(above, NAMES, now, 397).certificate).ends == now + timedelta(days=10)


def test_the_key_shows_itself_nowhere() -> None:
    made = issue.authority("demo", datetime.now(UTC))
    assert "PRIVATE KEY" in made.key.reveal()
    assert "PRIVATE" not in repr(made)


def test_names_are_taken_once_and_in_one_form() -> None:
    assert issue.names_of(["LocalHost", "localhost", "[::1]", "0:0::1", "*.example.com", "192.0.2.7"]) == (
        "localhost", "::1", "*.example.com", "192.0.2.7",
    )  # fmt: skip


@pytest.mark.parametrize("name", ["", "https://example.com", "example.com:8010", "300.1.1.1", "a b", "-x", "bücher.de"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(OpsError, match="neither a host name nor an address") as raised:
        issue.names_of([name])
    assert raised.value.code == "TB-0281"


def test_what_is_no_name_is_told_with_the_way_to_write_it() -> None:
    with pytest.raises(OpsError) as raised:
        issue.names_of(["a.example", "a b"])
    assert refusal(raised.value) == (
        "TB-0281",
        "'a b' is neither a host name nor an address, so no certificate can be for it.",
        "Write it as in an address, without https:// and without a port: trading.example.com or 192.0.2.7",
    )


@pytest.mark.parametrize(("length", "taken"), [(253, True), (254, False)])
def test_a_name_is_no_longer_than_names_can_be(length: int, taken: bool) -> None:
    name = ".".join(["a" * 49] * 6)[: length - 1] + "z"
    assert len(name) == length
    if taken:
        assert issue.names_of([f" {name} "]) == (name,)
        return
    with pytest.raises(OpsError, match="neither"):
        issue.names_of([name])


@pytest.mark.parametrize(("days", "taken"), [(0, False), (1, True), (397, True), (398, False)])
def test_a_certificate_lasts_from_a_day_to_what_browsers_take(days: int, taken: bool) -> None:
    if taken:
        issue.check_days(days)
        return
    with pytest.raises(OpsError) as raised:
        issue.check_days(days)
    assert refusal(raised.value) == (
        "TB-0281", f"A certificate cannot last {days} days.", "--days 1 to 397: browsers take no more",
    )  # fmt: skip


def test_each_is_for_its_purpose_and_for_nothing_else() -> None:
    """As RFC 5280 asks for it; who reads them all is stricter than any client here."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    now = datetime(2026, 11, 28, 12, tzinfo=UTC)
    above = issue.authority("p" * 80, now)
    made = issue.server(above, ("n" * 63 + ".example", "192.0.2.7"), now, 30)
    theirs, ours = (x509.load_pem_x509_certificate(each.certificate.encode()) for each in (above, made))
    usages = []
    for each in (theirs, ours):
        usage = each.extensions.get_extension_for_class(x509.KeyUsage)
        constraints = each.extensions.get_extension_for_class(x509.BasicConstraints)
        identifier = each.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
        assert (usage.critical, constraints.critical, identifier.critical) == (True, True, False)
        assert identifier.value == x509.SubjectKeyIdentifier.from_public_key(each.public_key())
        used = {name for name in vars(x509.KeyUsage) if isinstance(getattr(x509.KeyUsage, name), property)}
        used -= {"encipher_only", "decipher_only"}
        usages.append({name for name in used if getattr(usage.value, name)})
        assert each.not_valid_before_utc == now - timedelta(hours=1)
    assert usages == [{"key_cert_sign", "crl_sign"}, {"digital_signature"}]
    basic = [each.extensions.get_extension_for_class(x509.BasicConstraints).value for each in (theirs, ours)]
    assert [(each.ca, each.path_length) for each in basic] == [(True, 0), (False, None)]
    assert [each.not_valid_after_utc - now for each in (theirs, ours)] == [timedelta(days=3650), timedelta(days=30)]
    called = [each.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value for each in (theirs, ours)]
    assert called == [f"tradebot {'p' * 55}", "n" * 63 + "."]
    assert ours.issuer == theirs.subject == theirs.issuer
    extended = ours.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    assert (list(extended.value), extended.critical) == ([ExtendedKeyUsageOID.SERVER_AUTH], False)
    signer = ours.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier)
    assert signer.value.key_identifier == x509.SubjectKeyIdentifier.from_public_key(theirs.public_key()).digest
    alternative = ours.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert (signer.critical, alternative.critical) == (False, False)
    for pair, each in ((above, theirs), (made, ours)):
        assert load_pem_private_key(pair.key.reveal().encode(), None).public_key() == each.public_key()
