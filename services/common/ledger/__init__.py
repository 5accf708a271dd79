"""The ledger: the one truth about jobs, in Postgres. Redis only carries ids."""

from services.common.ledger.dead_letters import DeadLetters
from services.common.ledger.handover import Handover
from services.common.ledger.history import History
from services.common.ledger.model import (
    KILL_LIMIT,
    SPARE_S,
    Abandoned,
    Claim,
    DeadGroup,
    Due,
    Event,
    Failure,
    Fault,
    IdempotencyConflict,
    Job,
    Quarantine,
    Recovered,
    Renewal,
    State,
    Submission,
    TypeStats,
    UnstorableValue,
)
from services.common.ledger.notices import Ended, Notices
from services.common.ledger.rules.halt import Halt, Halts, StackHalted
from services.common.ledger.rules.queues import QueueClosed, Queues, QueueStatus, declared_limits
from services.common.ledger.schedules import Schedule, Schedules
from services.common.ledger.store import Ledger

__all__ = [
    "KILL_LIMIT",
    "SPARE_S",
    "Abandoned",
    "Claim",
    "DeadGroup",
    "DeadLetters",
    "Due",
    "Ended",
    "Event",
    "Failure",
    "Fault",
    "Halt",
    "Halts",
    "Handover",
    "History",
    "IdempotencyConflict",
    "Job",
    "Ledger",
    "Notices",
    "Quarantine",
    "QueueClosed",
    "QueueStatus",
    "Queues",
    "Recovered",
    "Renewal",
    "Schedule",
    "Schedules",
    "StackHalted",
    "State",
    "Submission",
    "TypeStats",
    "UnstorableValue",
    "declared_limits",
]
