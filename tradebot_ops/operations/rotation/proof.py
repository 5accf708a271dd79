"""Prove of a rotation that the new value is taken and the old one refused, by logging in with each."""

import time
from collections.abc import Callable

from tradebot_ops.context import Ops
from tradebot_ops.errors import LoginRefused, OpsError, Refused
from tradebot_ops.operations.rotation.pending import Pending

#: The API takes the value before for ten seconds more; so long it is asked until it does not.
OLD_GOES_WITHIN_S = 20.0
NEW_COMES_WITHIN_S = 5.0
PAUSE_S = 0.5


def prove_taken(pending: Pending, service: str, use: Callable[[], object]) -> None:
    """Raises ``OpsError`` TB-0136 where the running service does not take the new value within some seconds."""
    if not _comes_true(lambda: is_taken(use), NEW_COMES_WITHIN_S):
        raise OpsError(
            f"The service {service} goes on with the old {pending.name}: it was started by an older release.",
            code="TB-0136",
            hint=f"tradebot restart {service}; then again: tradebot secrets rotate {pending.name}",
        )


def prove_refused(pending: Pending, use: Callable[[], object]) -> None:
    """Raises ``OpsError`` TB-0136 where the old value is taken still."""
    if pending.old != pending.new and not _comes_true(lambda: not is_taken(use), OLD_GOES_WITHIN_S):
        raise OpsError(
            f"The new {pending.name} is in force, and the old one is still accepted.",
            code="TB-0136",
            hint=f"Again: tradebot secrets rotate {pending.name}",
        )


def is_taken(use: Callable[[], object]) -> bool:
    try:
        use()
    except (Refused, LoginRefused):
        return False
    return True


def runs(ops: Ops, service: str) -> bool:
    return any(found.service == service and found.state.alive for found in ops.engine.list())


def _comes_true(holds: Callable[[], bool], within_s: float) -> bool:
    ends = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > ends:
            return False
        time.sleep(PAUSE_S)
    return True
