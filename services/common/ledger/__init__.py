"""The ledger: the one truth about jobs, in Postgres. Redis only carries ids."""

from services.common.ledger.model import (
    KILL_LIMIT,
    Abandoned,
    Claim,
    DeadGroup,
    Due,
    Event,
    Failure,
    Fault,
    IdempotencyConflict,
    Job,
    Renewal,
    State,
    Submission,
    UnstorableValue,
)
from services.common.ledger.store import Ledger

__all__ = [
    "KILL_LIMIT",
    "Abandoned",
    "Claim",
    "DeadGroup",
    "Due",
    "Event",
    "Failure",
    "Fault",
    "IdempotencyConflict",
    "Job",
    "Ledger",
    "Renewal",
    "State",
    "Submission",
    "UnstorableValue",
]
