"""Which alerts a silence is meant for."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.operations.seen import Made, made, refusal, whole
from tests.paths import ROOT
from tradebot_ops.clients.alertmanager import Matcher, Silence
from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError
from tradebot_ops.operations.alerts import silences
from tradebot_ops.operations.alerts.silences import fits, matcher, silence, unsilence
from tradebot_ops.operations.change import actor
from tradebot_ops.settings import load_settings

NAMES = {"RedisDown", "HighCPUUsage"}


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("RedisDown", True),
        ("alertname=RedisDown", True),
        ("redisdown", False),
        ("Redis", False),
        ('alertname=~"Redis.*|Nothing"', True),
        ("alertname=~Redis", False),
        ("alertname=~(?i:redisdown)", True),
        ("alertname=~[[:digit:]]+", True),
        (r"alertname=~\pN+", True),
    ],
)
def test_fits(word: str, expected: bool) -> None:
    assert fits(matcher(word), NAMES) is expected


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("RedisDown", Matcher("alertname", "RedisDown")),
        ("instance=redis:9121", Matcher("instance", "redis:9121")),
        ('job="a b"', Matcher("job", "a b")),
        ('job="XaX"', Matcher("job", "XaX")),
        ("job=", Matcher("job", "")),
        ("severity!=critical", Matcher("severity", "critical", equal=False)),
        ('job=~"a|b"', Matcher("job", "a|b", regex=True)),
        ("job!~a.*", Matcher("job", "a.*", regex=True, equal=False)),
        ("a=b=~c", Matcher("a", "b=~c")),
        ("9=x", Matcher("alertname", "9=x")),
    ],
)
def test_what_a_matcher_means(word: str, expected: Matcher) -> None:
    assert matcher(word) == expected


NOW = datetime.now(UTC)
KEPT = Silence("abc-1", "active", (Matcher("alertname", "A"),), NOW, NOW, "maria", "why")


class Alertmanager:
    """Keeps what it is asked to do."""

    def __init__(self, *known: Silence) -> None:
        self.known, self.made, self.ended = known, [], []  # type: ignore[var-annotated]

    def silences(self) -> list[Silence]:
        return list(self.known)

    def silence(self, matchers: list[Matcher], ends: datetime, author: str, comment: str) -> str:
        self.made.append((matchers, ends, author, comment))
        return "made-1"

    def unsilence(self, silence_id: str) -> None:
        self.ended.append(silence_id)


class NoPrometheus:
    def rules(self) -> list[Any]:
        raise OpsError("Prometheus does not run.", code="TB-0510")


@pytest.fixture
def ops(tmp_path: Path) -> Ops:
    environ = {"TRADEBOT_STATE": str(tmp_path), "HOME": str(tmp_path)}
    made = Ops(load_settings({"project": "demo"}, environ, ROOT), StubEngine("demo"))
    vars(made)["prometheus"] = NoPrometheus()
    return made


@pytest.mark.parametrize(("lasting", "seconds"), [("90s", 90), ("2h", 7200), ("1d", 86400)])
def test_a_silence_lasts_as_long_as_was_asked_for(ops: Ops, lasting: str, seconds: float) -> None:
    vars(ops)["alertmanager"] = asked = Alertmanager()
    before = datetime.now(UTC)
    report = silence(ops, ["RedisDown", "job!=api"], lasting, "load test")
    ((matchers, ends, _, comment),) = asked.made
    assert [str(each) for each in matchers] == ['alertname="RedisDown"', 'job!="api"']
    assert comment == "load test"
    assert before <= ends - timedelta(seconds=seconds) <= datetime.now(UTC)
    assert isinstance(report.data, dict)
    assert report.data["id"] == "made-1"


def test_a_silence_without_an_end_is_not_asked_for(ops: Ops) -> None:
    vars(ops)["alertmanager"] = asked = Alertmanager()
    with pytest.raises(OpsError, match="needs an end"):
        silence(ops, ["RedisDown"], None, "why")
    assert asked.made == []


@pytest.mark.parametrize(
    ("typed", "ended"),
    [
        ("abc-1", "abc-1"),
        ("b", "bcd-3"),
        ("old", "old"),  # fits only one that is over
        ("", ""),
    ],
)
def test_the_beginning_of_an_id_is_enough_if_it_fits_one_that_is_not_over(ops: Ops, typed: str, ended: str) -> None:
    known = [KEPT, replace(KEPT, id="abc-2"), replace(KEPT, id="bcd-3"), replace(KEPT, id="old-4", state="expired")]
    vars(ops)["alertmanager"] = asked = Alertmanager(*known)
    unsilence(ops, typed)
    assert asked.ended == [ended]


def test_a_beginning_that_fits_two_ends_neither(ops: Ops) -> None:
    vars(ops)["alertmanager"] = asked = Alertmanager(KEPT, replace(KEPT, id="abc-2"))
    with pytest.raises(OpsError, match="abc-1, abc-2"):
        unsilence(ops, "abc")
    assert asked.ended == []


class Rules:
    """A Prometheus with an alert and a recording rule."""

    def rules(self) -> list[Any]:
        return [SimpleNamespace(name="RedisDown", kind="alerting"), SimpleNamespace(name="job:up", kind="recording")]


@pytest.mark.parametrize(
    ("words", "ids"),
    [
        (["RedisDown"], []),
        (["RedisDwon"], ["silence.unknown"]),
        (["job:up"], ["silence.unknown"]),  # a rule, but no alert
        (["alertname=~Redis.*"], []),
        (["alertname=~redis.*", "job=x"], ["silence.unknown"]),
        (["alertname!=Nothing"], []),
        (["job=Nothing"], []),
    ],
)
def test_a_silence_that_no_alert_fits_is_said_to_keep_nothing_quiet(ops: Ops, words: list[str], ids: list[str]) -> None:
    vars(ops).update(alertmanager=(asked := Alertmanager()), prometheus=Rules())
    report = silence(ops, words, "1h", "why")
    assert [finding.id for finding in report.findings] == ids
    assert len(asked.made) == 1


def test_a_silence_that_could_not_be_checked_says_so(ops: Ops) -> None:
    vars(ops)["alertmanager"] = Alertmanager()
    assert [finding.id for finding in silence(ops, ["RedisDown"], "1h", "why").findings] == ["silence.unchecked"]
    assert silence(ops, ["job=x"], "1h", "why").findings == ()


@pytest.mark.parametrize("comment", [None, "", "load test"])
def test_who_keeps_it_quiet_and_why_is_left_to_alertmanager_to_refuse(ops: Ops, comment: str | None) -> None:
    vars(ops)["alertmanager"] = asked = Alertmanager()
    silence(ops, ["job=x"], "1h", comment)
    ((_, _, author, given),) = asked.made
    assert (author, given) == (actor(ops), comment or "")


@pytest.mark.parametrize("act", ["silence", "unsilence"])
def test_an_up_that_takes_its_time_hinders_no_silence(ops: Ops, act: str) -> None:
    vars(ops)["alertmanager"] = asked = Alertmanager(KEPT)
    with ops.state.lock("up"):
        _ = silence(ops, ["job=x"], "1h", "why") if act == "silence" else unsilence(ops, KEPT.id)
    assert asked.made or asked.ended


def test_the_audit_log_has_its_words_and_hooks_are_heard_of(ops: Ops, monkeypatch: pytest.MonkeyPatch) -> None:
    vars(ops)["alertmanager"] = Alertmanager(KEPT)
    assert made(monkeypatch, lambda heard: silence(ops, ["RedisDown", "job=x"], "1h", "why", heard)) == [
        Made(("alerts silence", "RedisDown", "job=x"), leased=False)
    ]
    assert made(monkeypatch, lambda heard: unsilence(ops, "abc", heard)) == [
        Made(("alerts unsilence", "abc-1"), leased=False)
    ]


def test_screens(ops: Ops, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion) -> None:
    class Noon(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
            return datetime(2026, 11, 28, 12, tzinfo=tz)

    monkeypatch.setattr(silences, "datetime", Noon)
    vars(ops)["alertmanager"] = Alertmanager(KEPT, replace(KEPT, id="abc-2"))
    unchecked = silence(ops, ["RedisDown", "job=~a|b"], "90m", "load test")
    vars(ops)["prometheus"] = Rules()
    assert "\n".join(whole(each) for each in (unchecked, silence(ops, ["RedisDwon"], "2d", ""))) == snapshot
    assert whole(unsilence(ops, "abc-2")) == snapshot
    refused = []
    for act in (lambda: silence(ops, ["RedisDown"], None, "why"), lambda: unsilence(ops, "abc")):
        with pytest.raises(OpsError) as caught:
            act()
        refused.append(refusal(caught.value))
    assert refused == snapshot
