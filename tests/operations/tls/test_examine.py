"""Certificates that could not serve, each by its sentence."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.operations.seen import refusal
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Level
from tradebot_ops.operations.tls import examine, issue
from tradebot_ops.settings import Secret

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
ABOVE = issue.authority("demo", NOW)
MADE = issue.server(ABOVE, ("localhost", "127.0.0.1", "::1"), NOW, 30)
OTHER = issue.server(ABOVE, ("localhost",), NOW, 30)
SECOND = timedelta(seconds=1)


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


def locked() -> str:
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_pem_private_key(MADE.key.reveal().encode(), None)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"open"),
    ).decode()


def test_a_key_with_a_passphrase() -> None:
    assert "locked by a passphrase" in refused("TB-0870", MADE.certificate, Secret(locked()), ABOVE.certificate)


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


def test_sentences(snapshot: SnapshotAssertion) -> None:
    """Every refusal, with what to do about it."""
    stranger = issue.authority("others", NOW)
    found, stars = examine.read(MADE.certificate), issue.server(ABOVE, ("*.a.example", "b.example"), NOW, 30)
    only = examine.read(issue.server(ABOVE, ("*.a.example",), NOW, 30).certificate)
    acts = (
        lambda: examine.check("hello", MADE.key, ABOVE.certificate, NOW),
        lambda: examine.check(MADE.certificate, MADE.key, "hello", NOW),
        lambda: examine.read("hello"),
        lambda: examine.read("hello", "authority"),
        lambda: examine.root("hello"),
        lambda: examine.check(MADE.certificate, Secret("hello"), ABOVE.certificate, NOW),
        lambda: examine.check(MADE.certificate, Secret(locked()), ABOVE.certificate, NOW),
        lambda: examine.check(MADE.certificate, OTHER.key, ABOVE.certificate, NOW),
        lambda: examine.check(MADE.certificate, MADE.key, stranger.certificate, NOW),
        lambda: examine.check(MADE.certificate, MADE.key, ABOVE.certificate, found.ends),
        lambda: examine.check(MADE.certificate, MADE.key, ABOVE.certificate, found.begins - SECOND),
        lambda: examine.check_name(found, "trading.example.com"),
        lambda: examine.check_name(examine.read(stars.certificate), "c.example"),
        lambda: examine.check_name(only, "c.example"),
        lambda: examine.check_name(examine.read(ABOVE.certificate), "c.example"),
    )
    seen = []
    for act in acts:
        with pytest.raises(OpsError) as raised:
            act()
        seen.append(refusal(raised.value))
    assert seen == snapshot


def test_it_is_in_force_from_its_first_second_to_before_its_last() -> None:
    found = examine.read(MADE.certificate)
    for now in (found.begins, found.ends - SECOND):
        examine.check_time(found, now)


@pytest.mark.parametrize(
    ("left", "level"),
    [
        (timedelta(days=30), None),
        (timedelta(days=30) - SECOND, Level.WARN),
        (SECOND, Level.WARN),
        (-SECOND, Level.FAIL),
    ],
)
def test_findings_name_the_end_a_month_before(
    left: timedelta, level: Level | None, snapshot: SnapshotAssertion
) -> None:
    found = examine.read(MADE.certificate)
    findings = examine.findings(found, found.ends - left)
    assert [each.level for each in findings] == ([] if level is None else [level])
    assert findings == snapshot


def test_each_of_a_chain_is_signed_by_the_next_up_to_one_that_is_trusted() -> None:
    """An authority in the middle that is trusted itself is enough; one that signed another chain is none."""
    top, between, end = trio()
    below = [examine._chain(each, "certificate")[0] for each in (end, between, top)]
    stranger = examine._chain(ABOVE.certificate, "authority")
    for chain, above in ((below[:2], below[2:]), (below[:1], below[1:2]), (below, below[2:]), (below, below[:1])):
        examine._check_trust(chain, above)
    for chain, above in (
        (below[:1], below[2:]),
        (below, stranger),
        ([below[0], *stranger, below[1]], below[2:]),
        (below, []),
    ):
        with pytest.raises(OpsError):
            examine._check_trust(chain, above)


def trio() -> tuple[str, str, str]:
    """An authority, one that it signed, and a server's that this one signed."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization

    top = issue.authority("top", NOW)
    above = x509.load_pem_x509_certificate(top.certificate.encode())
    signer: Any = serialization.load_pem_private_key(top.key.reveal().encode(), None)
    key = issue._key()
    builder = issue._begun(issue._called("between"), above.subject, key, NOW, NOW + timedelta(days=90))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
    between = issue._pair(builder.sign(signer, hashes.SHA256()), key)
    return top.certificate, between.certificate, issue.server(between, ("localhost",), NOW, 30).certificate


def test_names_are_lower_case_as_clients_compare_them() -> None:
    from cryptography import x509

    alternative = x509.SubjectAlternativeName([x509.DNSName("API.Example.com"), x509.DNSName("b")])
    extensions = SimpleNamespace(get_extension_for_class=lambda _: SimpleNamespace(value=alternative))
    found: Any = SimpleNamespace(extensions=extensions)
    assert examine._names(found) == ("api.example.com", "b")
    assert examine.read(ABOVE.certificate).names == ()
