"""Job types: what can be submitted, and which plug-ins could not be loaded."""

from fastapi import APIRouter

from services.api.schemas import JobTypeList, JobTypeOut, QuarantinedOut
from services.api.security import Provided

router = APIRouter(tags=["jobs"])


@router.get("/job-types")
def list_job_types(dependencies: Provided) -> JobTypeList:
    """Every type with the JSON schema of its payload."""
    types = [
        JobTypeOut(
            name=job_type.name,
            version=job_type.version,
            payload_schema=job_type.schema(),
            timeout_s=job_type.timeout_s,
            max_attempts=job_type.max_attempts,
        )
        for _, job_type in sorted(dependencies.job_types.types.items())
    ]
    broken = [QuarantinedOut(name=entry.name, error=entry.error) for entry in dependencies.job_types.quarantined]
    return JobTypeList(job_types=types, quarantined=broken)
