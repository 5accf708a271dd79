"""Would people be told? Channels tried through a real Alertmanager, one that works and ones that do not."""

import json
import os
from collections.abc import Iterator

import pytest

from tests.integration.local.test_monitoring import monitored
from tests.integration.monitoring.rig import StandIn
from tests.integration.tradebot import Tradebot
from tests.waiting import free_port, until

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("local-channels"), pytest.mark.timeout(420)]


@pytest.fixture(scope="module")
def people() -> Iterator[StandIn]:
    """Somebody's webhook."""
    stand_in = StandIn()
    yield stand_in
    stand_in.close()


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, people: StandIn) -> Iterator[Tradebot]:
    project = monitored(tmp_path_factory.mktemp("channels") / "home", WORKER_REPLICAS="1", ALERT_WEBHOOK="on")
    secret(project, "alert_webhook_url", f"http://{people.address}/hook")
    try:
        project.ok("up", "--no-canary", timeout=300)
        if project.states()["alertmanager-1"] == "unavailable" and not os.environ.get("CI"):
            pytest.skip(project.status()["alertmanager-1"]["detail"])
        yield project
    finally:
        project.clean()


def secret(project: Tradebot, name: str, text: str) -> None:
    folder = project.state / "secrets"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / name
    path.write_text(text)
    path.chmod(0o600)


def configure(project: Tradebot, *, webhook: str, slack: bool = False) -> None:
    """Puts these channels into force; Slack's address refuses connections."""
    project.environ["ALERT_SLACK_CHANNEL"] = "#alerts" if slack else ""
    secret(project, "alert_webhook_url", f"http://{webhook}/hook")
    secret(project, "slack_webhook_url", f"https://127.0.0.1:{free_port()}/services/x")
    project.ok("up", "--no-canary", timeout=300)


def test_a_channel_that_works_took_the_alert(stack: Tradebot, people: StandIn) -> None:
    configure(stack, webhook=people.address)
    found = stack.json("alerts", "test", "--receiver", "critical")
    assert found["channels"] == {"critical": ["webhook"]}
    assert [hop["name"] for hop in found["hops"]][-1] == "critical: webhook takes it"
    (alert,) = people.alerts("SyntheticAlert")
    assert alert["labels"]["receiver"] == "critical"


def test_a_receiver_without_channels_and_an_unknown_one(stack: Tradebot) -> None:
    assert stack.run("alerts", "test", "--receiver", "info").returncode == 8
    done = stack.run("alerts", "test", "--receiver", "nobody-knows")
    assert done.returncode == 2
    assert "critical" in done.stderr


def test_wrong_addresses_are_named_and_the_others_tried(stack: Tradebot, people: StandIn) -> None:
    """Slack's is wrong; the webhook works."""
    configure(stack, webhook=people.address, slack=True)
    done = stack.run("alerts", "test", "--all", "--json")
    assert done.returncode == 5
    document = json.loads(done.stdout)
    assert [error["code"] for error in document["errors"]] == ["TB-0552"] * 3
    for receiver, error in zip(("critical", "warning", "jobs"), document["errors"], strict=True):
        assert f"{receiver}: slack" in error["message"]
    names = [hop["name"] for hop in document["data"]["hops"]]
    assert {"critical: webhook takes it", "warning: webhook takes it"} <= set(names)


def test_whoever_wished_for_it_gets_news_of_a_job_once(stack: Tradebot, people: StandIn) -> None:
    configure(stack, webhook=people.address)
    done = stack.run("jobs", "submit", "canary", "nonce=x", "--notify", "end", "--json")
    document = json.loads(done.stdout)
    assert (done.returncode, document["warnings"]) == (0, [])
    job = document["data"]["id"]
    (news,) = until(lambda: people.alerts("JobEnded"), "the news", 60)
    assert (news["labels"]["job_id"], news["labels"]["outcome"], news["status"]) == (job, "succeeded", "firing")
    assert f"tradebot jobs show {job}" in news["annotations"]["description"]
    assert "JobEnded" not in stack.ok("alerts", "list")
    assert "JobEnded" not in stack.ok("alerts", "history")


def test_a_webhook_that_refuses_is_told_from_the_store(stack: Tradebot) -> None:
    """Both are webhooks to Alertmanager's counters."""
    configure(stack, webhook=f"127.0.0.1:{free_port()}")
    done = stack.run("alerts", "test", "--receiver", "warning", "--json")
    assert done.returncode == 5
    assert "warning: webhook" in json.loads(done.stdout)["errors"][0]["message"]
