"""What an engine's refusals mean to an operator."""

import ssl
from pathlib import Path

import pytest
import requests
from docker.errors import APIError
from docker.tls import TLSConfig

from tradebot_ops.docker.client import Client, SureClient, parse_version
from tradebot_ops.docker.errors import explain
from tradebot_ops.docker.locate import Location
from tradebot_ops.errors import OpsError

SAID = [
    (
        (
            "driver failed programming external connectivity on endpoint bot-api-1: Bind for 127.0.0.1:8010 failed: "
            "port is already allocated"
        ),
        "TB-0821",
        "port 127.0.0.1:8010 is taken",
    ),
    (
        "failed to bind host port for 127.0.0.1:8010:172.18.0.2:8010/tcp: address already in use",
        "TB-0821",
        "port 127.0.0.1:8010 is taken",
    ),
    (
        (
            "driver failed programming external connectivity on endpoint x: Error starting userland proxy: "
            "listen tcp4 127.0.0.1:8010: bind: address already in use"
        ),
        "TB-0821",
        "port 127.0.0.1:8010 is taken",
    ),
    (
        (
            'Conflict. The container name "/bot-api-1" is already in use by container '
            '"0123456789abcdef0123456789abcdef". You have to remove (or rename) that container'
        ),
        "TB-0822",
        "the name bot-api-1 belongs to container 0123456789ab",
    ),
    ("Pool overlaps with other one on this address space", "TB-0823", "no free network address range"),
    ('invalid mount config for type "bind": bind source path does not exist: /srv/x', "TB-0824", "/srv/x does not"),
    ("No such image: redis:8.0", "TB-0825", "the image redis:8.0 is missing"),
    ("write /var/lib/docker/tmp/x: no space left on device", "TB-0802", "Docker's disk is full"),
    ("remove bot_data: volume is in use - [0123abcd]", "TB-0904", "still uses the volume: 0123abcd"),
    ("error while removing network: network bot_default id 12ab has active endpoints", "TB-0905", "bot_default"),
]


def refusal(said: str) -> APIError:
    return APIError("refused", requests.Response(), said)


@pytest.mark.parametrize(("said", "code", "meaning"), SAID, ids=[code + said[:12] for said, code, _ in SAID])
def test_known_refusals_become_sentences_with_a_next_step(said: str, code: str, meaning: str) -> None:
    error = explain("starting api 1", refusal(said))
    assert error.code == code
    assert meaning in error.message
    assert "starting api 1" in error.message
    assert error.hint
    assert said in error.detail


def test_unknown_refusals_keep_the_engines_words() -> None:
    error = explain("starting api 1", refusal("something new happened."))
    assert error.message == "Docker refused while starting api 1: something new happened."


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        (requests.ReadTimeout(), "TB-0601"),
        (requests.ConnectionError(requests.packages.urllib3.exceptions.ReadTimeoutError(None, "", "")), "TB-0601"),  # type: ignore[attr-defined]
        (requests.ConnectionError(PermissionError(13, "denied")), "TB-0402"),
        (requests.ConnectionError(FileNotFoundError(2, "gone")), "TB-0401"),
        (requests.ConnectionError(ConnectionResetError(104, "reset")), "TB-0401"),
    ],
)
def test_a_broken_connection_says_how_it_broke(raised: Exception, code: str) -> None:
    client = Client(Location("unix:///nowhere.sock"))
    with pytest.raises(OpsError) as caught, client.translating_errors("stopping worker 2", 20):
        raise raised
    assert caught.value.code == code
    if code == "TB-0402":
        assert "usermod -aG docker" in caught.value.hint
    if code == "TB-0601":
        assert "within 20 s while stopping worker 2" in caught.value.message


def test_an_engine_that_went_away_midway_is_not_one_that_never_ran() -> None:
    client = Client(Location("unix:///nowhere.sock"))
    vars(client)["version"] = (1, 45)
    with (
        pytest.raises(OpsError, match="went away while stopping api 1") as caught,
        client.translating_errors("stopping api 1"),
    ):
        raise requests.ConnectionError(ConnectionRefusedError(111, "refused"))
    assert caught.value.code == "TB-0401"
    assert "run the command again" in caught.value.hint


def test_distrust_is_not_a_missing_permission(tmp_path: Path) -> None:
    client = Client(Location("tcp://10.0.0.9:2376", tls=tmp_path))
    refused = ssl.SSLCertVerificationError(1, "certificate verify failed")  # 1 is EPERM, too
    with (
        pytest.raises(OpsError, match="do not trust each other over TLS") as caught,
        client.translating_errors("asking"),
    ):
        raise requests.exceptions.SSLError(refused)
    assert caught.value.code == "TB-0412"
    assert str(tmp_path) in caught.value.hint


def test_the_engines_own_authority_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/etc/the-webs.pem")
    authority = tmp_path / "ca.pem"
    authority.touch()
    client = SureClient("tcp://10.0.0.9:2376", version="1.41", tls=TLSConfig(ca_cert=str(authority), verify=True))
    settings = client.merge_environment_settings("https://10.0.0.9:2376/version", {}, False, None, None)
    assert settings["verify"] == str(authority)


def test_versions_are_numbers_and_nonsense_is_named() -> None:
    assert parse_version("1.41") < parse_version("1.100")
    with pytest.raises(OpsError, match="'newest' is not a version"):
        parse_version("newest")
