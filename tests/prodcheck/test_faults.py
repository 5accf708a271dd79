"""The lists of the sabotage suite are sound: what they name exists. No stack."""

from collections import Counter

import pytest

from tests.drill.sabotage.every import ANYWHERE, CONTAINERS, every
from tests.drill.sabotage.fault import Fault
from tests.drill.test_sabotage import SAMPLE
from tradebot_ops.prodcheck.catalogue import catalogue
from tradebot_ops.prodcheck.runner import State

#: Stages that do not exist yet: what a fault expects of them is judged once they have.
UNBUILT = frozenset({"CFG", "API", "WRK", "SEC"}) - {stage.prefix for stage in catalogue()}
KNOWN = {check.id for stage in catalogue() for check in stage.checks}
FAULTS = [fault for kind in (ANYWHERE, CONTAINERS) for faults in every(kind).values() for fault in faults]


def test_the_lists_are_found() -> None:
    assert {"stores", "operations", "monitoring", "alerting", "security"} <= every().keys()
    assert "security" in every(CONTAINERS)
    assert "fault" not in every()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_names_checks_that_exist(fault: Fault) -> None:
    assert fault.check in KNOWN
    assert {id_ for id_ in fault.also if id_.partition("-")[0] not in UNBUILT} - KNOWN == set()
    assert fault.check not in fault.also
    assert State(fault.state) in {State.WARN, State.FAIL, State.ERROR}


def test_no_two_faults_have_one_name() -> None:
    assert [name for name, count in Counter(fault.name for fault in FAULTS).items() if count > 1] == []


def test_the_sample_is_of_the_list_and_of_several_stages() -> None:
    chosen = [fault for fault in FAULTS if fault.name in SAMPLE]
    assert len(chosen) == len(SAMPLE)
    assert len({fault.check.partition("-")[0] for fault in chosen}) >= 3
