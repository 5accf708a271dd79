"""Where the next page of jobs begins, as text that callers hand back."""

import base64
import binascii
from datetime import datetime
from uuid import UUID

from services.common.ledger.model import Job


def cursor_of(job: Job) -> str:
    return base64.urlsafe_b64encode(f"{job.submitted_at.isoformat()}|{job.id}".encode()).decode()


def position(cursor: str) -> tuple[datetime, UUID]:
    """Time of submission and id of the last job seen; ``ValueError`` for a cursor that is not ours."""
    try:
        at, job_id = base64.urlsafe_b64decode(cursor.encode()).decode().split("|")
        seen = datetime.fromisoformat(at), UUID(job_id)
    except (ValueError, binascii.Error) as error:
        raise ValueError(f"not a cursor of this list: {cursor!r}") from error
    if seen[0].tzinfo is None:
        raise ValueError(f"not a cursor of this list: {cursor!r}")
    return seen
