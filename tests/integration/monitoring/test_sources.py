"""The clients, against the real programs: right answers, and every way to get none."""

import math
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from tests.integration.monitoring.rig import LOGIN, Rig
from tests.waiting import free_port, until
from tradebot_ops.clients.alertmanager import Alertmanager, Matcher
from tradebot_ops.clients.prometheus import Prometheus
from tradebot_ops.clients.rest import Login
from tradebot_ops.errors import OpsError
from tradebot_ops.settings import Secret

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("monitoring-sources")]


def seen(rig: Rig) -> Prometheus:
    prometheus = rig.prometheus
    until(lambda: prometheus.query("count(up) == 8 and count(redis_up) == 1"), "all targets were scraped")
    return prometheus


def test_instant_query(rig: Rig) -> None:
    (series,) = seen(rig).query('queue_length{job="api",queue="default"}')
    assert series.labels["queue"] == "default"
    assert series.value == 0.0
    assert abs(series.points[0][0] - datetime.now(UTC).timestamp()) < 30


def test_scalar_nan_and_empty_answers(rig: Rig) -> None:
    prometheus = seen(rig)
    (scalar,) = prometheus.query("1 + 1")
    assert (scalar.labels, scalar.value) == ({}, 2.0)
    (nan,) = prometheus.query("vector(0) / vector(0)")
    assert math.isnan(nan.value)
    assert prometheus.query("vector(1) / vector(0)")[0].value == math.inf
    assert prometheus.query("nothing_has_this_name") == []


def test_range_query(rig: Rig) -> None:
    prometheus, end = seen(rig), datetime.now(UTC)
    (series,) = prometheus.query_range("vector(3)", end - timedelta(seconds=10), end, 5)
    assert [value for _, value in series.points] == [3.0, 3.0, 3.0]
    assert series.points[1][0] - series.points[0][0] == 5


def test_query_in_the_past(rig: Rig) -> None:
    assert seen(rig).query("up", at=datetime.now(UTC) - timedelta(days=1)) == []


@pytest.mark.parametrize(
    ("expression", "words", "line", "mark"),
    [
        ("up == == up", "unexpected <op:==>", "up == == up", 6),
        ("rate(up)", "expected type range vector", "rate(up)", 5),
        ("up\n  + sum(rate(up))", "expected type range vector", "  + sum(rate(up))", 13),
    ],
)
def test_unreadable_query_keeps_prometheus_words_and_marks_the_place(
    rig: Rig, expression: str, words: str, line: str, mark: int
) -> None:
    with pytest.raises(OpsError, match=words) as caught:
        rig.prometheus.query(expression)
    assert caught.value.code == "TB-0103"
    assert caught.value.detail == (line, " " * mark + "^")


def test_query_that_is_long(rig: Rig) -> None:
    """The library asks by GET: what no proxy would carry, Prometheus itself takes."""
    expression = f'vector(1) or up{{instance=~"{"|".join(f"host-{number}" for number in range(20_000))}"}}'
    assert len(expression) > 200_000
    assert rig.prometheus.query(expression)[0].value == 1.0


def test_empty_query_has_no_place_to_mark(rig: Rig) -> None:
    with pytest.raises(OpsError, match="cannot read the query: no expression found") as caught:
        rig.prometheus.query("")
    assert caught.value.detail == ()


def test_query_that_cannot_be_evaluated(rig: Rig) -> None:
    prometheus = seen(rig)
    with pytest.raises(OpsError, match="cannot evaluate") as caught:
        prometheus.query("up / on (job) up")
    assert caught.value.code == "TB-0120"


def test_rules_alerts_and_status(rig: Rig) -> None:
    prometheus = seen(rig)
    until(prometheus.alerts, "rules were evaluated")
    rules = {rule.name: rule for rule in prometheus.rules()}
    assert rules["RedisDown"].for_seconds == 30.0
    assert rules["RedisDown"].labels["severity"] == "critical"
    assert rules["slo:api_requests:rate1m"].kind == "recording"
    (watchdog,) = [alert for alert in prometheus.alerts() if alert.name == "Watchdog"]
    assert (watchdog.state, watchdog.value) == ("firing", 1.0)
    status = prometheus.status()
    assert status.config_loaded
    assert status.version.startswith(("2.", "3."))
    assert len(status.alertmanagers) == 1
    assert status.series > 50


def test_series_that_a_job_has_now_with_their_labels(rig: Rig) -> None:
    found = seen(rig).emitted("api", {"up", "queue_length", "nothing_has_this_name"})
    assert found == {"up": {"job", "instance"}, "queue_length": {"job", "instance", "queue"}}


def test_series_of_a_target_that_went_away_are_not_there(own_rig: Rig) -> None:
    """They are stored for weeks; what counts is now."""
    prometheus = own_rig.prometheus
    until(lambda: prometheus.emitted("redis", {"redis_up"}), "Redis was scraped")
    own_rig.stand_ins["redis-exporter:9121"].close()
    until(lambda: not prometheus.emitted("redis", {"redis_up"}), "its series ended")
    assert prometheus.query("last_over_time(redis_up[5m])"), "they are stored"


def test_target_that_is_down_says_why(own_rig: Rig) -> None:
    own_rig.stand_ins["worker-2"].close()
    until(
        lambda: [t for t in own_rig.prometheus.targets() if t.instance == "worker-2" and t.health == "down"],
        "worker-2 is seen down",
    )
    (target,) = [t for t in own_rig.prometheus.targets() if t.instance == "worker-2"]
    assert "refused" in target.last_error
    assert target.last_scrape is not None


def test_silence_and_its_end(rig: Rig) -> None:
    alertmanager = rig.alertmanager
    end = datetime.now(UTC) + timedelta(minutes=5)
    matcher = Matcher("alertname", "High.*", regex=True)
    made = alertmanager.silence([matcher], end, author="a test", comment="to see it work")
    (silence,) = [found for found in alertmanager.silences() if found.id == made]
    assert (silence.state, silence.matchers, silence.comment) == ("active", (matcher,), "to see it work")
    assert str(matcher) == 'alertname=~"High.*"'
    alertmanager.unsilence(made)
    (silence,) = [found for found in alertmanager.silences() if found.id == made]
    assert silence.state == "expired"
    with pytest.raises(OpsError, match="There is no silence") as caught:
        alertmanager.unsilence("00000000-0000-0000-0000-000000000000")
    assert caught.value.code == "TB-0121"


@pytest.mark.parametrize(
    ("matchers", "minutes", "comment", "words"),
    [
        ([], 5, "why", "at least one matcher"),
        ([Matcher("alertname", "A")], 5, "  ", "a comment"),
        ([Matcher("alertname", "A")], -1, "why", "an end"),
    ],
)
def test_silence_without_reason_or_end_is_refused(
    rig: Rig, matchers: list[Matcher], minutes: int, comment: str, words: str
) -> None:
    with pytest.raises(OpsError, match=words) as caught:
        rig.alertmanager.silence(matchers, datetime.now(UTC) + timedelta(minutes=minutes), "a test", comment)
    assert caught.value.code == "TB-0210"


def test_status_and_receivers_of_alertmanager(rig: Rig) -> None:
    assert {"store", "critical", "warning", "info"} <= set(rig.alertmanager.receivers())
    status = rig.alertmanager.status()
    assert status.version.startswith("0.")
    assert "inhibit_rules" in status.config
    assert status.config_loaded
    assert abs(status.config_loaded_at - status.started) < timedelta(seconds=30)


def test_deliveries_are_counted_by_kind_of_channel(own_rig: Rig) -> None:
    until(lambda: own_rig.api.alerts("Watchdog"), "Watchdog arrived")
    until(lambda: own_rig.alertmanager.deliveries()["webhook"].sent, "it is counted")
    found = own_rig.alertmanager.deliveries()
    assert found["webhook"].started >= found["webhook"].sent >= 1
    assert sum(found["webhook"].failed.values()) == 0
    assert (found["slack"].started, found["slack"].sent) == (0, 0)


def test_wrong_password(rig: Rig) -> None:
    wrong = Login("tradebot", Secret("wrong"))
    with pytest.raises(OpsError, match="refused") as caught:
        Prometheus(f"http://{rig.addresses['prometheus:9090']}", wrong).targets()
    assert caught.value.code == "TB-0511"
    with pytest.raises(OpsError, match="refused") as caught:
        Prometheus(f"http://{rig.addresses['prometheus:9090']}", wrong).query("up")
    assert caught.value.code == "TB-0511"
    with pytest.raises(OpsError, match="refused") as caught:
        Alertmanager(f"http://{rig.addresses['alertmanager:9093']}", wrong).alerts()
    assert caught.value.code == "TB-0521"


def test_nobody_there() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(OpsError, match="cannot be reached") as caught:
        Prometheus(url, LOGIN).alerts()
    assert caught.value.code == "TB-0510"
    with pytest.raises(OpsError, match="cannot be reached") as caught:
        Alertmanager(url).silences()
    assert caught.value.code == "TB-0520"


def test_something_else_on_the_port(rig: Rig) -> None:
    with pytest.raises(OpsError, match="no JSON") as caught:
        Prometheus(f"http://{rig.api.address}").targets()
    assert caught.value.code == "TB-0512"


@pytest.mark.parametrize(("name", "code"), [("prometheus", "TB-0510"), ("alertmanager", "TB-0520")])
def test_hung_program_is_given_up_in_time(own_rig: Rig, name: str, code: str) -> None:
    own_rig.signal(name, signal.SIGSTOP)
    prometheus = Prometheus(f"http://{own_rig.addresses['prometheus:9090']}", LOGIN, timeout=1)
    alertmanager = Alertmanager(f"http://{own_rig.addresses['alertmanager:9093']}", LOGIN, timeout=1)
    questions: dict[str, list[Callable[[], object]]] = {
        "prometheus": [prometheus.targets, lambda: prometheus.query("up")],
        "alertmanager": [alertmanager.alerts],
    }
    for ask in questions[name]:
        started = time.monotonic()
        with pytest.raises(OpsError, match="did not answer within 1 s") as caught:
            ask()
        assert caught.value.code == code
        assert time.monotonic() - started < 3
