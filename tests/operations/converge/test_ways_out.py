"""What a log says of a damage, and the way out of it."""

import pytest

from tradebot_ops.operations.converge.ways_out import way_out


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("1:M 1 Jan * Bad file format reading the append only file appendonly.aof.1.incr.aof: make a backup", "--fix"),
        ("1:M 1 Jan # Wrong signature trying to load DB from file", "dump.rdb"),
        ("everything is fine", ""),
    ],
)
def test_a_damage_that_the_log_names_has_a_way_out(line: str, named: str) -> None:
    assert named in way_out(["before", line])
    assert bool(named) is bool(way_out([line]))
