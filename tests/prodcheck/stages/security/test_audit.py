"""A log that was tampered with fails, and so does none; what nobody can prove is shown."""

import pytest

from tradebot_ops.audit.chain import Head
from tradebot_ops.audit.verify import Verdict
from tradebot_ops.model import Level
from tradebot_ops.prodcheck.stages.security.audit import audited

HEAD = Head(6, "0" * 64)


@pytest.mark.parametrize(
    ("log", "level", "message"),
    [
        (Verdict(HEAD, "2026", (), (), 6), Level.PASS, "The audit log is whole."),
        (Verdict(HEAD, "2026", (), ("Not provable after entry 4.",), 4), Level.PASS, "The audit log is whole."),
        (Verdict(HEAD, "2026", ("Entry 3 was edited.", "Cut."), ("Not.",), 0), Level.FAIL, "Entry 3 was edited."),
        (Verdict(Head(), "", (), ("No entry.",), 0), Level.FAIL, "No change is on record."),
    ],
)
def test_what_is_said_of_it(log: Verdict, level: Level, message: str) -> None:
    found = audited(log)
    assert (found.level, found.message) == (level, message)
    assert {*log.wrong, *log.unproven} <= set(found.evidence.split("; "))
