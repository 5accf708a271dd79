"""A stack whose API answers over TLS alone: commands, Prometheus and Alertmanager trust its authority."""

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from tests.integration.local.conftest import ports
from tests.integration.local.test_monitoring import monitored, require_monitoring, targets
from tests.integration.tradebot import Tradebot
from tests.waiting import until
from tradebot_ops.operations.tls import issue
from tradebot_ops.settings import Secret

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("local-tls"), pytest.mark.timeout(420)]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tradebot]:
    project = monitored(tmp_path_factory.mktemp("tls") / "home", WORKER_REPLICAS="1", API_SCHEME="https")
    try:
        project.ok("tls", "create", "trading.example.com")
        project.ok("up", timeout=300)
        require_monitoring(project)
        yield project
    finally:
        project.clean()


def address(stack: Tradebot, scheme: str = "https") -> str:
    return f"{scheme}://127.0.0.1:{stack.environ['API_PORT']}/health"


def asked(stack: Tradebot, ca: Path | None) -> int:
    """The status that a client gets which trusts this authority; None: those that this host trusts."""
    trusted = ssl.create_default_context(cafile=None if ca is None else str(ca))
    return httpx.get(address(stack), verify=trusted, trust_env=False, timeout=30).status_code


def test_without_a_certificate_nothing_is_started(tmp_path: Path) -> None:
    project = Tradebot(tmp_path / "home", environ=ports() | {"API_SCHEME": "https"})
    done = project.run("up", "--profile", "core")
    assert done.returncode == 8
    assert "API_SCHEME is https, and there is no certificate yet." in done.stderr
    assert "tls create" in done.stderr
    assert project.processes() == []


def test_jobs_run_and_every_command_finds_its_way(stack: Tradebot) -> None:
    assert stack.json("jobs", "submit", "canary", "--wait")["state"] == "succeeded"
    assert stack.states()["api-1"] == "ready"
    api = next(each["url"] for each in stack.json("urls") if each["name"] == "API")
    assert api == address(stack).removesuffix("/health")
    assert stack.json("tls", "show")["certificate"]["days_left"] >= 395
    assert "trading.example.com" in stack.ok("tls", "show")


def test_who_speaks_no_tls_or_trusts_another_authority_gets_nothing(stack: Tradebot, tmp_path: Path) -> None:
    assert asked(stack, stack.state / "secrets" / "tls_ca") == 200
    with pytest.raises(httpx.HTTPError):
        httpx.get(address(stack, "http"), trust_env=False, timeout=30)
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        asked(stack, None)
    other = tmp_path / "ca.pem"
    other.write_text(issue.authority("other", datetime.now(UTC)).certificate)
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        asked(stack, other)


def test_prometheus_scrapes_and_alertmanager_delivers_over_tls(stack: Tradebot) -> None:
    until(lambda: targets(stack).get("api:8010") == "up", "the API as a target", 90, lambda: targets(stack))
    stack.ok("alerts", "test", timeout=300)


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

    stack.ok("tls", "create")
    stack.ok("restart", "api")
    assert stack.json("jobs", "list")
