"""Certificates that could not serve, each by its sentence."""

from datetime import UTC, datetime, timedelta

import pytest

from tradebot_ops.errors import OpsError
from tradebot_ops.operations.tls import examine, issue
from tradebot_ops.settings import Secret

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
ABOVE = issue.authority("demo", NOW)
MADE = issue.server(ABOVE, ("localhost", "127.0.0.1", "::1"), NOW, 30)
OTHER = issue.server(ABOVE, ("localhost",), NOW, 30)


def refused(code: str, certificate: str, key: Secret, authority: str, now: datetime = NOW) -> str:
    with pytest.raises(OpsError) as raised:
        examine.check(certificate, key, authority, now)
    assert raised.value.code == code
    assert raised.value.hint
    return raised.value.message


def test_a_good_one_says_what_it_is_for_and_how_long() -> None:
    found = examine.check(MADE.certificate, MADE.key, ABOVE.certificate, NOW)
    assert found.names == ("localhost", "127.0.0.1", "::1")
    assert (found.begins, found.ends) == (NOW - issue.EARLIER, NOW + timedelta(days=30))
    assert found.issuer == "CN=tradebot demo authority"
    assert len(found.sha256) == 64


def test_the_key_of_another_certificate() -> None:
    message = refused("TB-0871", MADE.certificate, OTHER.key, ABOVE.certificate)
    assert message == "The key does not match the certificate: it belongs to another one."


def test_one_that_has_ended_and_one_that_has_not_begun() -> None:
    late, early = NOW + timedelta(days=31), NOW - timedelta(days=1)
    assert refused("TB-0872", MADE.certificate, MADE.key, ABOVE.certificate, late) == (
        "The certificate has expired: it ended on 2026-12-28 at 12:00 UTC, and no client takes it."
    )
    assert "not yet in force" in refused("TB-0872", MADE.certificate, MADE.key, ABOVE.certificate, early)


def test_what_is_no_pem() -> None:
    assert "certificate is no certificate in PEM" in refused("TB-0870", "hello", MADE.key, ABOVE.certificate)
    assert "authority is no certificate in PEM" in refused("TB-0870", MADE.certificate, MADE.key, "")
    assert "key is no private key in PEM" in refused("TB-0870", MADE.certificate, Secret("hello"), ABOVE.certificate)
    swapped = refused("TB-0870", MADE.key.reveal(), Secret(MADE.certificate), ABOVE.certificate)
    assert "no certificate" in swapped


def test_a_key_with_a_passphrase() -> None:
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_pem_private_key(MADE.key.reveal().encode(), None)
    locked = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"open"),
    ).decode()
    assert "locked by a passphrase" in refused("TB-0870", MADE.certificate, Secret(locked), ABOVE.certificate)


def test_an_authority_that_did_not_sign_it() -> None:
    stranger = issue.authority("demo", NOW)
    assert "No way leads" in refused("TB-0874", MADE.certificate, MADE.key, stranger.certificate)


def test_a_chain_ends_in_its_authority_or_does_not() -> None:
    whole = MADE.certificate + ABOVE.certificate
    assert examine.root(whole) == ABOVE.certificate
    assert examine.root(MADE.certificate) == ""
    examine.check(whole, MADE.key, examine.root(whole), NOW)
    stranger = issue.authority("demo", NOW)
    mixed = MADE.certificate + stranger.certificate
    assert "No way leads" in refused("TB-0874", mixed, MADE.key, examine.root(mixed))


@pytest.mark.parametrize(
    ("host", "covered"),
    [("localhost", True), ("api.example.com", True), ("a.b.example.com", False), ("example.com", False)],
)
def test_a_star_stands_for_one_label(host: str, covered: bool) -> None:
    found = examine.read(issue.server(ABOVE, ("localhost", "*.example.com"), NOW, 30).certificate)
    assert examine.covers(found, host) is covered
