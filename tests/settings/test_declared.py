"""The declared settings: their checks, the form each service reads, and what follows from them."""

from pathlib import Path

import pytest

from tradebot_ops.errors import OpsError
from tradebot_ops.settings import STACK_SETTINGS, load_settings


def test_sizes_reach_each_service_in_the_form_it_reads(tmp_path: Path) -> None:
    environ = {"WORKER_MEMORY_LIMIT": "4gb", "REDIS_MAXMEMORY": "1.5gb", "POSTGRES_SHARED_BUFFERS": "4GB"}
    variables = load_settings({}, environ, tmp_path).variables()
    assert variables["WORKER_MEMORY_LIMIT"] == str(4 * 1024**3)
    assert variables["REDIS_MAXMEMORY"] == str(1536 * 1024**2)
    assert variables["POSTGRES_SHARED_BUFFERS"] == f"{4 * 1024**2}kB"


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"WORKER_REPLICAS": "many"}, "WORKER_REPLICAS (from environment)"),
        ({"WORKER_REPLICAS": "1000"}, "from 0 to 100"),
        ({"LOG_FORMAT": "xml"}, "json, console"),
        ({"WORKER_METRICS_PORT": "9190-9091"}, "ends before it begins"),
        ({"WORKER_METRICS_PORT": "9091-99999"}, "from 1 to 65535"),
        ({"API_PORT": "70000"}, "from 1 to 65535"),
        ({"WORKER_MEMORY_LIMIT": "4 apples"}, "'4 apples' is not a size"),
        ({"API_SCHEME": "tls"}, "http, https"),
        ({"MONITORING_SCHEME": "tls"}, "http, https"),
        ({"TLS_NAME": "https://localhost"}, "is neither a host name nor an address"),
        ({"TLS_NAME": "300.1.1.1"}, "is neither a host name nor an address"),
        ({"BOT_ADAPTER": "free trade"}, "is not a name"),
        ({"BOT_URL": "localhost:8080"}, "is not an address without a login"),
        ({"BOT_URL": "http://[::1"}, "is not an address without a login"),
        ({"BOT_URL": "http://127.0.0.1:99999"}, "is not an address without a login"),
        ({"BOT_URL": "http://me:secret@127.0.0.1"}, "is not an address without a login"),
        ({"BOT_URL": "http://8.8.8.8:8080"}, "is a public address"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_with_its_origin(
    tmp_path: Path, environ: dict[str, str], named: str
) -> None:
    with pytest.raises(OpsError, match="from environment") as raised:
        load_settings({}, environ, tmp_path).variables()
    assert named in raised.value.message
    assert raised.value.exit_code == 8


def test_a_range_of_ports_is_taken_where_compose_gives_each_worker_one(tmp_path: Path) -> None:
    environ = {"WORKER_METRICS_PORT": "9091-9190"}
    assert load_settings({}, environ, tmp_path).variables()["WORKER_METRICS_PORT"] == "9091-9190"


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080", "http://10.0.0.7", "http://[fd00::1]:8080", "https://8.8.8.8", "http://bot:8080"]
)
def test_a_bot_may_answer_here_in_a_private_network_or_behind_tls(tmp_path: Path, url: str) -> None:
    assert load_settings({}, {"BOT_URL": f"{url}/ "}, tmp_path).variables()["BOT_URL"] == url


def test_others_beside_the_bot_are_addresses_like_its_own(tmp_path: Path) -> None:
    given = {"BOT_OTHERS": "http://10.0.0.7:8080/, https://bot.example.com,"}
    assert load_settings({}, given, tmp_path).variables()["BOT_OTHERS"] == (
        "http://10.0.0.7:8080,https://bot.example.com"
    )
    with pytest.raises(OpsError, match=r"8\.8\.8\.8"):
        load_settings({}, {"BOT_OTHERS": "http://10.0.0.7,http://8.8.8.8"}, tmp_path).variables()


@pytest.mark.parametrize("name", ["localhost", "192.0.2.7", "::1", "trading.example.com", "host-1", "4u.example"])
def test_a_certificate_may_be_for_a_name_or_an_address(tmp_path: Path, name: str) -> None:
    assert load_settings({}, {"TLS_NAME": f" {name.upper()} "}, tmp_path).variables()["TLS_NAME"] == name


def test_every_default_passes_its_own_check(tmp_path: Path) -> None:
    assert set(load_settings({}, {}, tmp_path).variables()) >= {setting.name for setting in STACK_SETTINGS}


def test_memory_limits_follow_from_what_is_asked_for_unless_they_are_set(tmp_path: Path) -> None:
    environ = {"POSTGRES_SHARED_BUFFERS": "4GB", "WORKER_MEMORY_LIMIT": "4gb", "REDIS_MEMORY_LIMIT": "3gb"}
    variables = load_settings({}, environ, tmp_path).variables()
    assert variables["POSTGRES_MEMORY_LIMIT"] == str(9 * 1024**3)
    assert variables["JOB_MEMORY_LIMIT"] == str(4 * 1024**3 * 2 // 5)
    assert variables["REDIS_MEMORY_LIMIT"] == "3gb"
    variables = load_settings({}, {"REDIS_MAXMEMORY": "1gb"}, tmp_path).variables()
    assert variables["REDIS_MEMORY_LIMIT"] == str(2304 * 1024**2)  # twice as much, and 256 MB for itself
