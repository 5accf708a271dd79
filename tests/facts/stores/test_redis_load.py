"""Commands between two looks at Redis' statistics."""

from tradebot_ops.facts.stores.redis_load import Command, between


def test_what_took_most_time_is_first_and_what_rested_is_left_out() -> None:
    before = {"cmdstat_get": {"calls": 10, "usec": 100}, "cmdstat_set": {"calls": 5, "usec": 50}}
    after = {
        "cmdstat_get": {"calls": 30, "usec": 200_100},
        "cmdstat_set": {"calls": 5, "usec": 50},
        "cmdstat_config|get": {"calls": 1, "usec": 400_000},
    }
    assert between(before, after, 2.0) == (Command("CONFIG GET", 0.5, 0.2), Command("GET", 10.0, 0.1))


def test_statistics_that_were_reset_meanwhile_are_no_load() -> None:
    assert between({"cmdstat_get": {"calls": 9, "usec": 9}}, {"cmdstat_get": {"calls": 1, "usec": 1}}, 1.0) == ()
