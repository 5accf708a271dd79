"""Rules that hold for every statement of the ledger, read off their text: Postgres itself is asked in
tests/integration/services/test_ledger.py."""

import importlib
import pkgutil
import re

import pytest
from syrupy.assertion import SnapshotAssertion

from services.common import ledger
from services.common.ledger import sql, sweep_sql
from services.common.ledger.model import State
from services.worker import effect

OURS = "id = %(id)s AND lease_token = %(token)s AND state = 'running'"


def flat(text: str) -> str:
    return " ".join(text.split())


def statements() -> dict[str, str]:
    """Every constant of the ledger that is SQL, by its name."""
    found = {}
    for module in pkgutil.walk_packages(ledger.__path__, f"{ledger.__name__}."):
        for name, text in vars(importlib.import_module(module.name)).items():
            if isinstance(text, str) and re.match(r"_?[A-Z]", name) and re.search(r"SELECT|UPDATE|DELETE|INSERT", text):
                found[f"{module.name.removeprefix(ledger.__name__)[1:]}.{name}"] = flat(text)
    found["sql.claim_where"] = flat(sql.claim_where("TRUE"))
    return found


@pytest.mark.parametrize("name", ["RENEW", "PROGRESS", "FINISH", "FAIL", "DEFER", "RELEASE", "CANCELLED"])
def test_a_worker_moves_only_the_job_that_it_has_and_only_while_that_runs(name: str) -> None:
    (condition,) = re.findall(r"UPDATE job SET .*? WHERE (.*?) RETURNING", flat(getattr(sql, name)))
    assert condition == OURS


def test_an_effect_happens_only_to_the_job_that_the_worker_has_while_that_runs() -> None:
    assert " WHERE id = %s AND lease_token = %s AND state = 'running' FOR " in effect.FENCE


@pytest.mark.parametrize(
    ("name", "states"),
    [
        ("sql.UNSENT", {"queued", "retrying", "running"}),
        ("rules.queues.HOLD", {"queued", "retrying"}),
        ("sql.REQUEST_CANCEL", {"queued", "retrying", "running"}),
    ],
)
def test_what_waits_or_runs_is_meant_and_nothing_that_is_over(name: str, states: set[str]) -> None:
    (meant,) = re.findall(r"WHERE id = %\(id\)s AND state IN \((.*?)\)", statements()[name])
    assert set(re.findall(r"'(\w+)'", meant)) == states
    assert not any(State(each).final for each in states)


def test_what_a_limit_cuts_off_is_in_an_order() -> None:
    """Else the same few could come first each time, and the others never."""
    without = {
        f"{name}: {before[-60:]}LIMIT"
        for name, text in statements().items()
        for before in re.findall(r"(.*?)\bLIMIT ", text)
        if not re.search(r"ORDER BY [^()]*(\([^()]*\)[^()]*)*$", before)
    }
    assert without == set()


def test_what_has_waited_longest_is_sent_first() -> None:
    assert re.findall(r"ORDER BY .*? LIMIT", flat(sweep_sql.OVERDUE)) == ["ORDER BY since LIMIT"] * 2


def test_the_statements_are_those_that_were_tried_on_postgres(snapshot: SnapshotAssertion) -> None:
    """Red where one was changed: no unit test asks Postgres what it means now. Run tests/integration/services and
    tests/integration/worker, then renew this with ``--snapshot-update``."""
    assert "\n".join(f"{name}: {text}" for name, text in sorted(statements().items())) == snapshot
