"""What is said of secrets in the wrong place, and of what two projects share."""

import pytest

from tradebot_ops.facts.access.literals import Literals
from tradebot_ops.facts.project.neighbours import Neighbours
from tradebot_ops.model import Level
from tradebot_ops.prodcheck.stages.configuration import secrecy

PASS, WARN, FAIL = Level.PASS, Level.WARN, Level.FAIL


@pytest.mark.parametrize(
    ("found", "level"),
    [
        (Literals((), (), {"replicas": 3}), PASS),
        (Literals(("api-1: API_KEY",), (), {"replicas": 3}), WARN),
        (Literals((), ("api_key in config/x",), {"replicas": 3}), FAIL),
        (Literals(("api-1: API_KEY",), ("api_key in the history of app",), {"replicas": 3}), FAIL),
    ],
)
def test_in_files(found: Literals, level: Level) -> None:
    assert secrecy.in_files(found).level is level


def test_what_was_not_searched_is_said() -> None:
    assert "no history" in secrecy.in_files(Literals((), (), {"files": 3}, "There is no history.")).evidence


@pytest.mark.parametrize(
    ("found", "level"),
    [
        (Neighbours((), ("other",)), PASS),
        (Neighbours((), (), outside=("DATABASE_URL at db.example",)), WARN),
        (Neighbours(("secret exchange_key with other",), ("other",)), FAIL),
    ],
)
def test_alone(found: Neighbours, level: Level) -> None:
    verdict = secrecy.alone(found)
    assert verdict.level is level
    assert "compared with" in verdict.evidence
