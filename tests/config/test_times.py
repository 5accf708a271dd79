"""Times that two parts of the stack must agree upon, and that no single module can judge."""

import inspect
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
import yaml

from services.api import live_secret
from services.api.__main__ import GRACE_S
from services.api.alerts import notifier
from services.api.dashboard.window import SCRAPE_INTERVAL_S
from services.api.dependencies import STATEMENT_TIMEOUT_S
from services.api.routes import job_history
from services.common import breaker, heartbeats, redis_client
from services.common.database import RECONNECT_S, Database
from services.common.jobtypes import BREAKER_POLICY
from services.common.settings import Settings
from services.common.transport import HEARTBEAT_TIMEOUT_MS
from services.jobs.exchange import patience
from services.worker import attempt, consumer, heartbeat, lane, main, process, supervise, sweeper
from services.worker.lease_renewer import TICK_S, LeaseRenewer
from tests.paths import ROOT
from tradebot_ops import units
from tradebot_ops.cli import interrupt
from tradebot_ops.clients import redis
from tradebot_ops.facts.alerting import alert_delivery
from tradebot_ops.facts.alerting.alert_store import WATCHDOG_LIMIT
from tradebot_ops.facts.work import queue, workers
from tradebot_ops.operations import hooks
from tradebot_ops.operations.alerts import delivery
from tradebot_ops.operations.converge import drain
from tradebot_ops.operations.jobs import workers as workers_of_the_cli
from tradebot_ops.operations.rotation import proof
from tradebot_ops.settings import MAX_DRAIN, STACK_SETTINGS
from tradebot_ops.stack.load import load
from tradebot_ops.stack.model import Stack
from tradebot_ops.stack.source import Source

SETTINGS = {each.name: each for each in STACK_SETTINGS}
DECLARED = Settings.model_fields


def read(name: str) -> Any:
    return yaml.safe_load((ROOT / "config" / name).read_text(encoding="utf-8"))


def seconds(text: str) -> float:
    return units.seconds(text, units.PROMETHEUS)


@pytest.fixture(scope="module")
def stack() -> Stack:
    return load(Source((ROOT / "compose.yaml",), ROOT, "a test"), {}, project="demo", profiles=["*"])


def route_of(alert: str) -> Mapping[str, str]:
    routes: list[dict[str, Any]] = read("alertmanager/alertmanager.yml")["route"]["routes"]
    [found] = (each for each in routes if each["matchers"] == [f'alertname="{alert}"'])
    return found


# Alerts


def test_a_test_of_the_alerts_waits_for_longer_than_alertmanager_gathers_them() -> None:
    route = route_of("SyntheticAlert")
    wait, interval = seconds(route["group_wait"]), seconds(route["group_interval"])
    assert 10 * wait <= alert_delivery.ARRIVES_SECONDS
    assert wait + 5 * interval <= alert_delivery.RESOLVES_SECONDS, "its end goes with the next round of the group"
    assert wait + 4 * interval <= delivery.CHANNEL_SECONDS


def test_a_test_that_was_interrupted_leaves_an_alert_that_ends_and_no_sooner_than_it_could_be_told() -> None:
    within = alert_delivery.ARRIVES_SECONDS + alert_delivery.RESOLVES_SECONDS
    assert timedelta(seconds=within) < alert_delivery.ENDS_BY_ITSELF <= timedelta(minutes=10)
    assert timedelta(seconds=delivery.CHANNEL_SECONDS) < alert_delivery.ENDS_BY_ITSELF


def test_the_dead_mans_switch_is_missed_only_after_several_beats() -> None:
    route = route_of("Watchdog")
    beat_s = seconds(route["group_interval"]) + seconds(route["repeat_interval"])
    assert 3 * beat_s <= WATCHDOG_LIMIT.total_seconds() <= 5 * beat_s


def test_news_of_a_job_lasts_until_alertmanager_has_gathered_it() -> None:
    route = route_of("JobEnded")
    assert seconds(route["group_wait"]) + seconds(route["group_interval"]) < notifier.LASTS.total_seconds()


def test_the_dashboard_asks_for_no_more_points_than_are_scraped() -> None:
    assert seconds(read("prometheus/prometheus.yml")["global"]["scrape_interval"]) == SCRAPE_INTERVAL_S


# The end of a service


def test_a_stopping_worker_can_hand_its_job_back_before_it_is_killed(stack: Stack) -> None:
    """After its grace the job's process is asked to end, then killed, and the ledger has to hear of it."""
    worker = stack.services["worker"]
    grace_s = float(worker.environment["WORKER_GRACE_SECONDS"])
    assert supervise.TERM_GRACE_S < main.HANDBACK_S
    assert worker.stop_grace >= grace_s + main.HANDBACK_S + attempt.CLOSING_PATIENCE_S


def test_so_can_one_that_was_granted_its_time() -> None:
    assert drain.HANDBACK_SECONDS >= main.HANDBACK_S + attempt.CLOSING_PATIENCE_S
    assert main.LOOK_S < main.HANDBACK_S / 2, "it would hear of its end too late"


def test_a_worker_whose_setting_is_not_known_is_said_to_have_the_usual_time() -> None:
    setting = SETTINGS["WORKER_GRACE_SECONDS"]
    assert (float(setting.default), DECLARED["worker_grace_seconds"].default) == (drain.USUAL_SECONDS,) * 2


def test_no_more_time_can_be_granted_than_can_be_set() -> None:
    check = SETTINGS["WORKER_GRACE_SECONDS"].check
    assert check(str(MAX_DRAIN)) == str(MAX_DRAIN)
    with pytest.raises(ValueError, match="whole number"):
        check(str(MAX_DRAIN + 1))


def test_what_was_granted_is_forgotten_before_it_could_be_meant_for_the_next_worker() -> None:
    """It is written right before the stop signal, which a worker hears at once."""
    assert main.LOOK_S < redis.DRAIN_KEPT_SECONDS <= 60
    assert heartbeats.DRAIN_PREFIX == redis.DRAIN_PREFIX
    assert heartbeats.DESIRED_KEY == redis.WORKERS_DESIRED


def test_the_api_ends_by_itself_before_it_is_killed(stack: Stack) -> None:
    assert stack.services["api"].stop_grace > GRACE_S


# Heartbeats and leases


def test_a_worker_is_silent_only_after_several_beats_and_everybody_means_the_same() -> None:
    assert heartbeat.BEAT_S == workers.INTERVAL_S
    assert main.HEARD_S == workers_of_the_cli.SILENT_S == job_history.SILENT_S == 5 * heartbeat.BEAT_S
    assert heartbeat.BEAT_S < workers.LATE_S <= main.HEARD_S
    assert main.HEARD_S < heartbeats.TTL_S, "a worker that is silent would be gone already"


def test_a_worker_that_hangs_is_silent_only_after_what_ends_by_itself() -> None:
    """A claim: Redis is asked, Postgres is connected to anew, and the statement runs into its time-out."""
    longest_s = redis_client.CONNECT_TIMEOUT_S + redis_client.ANSWER_TIMEOUT_S + RECONNECT_S
    assert heartbeat.STALL_S > 14
    assert longest_s < heartbeat.STALL_S
    assert attempt.MOST_RETRY_S < heartbeat.STALL_S / 2, "it waits for Postgres, and would be taken for one that hangs"


@pytest.mark.parametrize("lease_s", [DECLARED["worker_lease_seconds"].default, 2.0, 4.0, 60.0])
def test_a_lease_outlives_renewals_that_fail(lease_s: float) -> None:
    every_s = LeaseRenewer(Any, lease_s)._renew_s  # type: ignore[arg-type]
    assert 4 * every_s <= lease_s
    assert every_s <= 2, "nobody hears of a cancellation for so long"
    assert every_s >= TICK_S, "it is looked at less often than it is to be renewed"


def test_a_lease_ends_no_later_than_the_messages_of_a_consumer_that_is_gone_come_back() -> None:
    lease_s = DECLARED["worker_lease_seconds"].default
    assert lease_s * 1000 == HEARTBEAT_TIMEOUT_MS
    assert sweeper.SWEEP_S * 3 <= queue.RECOVERY_S, "prod-check would blame a job that is about to be taken"
    assert sweeper.SILENCE_S == 2 * sweeper.SWEEP_S, "one round that was late is no silence"
    assert 2 * LeaseRenewer(Any, lease_s)._renew_s < sweeper.RENEWAL_S  # type: ignore[arg-type]


def test_a_job_process_is_given_more_time_to_start_than_a_worker_takes_to_warm_up() -> None:
    assert main.WARM_UP_S * 10 <= process.START_S
    assert consumer.PATIENCE_S < attempt.RETRY_S


# Limits that are written twice

#: Settings of the services whose default compose.yaml does not name: what it says follows from other settings, or is a
#: path in a container.
OWN = {"database_url", "job_memory_limit", "dashboard_file", "api_published_on"}


@pytest.mark.parametrize("name", ["api", "worker", "migrate"])
def test_the_services_assume_what_the_stack_tells_them(stack: Stack, name: str) -> None:
    """Else a service that is started by hand, as in a test, is another one than that of the stack."""
    told = {key.lower(): value for key, value in stack.services[name].environment.items()}
    own = {key for key in DECLARED if key in OWN or key.endswith("_file")}
    usual = Settings.model_construct()
    for key in DECLARED.keys() & told.keys() - own:
        assert getattr(Settings(**{key: told[key]}), key) == getattr(usual, key), key  # type: ignore[arg-type]


def test_a_statement_is_given_up_by_postgres_before_whoever_asked_gives_up() -> None:
    made = inspect.signature(Database.__init__).parameters
    asked = inspect.signature(Settings.postgres_dsns).parameters
    usual_s = asked["statement_timeout_s"].default
    assert made["statement_timeout_s"].default == usual_s
    assert asked["lock_timeout_s"].default < usual_s, "that somebody holds a lock would look like a slow statement"
    longest_s = made["timeout_s"].default + usual_s
    assert longest_s < heartbeat.STALL_S, "a worker that waits for Postgres would be taken for one that hangs"
    assert usual_s > STATEMENT_TIMEOUT_S, "a caller of the API waits for an answer"
    assert inspect.signature(Database.ping).parameters["answer_s"].default <= STATEMENT_TIMEOUT_S / 2


def test_an_idle_worker_looks_for_jobs_often_and_for_short_ones_more_often() -> None:
    assert 1000 / lane.SHORT_IDLE_MS >= 20
    assert 1000 / lane.LONG_IDLE_MS >= 4
    assert lane.SHORT_IDLE_MS < lane.LONG_IDLE_MS


def test_a_call_of_an_exchange_has_ended_before_it_is_believed_lost() -> None:
    assert patience.DEADLINE_S < breaker.PROBE_S <= 2 * patience.DEADLINE_S
    assert BREAKER_POLICY.first_s / 4 > breaker.AWAY_S, "a Redis that is back is not asked for so long"


def test_a_password_that_was_changed_is_refused_before_whoever_changed_it_gives_up() -> None:
    assert live_secret.GRACE_S < proof.OLD_GOES_WITHIN_S - 5
    assert proof.NEW_COMES_WITHIN_S < proof.OLD_GOES_WITHIN_S


def test_a_hook_that_is_interrupted_has_ended_before_the_command_leaves() -> None:
    assert hooks.STOP_SECONDS + hooks.LAST_WORDS_SECONDS < interrupt.GRACE_SECONDS
