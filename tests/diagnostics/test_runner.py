"""The runner: the verdict first, what nobody could see is said, and a new topic is one file."""

import threading
import time
from pathlib import Path

import pytest

from tradebot_ops.context import Ops
from tradebot_ops.diagnostics import runner, topics
from tradebot_ops.diagnostics.catalogue import catalogue, choose
from tradebot_ops.diagnostics.runner import NOTHING_WRONG, diagnose, examine, report
from tradebot_ops.diagnostics.topic import Look, Topic, View, wrong
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError
from tradebot_ops.facts.fact import Effect, Fact, NotApplicable, Skip
from tradebot_ops.model import Level
from tradebot_ops.settings import load_settings

SIXTEENTH = '''"""One more."""
from tradebot_ops.diagnostics.topic import Topic, View, look
from tradebot_ops.facts import moment

TOPIC = Topic("sixteenth", "One more")


@look(asks=(moment.now,))
def shown(now):
    return View(values=(("year", str(now.year)),))
'''


@pytest.fixture
def ops(tmp_path: Path) -> Ops:
    return Ops(load_settings({"project": "demo"}, {"TRADEBOT_STATE": str(tmp_path)}, tmp_path), StubEngine("demo"))


def topic(name: str, *looks: Look) -> Topic:
    return Topic(name, name.title(), looks=looks)


def fails(_: Ops) -> str:
    raise OpsError("Redis does not answer.", code="TB-0530", hint="tradebot up redis")


def nothing_there(_: Ops) -> str:
    raise NotApplicable(Skip.ADAPTER, "No exchange is connected.")


KNOWN = Fact("a.known", lambda ops: "x")
BROKEN: Fact[str] = Fact("a.broken", fails)
ABSENT: Fact[str] = Fact("a.absent", nothing_there)
WRITES: Fact[str] = Fact("a.writes", fails, effect=Effect.WRITES)
SOUND = Look("sound", (KNOWN,), lambda value: View(values=(("value", value),)))
BAD = Look("bad", (KNOWN,), lambda value: View(problems=(wrong("It is on fire.", "tradebot status"),)))
NEVER = "a look that lacks an answer is not taken"


def first_line(ops: Ops, *looks: Look) -> str:
    return report(examine(ops, [topic("some", *looks)])).sections[0].lines[0]


def test_only_what_was_seen_whole_is_healthy(ops: Ops) -> None:
    blind = Look("blind", (KNOWN, BROKEN), lambda *_: pytest.fail(NEVER))
    assert first_line(ops, SOUND) == NOTHING_WRONG
    assert first_line(ops, SOUND, Look("absent", (ABSENT,), lambda *_: pytest.fail(NEVER))) == NOTHING_WRONG
    assert first_line(ops, SOUND, blind) == "No problem was seen, but 1 question got no answer."
    assert first_line(ops, SOUND, blind, BAD) == "1 problem, worst first: It is on fire."


def test_the_rest_is_shown_where_a_part_is_missing(ops: Ops) -> None:
    blind = Look("blind", (BROKEN,), lambda *_: pytest.fail(NEVER))
    found = report(examine(ops, [topic("some", blind, SOUND)]))
    section = found.sections[1]
    assert section.lines == ("Not examined, because: Redis does not answer. -> tradebot up redis",)
    assert section.tables[0].rows == (("value", "x"),)
    assert found.ok


def test_what_is_wrong_ends_with_1_and_nothing_is_written(ops: Ops) -> None:
    found = report(examine(ops, [topic("some", BAD, Look("w", (WRITES,), lambda *_: pytest.fail(NEVER)))]))
    assert found.exit_code == 1
    assert [(each.level, each.id, each.hint) for each in found.findings] == [
        (Level.FAIL, "diag.some", "tradebot status")
    ]


def test_an_unknown_topic_is_named_with_the_nearest(ops: Ops) -> None:
    with pytest.raises(OpsError, match="no topic 'redsi'") as caught:
        diagnose(ops, "redsi")
    assert "Did you mean `redis`?" in caught.value.hint


def test_everything_down_is_never_healthy(ops: Ops) -> None:
    """Nothing runs: what runs is asked in vain, and no topic that needs it has a good word."""
    found = diagnose(ops, "full")
    assert found.sections[0].lines[0] != NOTHING_WRONG
    assert isinstance(found.data, dict)
    for name in ("redis", "postgres", "queue", "api"):
        told = found.data["topics"][name]
        assert told["not_examined"], name
        assert told["values"] == {}, name


def test_sources_that_never_answer_keep_nobody_waiting(ops: Ops, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long each of them may take elsewhere: one deadline for all, and what did answer is shown."""
    monkeypatch.setattr(runner, "WITHIN_S", 0.5)
    never = threading.Event()
    hung = [Fact(f"source.{number}", lambda ops: never.wait(60), seconds=60) for number in range(30)]
    looks = [Look(fact.name, (fact,), lambda *_: pytest.fail(NEVER)) for fact in hung]
    began = time.monotonic()
    found = report(examine(ops, [topic("hung", *looks), topic("some", SOUND)]))
    assert time.monotonic() - began < 10
    never.set()
    assert found.sections[0].lines[0] == "No problem was seen, but 30 questions got no answer."
    assert "Not examined, because: source.7 was not known within 0.5 s." in found.sections[1].lines
    assert found.sections[2].tables[0].rows == (("value", "x"),)


def test_a_new_topic_is_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ops: Ops) -> None:
    (tmp_path / "sixteenth.py").write_text(SIXTEENTH)
    monkeypatch.setattr(topics, "__path__", [*topics.__path__, str(tmp_path)])
    catalogue.cache_clear()
    try:
        assert [each.name for each in choose("sixteenth")] == ["sixteenth"]
        assert diagnose(ops, "sixteenth").sections[1].tables[0].rows[0][0] == "year"
        assert "sixteenth" in {each.name for each in choose("full")}
    finally:
        catalogue.cache_clear()
