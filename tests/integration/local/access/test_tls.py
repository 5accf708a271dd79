"""A stack whose API and monitoring answer over TLS alone: commands and services trust its authority."""

import json
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from tests.integration.local.conftest import ports
from tests.integration.local.test_monitoring import monitored, require_monitoring, targets, values
from tests.integration.tradebot import Tradebot
from tests.waiting import until
from tradebot_ops.operations.tls import issue
from tradebot_ops.settings import Secret

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("local-tls"), pytest.mark.timeout(420)]


#: The port of a service, and a page of it.
API = ("API_PORT", "/health")
PROMETHEUS = ("PROMETHEUS_PORT", "/-/ready")
ALERTMANAGER = ("ALERTMANAGER_PORT", "/-/ready")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tradebot]:
    home = tmp_path_factory.mktemp("tls") / "home"
    project = monitored(home, WORKER_REPLICAS="1", API_SCHEME="https", MONITORING_SCHEME="https")
    try:
        project.ok("tls", "create", "trading.example.com")
        project.ok("up", timeout=300)
        require_monitoring(project)
        yield project
    finally:
        project.clean()


def address(stack: Tradebot, scheme: str = "https", page: tuple[str, str] = API) -> str:
    port, path = page
    return f"{scheme}://127.0.0.1:{stack.environ[port]}{path}"


def asked(stack: Tradebot, ca: Path | None, page: tuple[str, str] = API) -> int:
    """The status that a client gets which trusts this authority; None: those that this host trusts."""
    trusted = ssl.create_default_context(cafile=None if ca is None else str(ca))
    return httpx.get(address(stack, page=page), verify=trusted, trust_env=False, timeout=30).status_code


def test_without_a_certificate_nothing_is_started(tmp_path: Path) -> None:
    project = Tradebot(tmp_path / "home", environ=ports() | {"API_SCHEME": "https"})
    done = project.run("up", "--profile", "core")
    assert done.returncode == 8
    assert "API_SCHEME is https, and there is no certificate yet." in done.stderr
    assert "tls create" in done.stderr
    assert project.processes() == []


def test_jobs_run_and_every_command_finds_its_way(stack: Tradebot) -> None:
    assert stack.json("jobs", "submit", "canary", "--wait")["state"] == "succeeded"
    pages, states = {each["name"]: each["url"] for each in stack.json("urls")}, stack.states()
    for name, page in (("API", API), ("Prometheus", PROMETHEUS), ("Alertmanager", ALERTMANAGER)):
        assert pages[name] == address(stack, page=page).removesuffix(page[1])
        assert states[f"{name.lower()}-1"] == "ready"
    assert stack.json("alerts", "list")["silences"] == []
    assert {each["health"] for each in stack.json("monitoring", "rules")} <= {"ok", "unknown"}
    assert stack.json("tls", "show")["certificate"]["days_left"] >= 395
    assert "trading.example.com" in stack.ok("tls", "show")


def test_who_speaks_no_tls_or_trusts_another_authority_gets_nothing(stack: Tradebot, tmp_path: Path) -> None:
    assert asked(stack, stack.state / "secrets" / "tls_ca") == 200
    with pytest.raises(httpx.HTTPError):
        httpx.get(address(stack, "http"), trust_env=False, timeout=30)
    other = tmp_path / "ca.pem"
    other.write_text(issue.authority("other", datetime.now(UTC)).certificate)
    for page in (API, PROMETHEUS, ALERTMANAGER):
        for authority in (None, other):
            with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                asked(stack, authority, page)
    for page in (PROMETHEUS, ALERTMANAGER):
        assert asked(stack, stack.state / "secrets" / "tls_ca", page) == 401, "the password is wanted as ever"
        assert httpx.get(address(stack, "http", page), trust_env=False, timeout=30).status_code == 400


def test_prometheus_scrapes_and_alertmanager_delivers_over_tls(stack: Tradebot) -> None:
    wanted = dict.fromkeys(("api:8010", "prometheus:9090", "alertmanager:9093"), "up")
    until(lambda: wanted.items() <= targets(stack).items(), "all that is behind TLS", 90, lambda: targets(stack))
    stack.ok("alerts", "test", timeout=300)


def test_the_dashboard_and_the_news_of_jobs_go_over_tls(stack: Tradebot) -> None:
    until(lambda: values(stack, 'up{job="prometheus"}') == [1], "an answer to a query", 60)
    assert stack.json("dash", "--once")["status"] != "unavailable"
    job = stack.json("jobs", "submit", "canary", "--notify", "end", "--wait")["id"]

    secrets = stack.state / "secrets"
    login = ("tradebot", (secrets / "alertmanager_password").read_text().strip())
    trusted = ssl.create_default_context(cafile=str(secrets / "tls_ca"))

    def told() -> bool:
        url = address(stack, page=("ALERTMANAGER_PORT", "/api/v2/alerts"))
        held = httpx.get(url, auth=login, verify=trusted, trust_env=False, timeout=30).json()
        return any(each["labels"].get("job_id") == job for each in held)

    until(told, "news of the job in Alertmanager", 60)


def test_prod_check_looks_through_tls(stack: Tradebot) -> None:
    done = stack.run("prod-check", "--only", "SEC-03,SEC-08,MON-02,MON-05", "--json", timeout=120)
    checks = {each["id"]: each["state"] for each in json.loads(done.stdout)["data"]["checks"]}
    assert checks == dict.fromkeys(("SEC-03", "SEC-08", "MON-02", "MON-05"), "pass"), done.stdout


def test_a_certificate_that_has_expired_is_named_by_whoever_meets_it(stack: Tradebot) -> None:
    secrets, past = stack.state / "secrets", datetime.now(UTC) - timedelta(days=60)
    above = issue.Pair((secrets / "tls_ca").read_text(), Secret((secrets / "tls_ca_key").read_text()))
    old = issue.server(above, ("localhost", "127.0.0.1"), past, 30)
    (secrets / "tls_certificate").write_text(old.certificate)
    (secrets / "tls_key").write_text(old.key.reveal())
    refused = stack.run("up")
    assert refused.returncode == 8
    assert "The certificate has expired: it ended on" in refused.stderr
    shown = stack.run("tls", "show")
    assert (shown.returncode, "has expired" in shown.stdout + shown.stderr) == (1, True)

    stack.run("--timeout", "3", "restart", "api")
    why = "its certificate is not trusted: certificate has expired"
    until(lambda: stack.status()["api-1"]["detail"] == why, "an API that is not trusted", 60, stack.status)
    assert stack.states()["api-1"] == "unhealthy"
    jobs = stack.run("jobs", "list")
    assert (jobs.returncode, "certificate has expired" in jobs.stderr) == (5, True)

    shown = stack.run("query", "up")
    assert (shown.returncode, "certificate has expired" in shown.stderr) == (5, True), "it reads it at each connection"

    stack.ok("tls", "create")
    stack.ok("query", "up")
    stack.ok("restart", "api")
    assert stack.json("jobs", "list")


def test_without_the_setting_the_monitoring_answers_in_the_clear_again(stack: Tradebot) -> None:
    stack.environ["MONITORING_SCHEME"] = "http"
    stack.ok("up", timeout=300)
    for page in (PROMETHEUS, ALERTMANAGER):
        assert httpx.get(address(stack, "http", page), trust_env=False, timeout=30).status_code == 401
    stack.ok("query", "up")
    wanted = dict.fromkeys(("api:8010", "prometheus:9090", "alertmanager:9093"), "up")
    until(lambda: wanted.items() <= targets(stack).items(), "every target", 90, lambda: targets(stack))
