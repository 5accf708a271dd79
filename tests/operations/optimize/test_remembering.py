"""What was set is remembered, one upon the other, and the `up` that brings it about proves nothing on top."""

from pathlib import Path
from typing import Any

import pytest

from tests.operations.test_change import world
from tradebot_ops.context import Ops
from tradebot_ops.model import Report, Section
from tradebot_ops.operations.optimize import apply
from tradebot_ops.operations.optimize.decide import Change
from tradebot_ops.progress import ignore_progress
from tradebot_ops.records import DesiredReplicas, Optimizations


def change(before: int, after: int) -> Change:
    return Change("POSTGRES_MAX_CONNECTIONS", before, after, "They were open.")


def test_each_is_remembered_until_there_are_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apply, "KEPT", 3)
    ops = world(tmp_path, POSTGRES_MAX_CONNECTIONS="100")
    ops.state.store(DesiredReplicas({"worker": 4, "other": 1}))
    for number in range(5):
        apply._remember(ops, [change(100, 200 + number)])
    kept = ops.state.load(Optimizations).optimizations
    assert [each.after for each in kept] == [{"POSTGRES_MAX_CONNECTIONS": str(number)} for number in (202, 203, 204)]
    assert [(each.before, each.desired) for each in kept] == [({"POSTGRES_MAX_CONNECTIONS": "100"}, 4)] * 3


def test_of_what_stands_at_its_default_nothing_was_there_before(tmp_path: Path) -> None:
    ops = world(tmp_path)
    apply._remember(ops, [change(100, 200)])
    (made,) = ops.state.load(Optimizations).optimizations
    assert (made.before, made.desired) == ({}, None)


def test_an_up_follows_with_the_values_as_they_stand_in_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[Any, ...]] = []

    def up(ops: Ops, services: list[str], heard: object, *, prove: bool) -> Report:
        asked.append((ops.settings.stack["POSTGRES_MAX_CONNECTIONS"].text, services, heard, prove))
        return Report(sections=(Section(lines=("It is up.",)),))

    monkeypatch.setattr(apply, "up", up)
    ops = world(tmp_path)
    assert apply._set(ops, {"POSTGRES_MAX_CONNECTIONS": "200"}, ignore_progress) == ("It is up.",)
    assert ops.settings.env_file.read_text() == "POSTGRES_MAX_CONNECTIONS=200\n"
    assert apply._set(ops, {"POSTGRES_MAX_CONNECTIONS": None}, ignore_progress) == ("It is up.",)
    default = world(tmp_path).settings.stack["POSTGRES_MAX_CONNECTIONS"].text
    assert asked == [("200", [], ignore_progress, False), (default, [], ignore_progress, False)]
