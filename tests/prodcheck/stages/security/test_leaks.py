"""Secrets that show, at every level."""

from tradebot_ops.facts.access.leaks import Leak, Searched
from tradebot_ops.facts.fact import Skip
from tradebot_ops.model import Level
from tradebot_ops.prodcheck.stages.security.leaks import kept

PLACES = {"api-1 log": 20, "api-1 /metrics": 300}


def test_nowhere_is_a_pass_that_says_where_was_looked() -> None:
    verdict = kept(Searched((), PLACES, ("api_key",), ("pin",)))
    assert verdict.level is Level.PASS
    assert verdict.observed == "1 secret searched for in 2 places"
    assert "too short to be searched for: pin" in verdict.evidence


def test_a_leak_names_secret_and_place() -> None:
    verdict = kept(Searched((Leak("api_key", "api-1 log", "base64", 3),), PLACES, ("api_key",)))
    assert verdict.level is Level.FAIL
    assert verdict.observed == "api_key in api-1 log (base64, 3 times)"


def test_a_page_that_gave_no_answer_is_no_pass_and_hides_no_leak() -> None:
    verdict = kept(Searched((), PLACES, ("api_key",), unread=("worker-1 /metrics",)))
    assert (verdict.level, "worker-1 /metrics" in verdict.message) == (Level.ERROR, True)
    leak = Leak("api_key", "api-1 log", "plain", 1)
    assert kept(Searched((leak,), PLACES, ("api_key",), unread=("worker-1 /metrics",))).level is Level.FAIL


def test_where_nothing_runs_there_is_nothing_to_judge() -> None:
    assert kept(Searched((), {"tradebot config show": 9}, ("api_key",))).skip is Skip.PREREQUISITE
