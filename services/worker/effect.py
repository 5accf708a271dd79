"""An effect of a job that happens once: its writes and the note that they were done are one transaction."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from services.common.jobtypes import LeaseLost

DONE = "SELECT FROM job_effect WHERE job_id = %s AND key = %s"
# The lock makes a takeover wait for our commit; a takeover that was first leaves us no row.
FENCE = "SELECT FROM job WHERE id = %s AND lease_token = %s AND state = 'running' FOR NO KEY UPDATE"
NOTE = "INSERT INTO job_effect (job_id, key) VALUES (%s, %s)"


@contextmanager
def once(
    connection: psycopg.Connection[Any], job_id: str, lease_token: int, key: str
) -> Iterator[psycopg.Connection[Any] | None]:
    """A transaction for the writes of this effect; None where an earlier run of the job has done them.

    Raises ``LeaseLost``, and undoes the writes, when another worker has the job. That is looked at in the end, not in
    the beginning: the lock keeps the worker from renewing its lease, so it is held for the time of a commit.
    """
    if connection.execute(DONE, (job_id, key)).fetchone() is not None:
        yield None
        return
    with connection.transaction():
        yield connection
        if connection.execute(FENCE, (job_id, lease_token)).fetchone() is None:
            raise LeaseLost
        connection.execute(NOTE, (job_id, key))
