"""The lists are the owner's, name checks that exist, and tell people commands that exist."""

import shlex

import pytest

from tests.cli.tree import leaves
from tradebot_ops.prodcheck.catalogue import Selection, catalogue
from tradebot_ops.routine.item import Item
from tradebot_ops.routine.lists import ROUTINES

ITEMS = [item for routine in ROUTINES.values() for item in routine.items]
COMMANDS = {tuple(path) for path, _ in leaves()}


def test_the_lists_are_those_of_the_brief() -> None:
    assert {name: (each.time, [item.title for item in each.items]) for name, each in ROUTINES.items()} == {
        "daily": ("5 minutes", ["Check Grafana dashboard", "Review critical alerts", "Verify backups completed"]),
        "weekly": (
            "30 minutes",
            [
                "Analyze performance trends",
                "Review DLQ and failed jobs",
                "Check disk space and logs",
                "Review alert effectiveness",
            ],
        ),
        "monthly": (
            "2 hours",
            [
                "Capacity planning review",
                "Update dependencies",
                "Test disaster recovery",
                "Team retrospective",
            ],
        ),
        "quarterly": (
            "1 day",
            ["Security audit", "Performance optimization", "Documentation updates", "Team training refresh"],
        ),
    }


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.title)
def test_an_item_has_somebody_who_does_it(item: Item) -> None:
    assert item.checks or item.looks or item.person
    if item.checks:
        assert Selection(only=item.checks).choose(catalogue())


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.title)
def test_what_is_typed_is_a_command(item: Item) -> None:
    for line in (*item.types, *(look.typed for look in item.looks)):
        words = shlex.split(line)
        assert words[0] == "tradebot"
        assert {tuple(words[1:2]), tuple(words[1:3])} & COMMANDS, line
