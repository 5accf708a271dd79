"""The services' own code says which types of jobs there are, in a process of ours."""

import pytest

from services.api.schemas import JobTypeList
from services.common.job_type_list import job_type_list
from services.common.jobtypes import registry
from tradebot_ops.clients import job_types
from tradebot_ops.errors import OpsError


def test_it_is_what_the_api_answers() -> None:
    answered = JobTypeList.model_validate(job_type_list(registry()))
    assert job_types.here() == answered.model_dump(mode="json")


def test_code_that_cannot_run_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_types, "MODULE", "services.nothing")
    with pytest.raises(OpsError, match="No module named services.nothing") as caught:
        job_types.here()
    assert caught.value.code == "TB-0542"
