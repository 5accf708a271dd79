"""The declared settings: their checks, the form each service reads, and what follows from them."""

from pathlib import Path

import pytest

from tests.operations.seen import refusal
from tradebot_ops.errors import OpsError
from tradebot_ops.settings import STACK_SETTINGS, load_settings
from tradebot_ops.settings.declared import ENVIRONMENTS, SCHEMES

PORTS = ("API", "PROMETHEUS", "ALERTMANAGER", "GRAFANA")


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


#: What each setting is where nobody says.
DEFAULTS = {
    "ENVIRONMENT": "dev",
    "WORKER_REPLICAS": "2",
    "WORKER_MEMORY_LIMIT": "2gb",
    "WORKER_GRACE_SECONDS": "30",
    "REDIS_MAXMEMORY": "512mb",
    "POSTGRES_SHARED_BUFFERS": "256mb",
    "POSTGRES_MAX_CONNECTIONS": "100",
    "API_MEMORY_LIMIT": "512mb",
    "LOG_FORMAT": "json",
    "LOG_LEVEL": "info",
    "API_PORT": "8010",
    "API_ADDRESS": "127.0.0.1",
    "API_SCHEME": "http",
    "MONITORING_SCHEME": "http",
    "TLS_NAME": "localhost",
    "PROMETHEUS_PORT": "9090",
    "ALERTMANAGER_PORT": "9093",
    "GRAFANA_PORT": "3000",
    "PROMETHEUS_RETENTION": "15d",
    "PROMETHEUS_RETENTION_SIZE": "2GB",
    "PROMETHEUS_MEMORY_LIMIT": "1gb",
    "ALERT_HISTORY_DAYS": "90",
    "JOB_RETENTION_DAYS": "0",
    "BOT_USER": "tradebot",
    "WORKER_METRICS_PORT": "9091",
}


def test_what_each_is_where_nobody_says() -> None:
    """A new default changes every stack that relies on the old one: it is changed here, too."""
    assert {setting.name: setting.default for setting in STACK_SETTINGS if setting.default} == DEFAULTS


@pytest.mark.parametrize(
    ("name", "fit", "refused"),
    [
        ("ENVIRONMENT", {"prod": "production", " STAGING ": "staging", "dev": "dev"}, ["test"]),
        ("WORKER_REPLICAS", {"0": "0", "100": "100"}, ["-1", "101"]),
        ("WORKER_MEMORY_LIMIT", {"1kb": "1024"}, ["much"]),
        ("WORKER_GRACE_SECONDS", {"1": "1", "3600": "3600"}, ["0", "3601"]),
        ("REDIS_MAXMEMORY", {"1kb": "1024"}, ["much"]),
        ("POSTGRES_SHARED_BUFFERS", {"1mb": "1024kB"}, ["much"]),
        ("POSTGRES_MAX_CONNECTIONS", {"10": "10", "10000": "10000"}, ["9", "10001"]),
        ("API_MEMORY_LIMIT", {"1kb": "1024"}, ["much"]),
        ("LOG_FORMAT", {"json": "json", "Console": "console"}, ["xml"]),
        ("LOG_LEVEL", {level: level for level in ("debug", "info", "warning", "error")}, ["trace"]),
        *((f"{name}_PORT", {"1": "1", "65535": "65535"}, ["0", "65536"]) for name in PORTS),
        ("API_ADDRESS", {"0.0.0.0": "0.0.0.0"}, ["localhost"]),
        *((f"{name}_SCHEME", {"http": "http", "HTTPS": "https"}, ["tls"]) for name in ("API", "MONITORING")),
        ("TLS_NAME", {"Bot.Example": "bot.example"}, ["a b"]),
        ("PROMETHEUS_RETENTION", {"2w": "2w"}, ["15"]),
        ("PROMETHEUS_RETENTION_SIZE", {"1GB": "1024MB"}, ["much"]),
        ("PROMETHEUS_MEMORY_LIMIT", {"1kb": "1024"}, ["much"]),
        ("ALERT_HISTORY_DAYS", {"1": "1", "3650": "3650"}, ["0", "3651"]),
        ("JOB_RETENTION_DAYS", {"0": "0", "36500": "36500"}, ["-1", "36501"]),
        ("JOB_TIME_LIMITS", {"": "", "a=1, b=168h": "a=1,b=604800"}, ["a", "a=0", "b=169h"]),
        *((f"ALERT_{name}", {"ON": "on", "": ""}, ["perhaps"]) for name in ("PAGERDUTY", "OPSGENIE", "WEBHOOK")),
        ("BOT_ADAPTER", {"Freqtrade": "freqtrade"}, ["free trade"]),
        ("BOT_URL", {"http://10.0.0.1/": "http://10.0.0.1"}, ["http://8.8.8.8"]),
        ("BOT_OTHERS", {"http://10.0.0.1/,": "http://10.0.0.1"}, ["http://10.0.0.1,http://8.8.8.8"]),
        ("WORKER_METRICS_PORT", {"9091": "9091", "1-65535": "1-65535"}, ["0", "2-1"]),
    ],
)
def test_what_each_may_be_to_its_bounds(name: str, fit: dict[str, str], refused: list[str]) -> None:
    (setting,) = (each for each in STACK_SETTINGS if each.name == name)
    assert {text: setting.check(text) for text in fit} == fit
    for text in refused:
        with pytest.raises(ValueError, match="."):
            setting.check(text)


def test_who_is_behind_a_certificate() -> None:
    assert SCHEMES == {"API_SCHEME": ("api",), "MONITORING_SCHEME": ("prometheus", "alertmanager", "grafana")}
    assert ENVIRONMENTS == {"dev": "dev", "staging": "staging", "prod": "production"}


def test_a_value_that_cannot_be_used_says_where_it_stands_and_what_to_do(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("API_PORT=0\n")
    with pytest.raises(OpsError) as caught:
        load_settings({}, {}, tmp_path).variables()
    assert refusal(caught.value) == (
        "TB-0803",
        "API_PORT (from .env): '0' is not a whole number from 1 to 65535.",
        "Set API_PORT to a valid value.",
    )
