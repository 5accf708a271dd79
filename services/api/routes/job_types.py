"""Job types: what can be submitted, and which plug-ins could not be loaded."""

from fastapi import APIRouter

from services.api.schemas import JobTypeList
from services.api.security import Provided
from services.common.job_type_list import job_type_list

router = APIRouter(tags=["jobs"])


@router.get("/job-types")
def list_job_types(dependencies: Provided) -> JobTypeList:
    """Every type with the JSON schema of its payload."""
    return JobTypeList.model_validate(job_type_list(dependencies.job_types))
