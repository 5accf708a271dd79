"""Images without a registry: the parts that need neither an engine nor a network."""

import re
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any

import pytest

from tests.operations.images.kit import FakeImages, ops_at, unmarked
from tests.operations.seen import Made, made, refusal
from tests.paths import ROOT
from tradebot_ops.context import Ops
from tradebot_ops.debian import debootstrap
from tradebot_ops.debian.stand_ins import PYTHON, STAND_INS
from tradebot_ops.docker.images import Image, Recipe
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError
from tradebot_ops.operations.images import debian, wheels
from tradebot_ops.progress import Phase, ProgressEvent
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


# What is built, in an engine that notes it


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Ops, FakeImages]:
    """Without images; Debian's own tools and pip are not called."""
    ticks = iter(range(1000, 100_000, 5))
    monkeypatch.setattr(debian, "time", SimpleNamespace(monotonic=lambda: next(ticks)))

    @contextmanager
    def root_archive(mirror: str, say: Callable[[str], None]) -> Iterator[IO[bytes]]:
        say(f"unpacking {mirror}")
        yield BytesIO(b"a system")

    monkeypatch.setattr(debootstrap, "require_tools", lambda: None)
    monkeypatch.setattr(debootstrap, "root_archive", root_archive)
    monkeypatch.setattr(debian, "find_mirror", lambda environ: f"a mirror of {environ['HOME']}")

    def download(services: Path, architecture: str, cache: Path, say: Callable[[str], None]) -> dict[str, Path]:
        say(f"downloading for {services.name}, {architecture}")
        return {"numpy-2.whl": cache / "numpy"}

    monkeypatch.setattr(wheels, "download", download)
    unmarked(monkeypatch)
    return ops_at(tmp_path)


BUILDS: list[tuple[Any, ...]] = [
    ("build", item.tag, item.folder, {"BASE": "tradebot/debian:trixie"}, {}, False) for item in STAND_INS
]
APP = (
    "build", "tradebot/app:latest", "services", {"PYTHON_IMAGE": "tradebot/python:3.13"},
    {"wheels/numpy-2.whl": "numpy"}, False,
)  # fmt: skip
BASE = ("import", b"a system", "tradebot/debian:trixie", "ENV LANG=C.UTF-8", 'CMD ["bash"]')


def did(images: FakeImages, *verbs: str) -> list[tuple[Any, ...]]:
    return [each for each in images.done if each[0] in verbs]


def test_all_are_built_on_one_base_and_the_app_on_its_python(engine: tuple[Ops, FakeImages], tmp_path: Path) -> None:
    ops, images = engine
    said: list[tuple[str, str]] = []
    report = debian.build_from_debian(ops, lambda *words: said.append(words))
    done = did(images, "import", "build")
    assert sorted(done, key=str) == sorted([BASE, *BUILDS, APP], key=str)
    assert done[0] == BASE
    assert done.index(APP) > done.index(BUILDS[0])
    assert ("debian", f"unpacking a mirror of {tmp_path}") in said
    assert ("app", "downloading for services, arm64") in said
    for item in STAND_INS:
        name = item.tag.removeprefix("tradebot/").partition(":")[0]
        assert [line for image, line in said if image == name] == [f"step of {item.tag}", f"built {item.tag}"]
    lines = [line for image, line in said if image == "app"]
    assert lines[1:] == ["step of tradebot/app:latest", "built tradebot/app:latest"]
    assert report.sections[0].lines == ("Built 10 images in 5 s, for `tradebot up`.",)
    assert [row[0] for row in report.sections[0].tables[0].rows] == sorted(images.held)
    again, _ = ops_at(tmp_path)
    assert again.stand_ins == {item.variable: item.tag for item in STAND_INS if item.variable}


def test_what_is_up_to_date_is_left_alone_unless_it_is_forced(engine: tuple[Ops, FakeImages]) -> None:
    ops, images = engine
    debian.build_from_debian(ops, lambda *_: None)
    images.done.clear()
    report = debian.build_from_debian(ops, lambda *_: None)
    assert did(images, "import", "build") == []
    assert report.sections[0].lines == ("Every image is up to date.",)
    assert did(images, "outdated") == [
        *(("outdated", item.tag, item.folder, "Dockerfile") for item in STAND_INS),
        ("outdated", "tradebot/app:latest", "services", "Dockerfile"),
    ]
    images.old = {"tradebot/redis:8.0"}
    report = debian.build_from_debian(ops, lambda *_: None)
    assert did(images, "import", "build") == [next(each for each in BUILDS if each[1] == "tradebot/redis:8.0")]
    assert report.sections[0].lines == ("Built 1 image in 5 s, for `tradebot up`.",)
    images.old = {"tradebot/app:latest"}
    images.done.clear()
    debian.build_from_debian(ops, lambda *_: None)
    assert did(images, "import", "build") == [APP]
    images.old = set()
    images.done.clear()
    debian.build_from_debian(ops, lambda *_: None, force=True)
    assert sorted(did(images, "import", "build"), key=str) == sorted([BASE, *BUILDS, APP], key=str)


@pytest.mark.parametrize(
    ("only", "tags"),
    [
        (["redis"], {"tradebot/redis:8.0"}),
        (["app"], {"tradebot/python:3.13", "tradebot/app:latest"}),
        (["postgres", "python"], {"tradebot/postgres:17", "tradebot/python:3.13"}),
    ],
)
def test_only_those_that_are_named_are_built_and_used(
    engine: tuple[Ops, FakeImages], tmp_path: Path, only: list[str], tags: set[str]
) -> None:
    ops, images = engine
    report = debian.build_from_debian(ops, lambda *_: None, only=only)
    assert {each[1] for each in did(images, "build")} == tags
    assert f"Built {len(tags) + 1} images" in report.sections[0].lines[0]
    again, _ = ops_at(tmp_path)
    assert set(again.stand_ins.values()) == {item.tag for item in STAND_INS if item.variable and item.tag in tags}


def test_a_host_that_cannot_make_a_system_is_told_before_anything_is_fetched(
    engine: tuple[Ops, FakeImages], monkeypatch: pytest.MonkeyPatch
) -> None:
    ops, images = engine

    def refuse() -> None:
        raise OpsError("Only root can.", code="TB-0504")

    monkeypatch.setattr(debootstrap, "require_tools", refuse)
    monkeypatch.setattr(debootstrap, "root_archive", lambda *_: pytest.fail("it was begun"))
    with pytest.raises(OpsError, match="Only root can"):
        debian.build_from_debian(ops, lambda *_: None, only=["redis"])
    assert did(images, "import", "build") == []


def test_the_app_waits_for_its_python(engine: tuple[Ops, FakeImages], monkeypatch: pytest.MonkeyPatch) -> None:
    """Else it would be built on the one of before, or on none."""
    ops, images = engine
    build = images.build

    def fails(made: Recipe, say: Callable[[str], None]) -> Image:
        if made.tag == PYTHON:
            raise OpsError("The build failed.", code="TB-0506")
        return build(made, say)

    monkeypatch.setattr(images, "build", fails)
    with pytest.raises(OpsError, match="The build failed"):
        debian.build_from_debian(ops, lambda *_: None, only=["app"])
    assert did(images, "build") == []


def test_those_chosen_before_stay_chosen(engine: tuple[Ops, FakeImages], tmp_path: Path) -> None:
    ops, _ = engine
    debian.choose(ops, [item for item in STAND_INS if item.folder == "redis"])
    again, _ = ops_at(tmp_path)
    debian.choose(again, [item for item in STAND_INS if item.folder == "postgres"])
    once_more, _ = ops_at(tmp_path)
    assert once_more.stand_ins == {"REDIS_IMAGE": "tradebot/redis:8.0", "POSTGRES_IMAGE": "tradebot/postgres:17"}


def test_what_is_no_image_is_refused_before_anything_is_built(engine: tuple[Ops, FakeImages]) -> None:
    ops, images = engine
    with pytest.raises(OpsError) as raised:
        debian.build_from_debian(ops, lambda *_: None, only=["redis", "zebra", "apple"])
    folders = "python, postgres, redis, prometheus, alertmanager, node-exporter, redis-exporter, postgres-exporter"
    assert refusal(raised.value) == (
        "TB-0208", "There is no image called apple, zebra to build.", f"Choose from: app, {folders}.",
    )  # fmt: skip
    assert images.done == []


def test_the_audit_log_has_the_words_and_nobody_is_hindered(
    engine: tuple[Ops, FakeImages], monkeypatch: pytest.MonkeyPatch
) -> None:
    ops, _ = engine

    def act(heard: Callable[[ProgressEvent], object]) -> None:
        def told(image: str, line: str) -> None:
            heard(ProgressEvent(image, Phase.PREPARING, line))

        debian.build_from_debian(ops, told, only=["redis", "python"])

    assert made(monkeypatch, act) == [Made(("images build", "redis", "python"), leased=False)]


def test_the_progress_of_a_hook_is_told_by_its_words_or_by_its_phase() -> None:
    said: list[tuple[str, str]] = []
    heard = debian._as_lines(lambda *words: said.append(words))
    heard(ProgressEvent("pre-images", Phase.DONE))
    heard(ProgressEvent("pre-images", Phase.DONE, "it took 2 s"))
    assert said == [("pre-images", "done"), ("pre-images", "it took 2 s")]


def test_an_installation_without_its_images_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debian, "default_folder", lambda: tmp_path)
    with pytest.raises(OpsError) as raised:
        debian._folder("config/images")
    assert refusal(raised.value) == (
        "TB-0838",
        f"This installation has no {tmp_path}/config/images.",
        "Install tradebot again: pip install --force-reinstall tradebot-ops",
    )
