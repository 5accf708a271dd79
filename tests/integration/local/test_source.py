"""Edited code of the services: seen by `plan` and `drift`, put into force by `up`, on the local engine."""

from pathlib import Path

import pytest

from tests.integration.local.conftest import ports
from tests.integration.tradebot import Tradebot

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("local-source")]

OWN = ["migrate-1", "api-1", "worker-1", "worker-2"]


def todo(project: Tradebot) -> list[str]:
    return [f"{step['service']}-{step['number']}" for step in project.json("plan")["changes"]]


def test_up_restarts_what_runs_edited_code_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "stack"
    project = Tradebot(tmp_path / "home", cwd=tmp_path, environ=ports() | {"WORKER_REPLICAS": "2"})
    project.ok("init", str(folder))
    project.cwd = folder
    try:
        project.ok("up")
        assert todo(project) == []
        before = {name: row["pid"] for name, row in project.status().items()}

        with (folder / "services" / "api" / "__main__.py").open("a") as code:
            code.write("\n# edited\n")
        planned = project.json("plan")["changes"]
        assert [f"{step['service']}-{step['number']}" for step in planned] == OWN
        assert {(step["action"], step["reason"]) for step in planned} == {("recreate", "its code changed")}
        found = project.json("drift")["differences"]
        assert {(each["kind"], each["remedy"]) for each in found} == {("source", project.suggested("up"))}

        project.ok("up")
        after = {name: row["pid"] for name, row in project.status().items()}
        running = {name for name, pid in after.items() if pid is not None}
        assert {name for name in running if after[name] != before[name]} == {"api-1", "worker-1", "worker-2"}
        assert project.ended(project.submit("canary"))["state"] == "succeeded"
        assert todo(project) == []
    finally:
        project.clean()
