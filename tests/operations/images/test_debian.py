"""Images without a registry: the parts that need neither an engine nor a network."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.paths import ROOT
from tradebot_ops.context import Ops
from tradebot_ops.debian.stand_ins import STAND_INS
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError
from tradebot_ops.operations.images import debian, wheels
from tradebot_ops.settings import load_settings


def normal(name: str) -> str:
    return name.lower().replace("-", "_")


def requirements() -> list[str]:
    lines = (ROOT / "services" / "requirements.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_the_image_installs_what_the_extra_declares() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert sorted(requirements()) == sorted(project["optional-dependencies"]["services"])


def test_every_requirement_is_pinned() -> None:
    pins = (ROOT / "services" / "constraints.txt").read_text()
    pinned = {normal(line.partition("==")[0]) for line in pins.splitlines() if "==" in line}
    wanted = {normal(re.split(r"[\[><=]", line)[0]) for line in requirements()}
    assert wanted <= pinned


def test_every_stand_in_has_its_dockerfile() -> None:
    for item in STAND_INS:
        text = (ROOT / "config" / "images" / item.folder / "Dockerfile").read_text()
        assert "ARG BASE=debian:trixie-slim\nFROM ${BASE}" in text
        assert item.tag.startswith("tradebot/")


def test_every_official_image_of_the_description_but_grafana_has_a_stand_in() -> None:
    variables = set(re.findall(r"\$\{(\w+_IMAGE):-", (ROOT / "compose.yaml").read_text()))
    assert variables - {"APP_IMAGE", "GRAFANA_IMAGE"} <= {item.variable for item in STAND_INS}


def test_no_dockerfile_needs_buildkit_or_names_a_mirror() -> None:
    for path in [*(ROOT / "config" / "images").rglob("*"), *(ROOT / "services").glob("Dockerfile")]:
        if path.is_file():
            text = path.read_text()
            assert "# syntax=" not in text
            assert "RUN --mount" not in text
            assert not re.search(r"https?://", text), path


@pytest.mark.parametrize("script", sorted((ROOT / "config" / "images").glob("*/entrypoint")), ids=str)
def test_entry_points_parse(script: Path) -> None:
    shell = script.read_text().splitlines()[0].removeprefix("#!")
    assert subprocess.run([shell, "-n", str(script)], capture_output=True).returncode == 0


def test_only_pinned_wheels_are_taken_from_the_cache(tmp_path: Path) -> None:
    names = ["numpy-2.5.5-cp313-cp313-manylinux.whl", "numpy-2.4.0-cp313-cp313-manylinux.whl", "a_b-1-py3-none-any.whl"]
    for name in names:
        (tmp_path / name).touch()
    found = [path.name for path in wheels._pinned(tmp_path, ["numpy==2.5.5", "a-b==1", "#"])]
    assert found == ["a_b-1-py3-none-any.whl", "numpy-2.5.5-cp313-cp313-manylinux.whl"]
    assert wheels._missing(tmp_path, ["numpy==2.5.5", "scipy==1"]) == {"scipy==1"}


def ops(tmp_path: Path) -> Ops:
    return Ops(load_settings({}, {"HOME": str(tmp_path)}, tmp_path), StubEngine())


def test_an_engine_without_images_says_which_has_them(tmp_path: Path) -> None:
    with pytest.raises(OpsError, match="has no images") as caught:
        debian.build_from_debian(ops(tmp_path), lambda _image, _line: None)
    assert "--engine docker" in caught.value.hint


def test_stand_ins_outrank_the_default_and_not_the_user(tmp_path: Path) -> None:
    debian.choose(ops(tmp_path), [item for item in STAND_INS if item.folder == "redis"])
    assert ops(tmp_path).stack.services["redis"].image == "tradebot/redis:8.0"
    environ = {"HOME": str(tmp_path), "REDIS_IMAGE": "redis:8.2"}
    chosen = Ops(load_settings({}, environ, tmp_path), StubEngine())
    assert chosen.stack.services["redis"].image == "redis:8.2"
