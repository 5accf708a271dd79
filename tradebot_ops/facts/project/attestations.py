"""Attestations by people: of what, by whom and when."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from tradebot_ops.context import Ops
from tradebot_ops.facts.fact import fact
from tradebot_ops.records import Attestation, Attestations

#: What can be attested, and what it says.
KNOWN = {
    "team-trained": "the team knows the dashboards and what to do when an alert comes",
    "docs-reviewed": "a person followed the documentation from beginning to end, and it is right",
}
VALID_DAYS = 180


@fact()
def made(ops: Ops) -> Mapping[str, Attestation]:
    """The latest of each, by name."""
    return {each.name: each for each in ops.state.load(Attestations).attestations}


@fact()
def now(ops: Ops) -> datetime:
    """By the clock of this command."""
    return ops.clock()


def age(attestation: Attestation, at: datetime) -> timedelta:
    return at - attestation.moment
