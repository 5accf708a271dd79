"""Certificates that an authority signs, as a real handshake takes them."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

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
