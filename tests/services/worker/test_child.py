"""A job that its worker cannot run says why."""

from typing import Any

import pytest

from services.common.jobtypes import JobFailure, JobType, Payload, Registry
from services.worker import child


class Nothing(Payload):
    pass


def order(version: int) -> dict[str, Any]:
    return {"type": "report", "version": version, "payload": {}, "part": None, "parts": None}


@pytest.fixture
def _report(monkeypatch: pytest.MonkeyPatch) -> None:
    """A job type in its third version, which does the jobs of its second, too."""
    report = JobType("report", 3, Nothing, lambda *_: {"done": True}, accepts=(2,))
    monkeypatch.setattr(child, "registry", lambda: Registry({"report": report}))


@pytest.mark.usefixtures("_report")
@pytest.mark.parametrize("version", [2, 3])
def test_a_job_of_a_version_that_is_accepted_runs(version: int) -> None:
    assert child._run(order(version), None)["result"] == {"done": True}  # type: ignore[arg-type]


@pytest.mark.usefixtures("_report")
@pytest.mark.parametrize("version", [1, 4])
def test_a_job_of_another_version_names_both(version: int) -> None:
    with pytest.raises(JobFailure, match=rf"is of version {version} of report, and this worker runs version 3\."):
        child._run(order(version), None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("result", "key"),
    [({"metrics": {"sharpe": float("nan")}}, "metrics.sharpe"), ({"equity": [1.0, float("inf")]}, r"equity\[1\]")],
)
def test_a_number_that_json_does_not_have_is_named_by_its_key(result: dict[str, Any], key: str) -> None:
    with pytest.raises(ValueError, match=f"result {key} is NaN or infinite"):
        child._json(result)
