"""Pipelines are YAML that says what to run; their steps are run in tests/integration/local/test_ci.py."""

from pathlib import Path

import pytest
import yaml

from tests.operations.seen import refusal
from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.operations.ci.pipeline import PLACES, template, text
from tradebot_ops.settings import load_settings
from tradebot_ops.version import version


def ops(tmp_path: Path, **flags: str) -> Ops:
    return Ops(load_settings(flags, {}, tmp_path))


@pytest.mark.parametrize("service", PLACES)
def test_a_pipeline_installs_this_version_and_has_no_gap_left(tmp_path: Path, service: str) -> None:
    written = text(ops(tmp_path), service)
    assert yaml.safe_load(written)
    assert f"pip install 'tradebot-ops[local]=={version()}'" in written
    assert "ci run --engine local --env dev" in written
    assert "@" not in written.replace("actions/", "").replace("checkout@v4", "").replace("setup-python@v5", "").replace(
        "upload-artifact@v4", ""
    )


def test_it_is_for_what_the_call_names(tmp_path: Path) -> None:
    made = ops(tmp_path, engine="docker", env="staging")
    assert "ci run --engine docker --env staging" in text(made, "github")
    data = template(made, "gitlab", ".[local]").data
    assert isinstance(data, dict)
    assert data["file"] == ".gitlab-ci.yml"
    assert "pip install '.[local]'" in data["text"]


@pytest.mark.parametrize(("service", "install"), [("gitlb", ""), ("github", "x'; rm -rf /")])
def test_what_cannot_be_written_is_refused(tmp_path: Path, service: str, install: str) -> None:
    with pytest.raises(OpsError) as caught:
        text(ops(tmp_path), service, install)
    assert caught.value.code == "TB-0239"


def test_refusals(tmp_path: Path) -> None:
    seen = []
    for service, install in (("gitlb", ""), ("zzz", ""), ("github", "a'b"), ("github", "a\nb")):
        with pytest.raises(OpsError) as caught:
            text(ops(tmp_path), service, install)
        seen.append(refusal(caught.value))
    plainly = ("TB-0239", "--install cannot hold a quote.", "Write it plainly: --install '.[local]'")
    assert seen == [
        ("TB-0239", "There is no pipeline for 'gitlb'.", "Did you mean `gitlab`? tradebot ci template github|gitlab"),
        ("TB-0239", "There is no pipeline for 'zzz'.", "tradebot ci template github|gitlab"),
        plainly,
        plainly,
    ]


@pytest.mark.parametrize(("engine", "written"), [("auto", "local"), ("docker", "docker"), ("swarm", "swarm")])
def test_a_runner_without_docker_is_what_it_is_written_for(tmp_path: Path, engine: str, written: str) -> None:
    report = template(ops(tmp_path, engine=engine), "github")
    assert isinstance(report.data, dict)
    assert f"--engine {written} " in report.data["text"]
    assert report.data["file"] == ".github/workflows/prod-check.yml"
    assert "\n".join(report.sections[0].lines) + "\n" == report.data["text"]
