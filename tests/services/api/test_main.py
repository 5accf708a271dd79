"""The certificate that the API serves with: none in the clear, and over TLS one that fits its key."""

import ssl
import subprocess
from pathlib import Path

import pytest
from fastapi import FastAPI

from services.api.__main__ import server_config, tls_files
from services.common.settings import Settings


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two certificates with their keys: one.pem and one.key, two.pem and two.key."""
    found = tmp_path_factory.mktemp("certificates")
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 10 -subj /CN=localhost"
    for name in ("one", "two"):
        files = ["-keyout", str(found / f"{name}.key"), "-out", str(found / f"{name}.pem")]
        subprocess.run(["openssl", *words.split(), *files], check=True, capture_output=True)
    return found


def settings(certificate: Path | None, key: Path | None) -> Settings:
    return Settings(api_scheme="https", api_tls_cert_file=certificate, api_tls_key_file=key)


def test_in_the_clear_no_file_is_read() -> None:
    found = Settings(api_tls_cert_file=Path("/nowhere"), api_tls_key_file=Path("/nowhere"))
    assert tls_files(found) is None
    assert not server_config(FastAPI(), "127.0.0.1", 0).is_ssl


def test_over_tls_a_pair_is_loaded_and_nothing_older_than_tls_1_2(folder: Path) -> None:
    pair = folder / "one.pem", folder / "one.key"
    assert tls_files(settings(*pair)) == pair
    config = server_config(FastAPI(), "127.0.0.1", 0, pair)
    config.load()
    assert config.ssl
    assert config.ssl.minimum_version >= ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize(
    ("certificate", "key", "why"),
    [
        ("one.pem", "two.key", "the key is another certificate's"),
        ("one.key", "one.pem", "they are no certificate and key in PEM"),
        ("none.pem", "one.key", "No such file or directory"),
        ("", "one.key", "API_TLS_CERT_FILE or API_TLS_KEY_FILE names no file"),
    ],
)
def test_a_pair_that_cannot_serve_is_named_before_anything_starts(
    folder: Path, certificate: str, key: str, why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        tls_files(settings(folder / certificate if certificate else None, folder / key))
