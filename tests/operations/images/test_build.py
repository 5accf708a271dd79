"""What is built, what is pulled, and what is left alone."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.operations.images.kit import FakeImages, image, ops_at, unmarked
from tests.operations.seen import Made, made, refusal, whole
from tradebot_ops.context import Ops
from tradebot_ops.engines.base import ImageFacts
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.errors import OpsError
from tradebot_ops.operations.images import build
from tradebot_ops.operations.images.build import Got
from tradebot_ops.progress import Phase, ProgressEvent, ignore_progress
from tradebot_ops.stack.model import Build, Service

APP, STORE, REDIS = image("tradebot/app:latest"), image("store:1"), image("tradebot/redis:8.0")
BUILT: tuple[object, ...] = ("build", "tradebot/app:latest", "app", {}, {}, False)


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    unmarked(monkeypatch)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Ops, FakeImages]:
    """On an engine with three of the four images; time stands."""
    monkeypatch.setattr(build, "time", SimpleNamespace(monotonic=lambda: 1000.0))
    return ops_at(tmp_path, APP, STORE, REDIS)


def test_an_image_is_built_once_for_all_that_share_it(world: tuple[Ops, FakeImages]) -> None:
    ops, images = world
    events: list[ProgressEvent] = []
    (got,) = build.make(ops, ["store", "worker", "api"], events.append)
    assert got == Got("tradebot/app:latest", ("worker", "api"), APP, 0.0, fresh=False)
    assert images.done == [BUILT]
    assert events == [
        ProgressEvent("worker", Phase.PREPARING, "step of tradebot/app:latest"),
        ProgressEvent("worker", Phase.DONE, "built tradebot/app:latest"),
    ]
    assert build.make(ops, ["store", "redis"], events.append) == []
    build.make(ops, ["api"], events.append, no_cache=True)
    build.build(ops, ["api"], events.append, no_cache=True)
    assert images.done[1:] == [(*BUILT[:-1], True)] * 2


@pytest.mark.parametrize(
    ("there", "fresh", "changed"), [(False, False, True), (True, True, True), (True, False, False)]
)
@pytest.mark.parametrize("tag", ["tradebot/app:latest", "store:1"])
def test_whether_it_is_another_one_than_before(
    tmp_path: Path, tag: str, there: bool, fresh: bool, changed: bool
) -> None:
    ops, images = ops_at(tmp_path, *([image(tag)] if there else []))
    images.fresh = {tag} if fresh else set()
    act = build.build if "app" in tag else build.pull
    report: Any = act(ops, ["api" if "app" in tag else "store"], ignore_progress)
    assert [each["changed"] for each in report.data["images"]] == [changed]


def test_screens(world: tuple[Ops, FakeImages], snapshot: SnapshotAssertion) -> None:
    ops, images = world
    seen = [whole(build.build(ops, [], ignore_progress)), whole(build.pull(ops, ["redis", "api"], ignore_progress))]
    images.fresh = {"tradebot/app:latest", "store:1"}
    seen += [whole(build.build(ops, ["api"], ignore_progress)), whole(build.pull(ops, [], ignore_progress))]
    slow = [Got("a:1", ("a", "b"), APP, 12.34567, fresh=True), Got("b:1", ("c",), STORE, 0.05, fresh=False)]
    seen.append(whole(build._report("Built", slow, ("Besides.",))))
    assert "\n\n".join(seen) == snapshot


def test_each_image_of_others_is_pulled_once(world: tuple[Ops, FakeImages]) -> None:
    ops, images = world
    events: list[ProgressEvent] = []
    build.pull(ops, [], events.append)
    assert sorted(images.done) == [("pull", "grafana:12"), ("pull", "store:1")]
    assert sorted(events, key=lambda each: (each.service, each.phase)) == [
        ProgressEvent(service, phase, detail)
        for service, tag in (("grafana", "grafana:12"), ("store", "store:1"))
        for phase, detail in sorted(((Phase.PREPARING, f"layer of {tag}"), (Phase.DONE, f"pulled {tag}")))
    ]


def test_the_audit_log_has_the_words_and_nobody_is_hindered(
    world: tuple[Ops, FakeImages], monkeypatch: pytest.MonkeyPatch
) -> None:
    ops, _ = world
    assert made(monkeypatch, lambda heard: build.build(ops, ["api", "worker"], heard)) == [
        Made(("build", "api", "worker"), leased=False)
    ]
    assert made(monkeypatch, lambda heard: build.pull(ops, ["store"], heard)) == [Made(("pull", "store"), leased=False)]


def test_refusals(world: tuple[Ops, FakeImages]) -> None:
    ops, images = world
    with pytest.raises(OpsError) as raised:
        build.build(ops, ["redis", "store"], ignore_progress)
    assert refusal(raised.value) == (
        "TB-0207",
        "Nothing to build: store, redis run images that others made.",
        "Fetch them with: tradebot pull store redis",
    )
    for act in (build.build, build.pull):
        with pytest.raises(OpsError, match="has no images"):
            act(Ops(ops.settings, StubEngine("demo")), ["nobody"], ignore_progress)
    assert images.done == []


SERVICES = ("store", "api", "redis", "grafana")


@pytest.mark.parametrize(
    ("wanted", "missing", "again", "expected"),
    [
        (SERVICES, (), False, []),
        (SERVICES, (), True, ["build tradebot/app:latest"]),
        (SERVICES, ("api",), False, ["build tradebot/app:latest"]),
        (SERVICES, ("worker",), False, []),
        (SERVICES, ("store", "redis"), False, ["pull store:1", "pull tradebot/redis:8.0"]),
        (SERVICES, ("grafana",), False, []),
        (("store",), ("api", "redis"), True, []),
        (SERVICES, ("store", "api"), True, ["build tradebot/app:latest", "pull store:1"]),
    ],
)
def test_what_a_start_needs_is_got_before(
    world: tuple[Ops, FakeImages], wanted: tuple[str, ...], missing: tuple[str, ...], again: bool, expected: list[str]
) -> None:
    """What belongs to a profile may stay missing."""
    ops, images = world
    facts = ImageFacts(missing=frozenset(missing))
    assert build.supply(ops, wanted, facts, ignore_progress, again=again) is bool(expected)
    assert sorted(f"{verb} {tag}" for verb, tag, *_ in images.done) == expected


@pytest.mark.parametrize(
    ("dockerfile", "given", "there", "offline"),
    [
        ("ARG PYTHON_IMAGE", {}, True, True),
        ("ARG PYTHON_IMAGE", {}, False, False),
        ("ARG PYTHON_IMAGE", {"PYTHON_IMAGE": "python:3.12"}, True, False),
        ("FROM busybox", {}, True, False),
        (None, {}, True, False),
    ],
)
def test_where_images_are_made_from_debian_a_build_stands_on_them(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    dockerfile: str | None,
    given: dict[str, str],
    there: bool,
    offline: bool,
) -> None:
    """Then this host fetches the packages, for the engine's processor."""
    ops, images = ops_at(tmp_path, *([image("tradebot/python:3.13")] if there else []))
    file = tmp_path / "app" / "Dockerfile"
    file.unlink() if dockerfile is None else file.write_text(dockerfile)
    said: list[str] = []
    asked: list[tuple[object, ...]] = []

    def download(services: Path, architecture: str, cache: Path, say: Any) -> dict[str, Path]:
        asked.append((services.name, architecture, cache))
        say("downloading")
        return {"numpy-2.whl": cache / "numpy"}

    monkeypatch.setattr("tradebot_ops.operations.images.wheels.download", download)
    described: Any = SimpleNamespace(dockerfile=file, args=given, context=tmp_path / "app")
    found = build._offline(ops, images, described, said.append)  # type: ignore[arg-type]
    cache = tmp_path / "cache" / "tradebot"
    if offline:
        assert found == ({"PYTHON_IMAGE": "tradebot/python:3.13"}, {"wheels/numpy-2.whl": cache / "numpy"})
        assert (asked, said) == ([("app", "arm64", cache)], ["downloading"])
    else:
        assert (found, asked) == (({}, {}), [])


def test_a_build_has_what_it_stands_on_and_is_told_by_its_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ops, images = ops_at(tmp_path, image("tradebot/python:3.13"))
    events: list[ProgressEvent] = []

    def download(_: object, __: object, cache: Path, say: Any) -> dict[str, Path]:
        say("downloading")
        return {"numpy-2.whl": cache / "numpy"}

    monkeypatch.setattr("tradebot_ops.operations.images.wheels.download", download)
    build.make(ops, ["api"], events.append)
    args, extra = {"PYTHON_IMAGE": "tradebot/python:3.13"}, {"wheels/numpy-2.whl": "numpy"}
    assert images.done == [("build", "tradebot/app:latest", "app", args, extra, False)]
    assert events[0] == ProgressEvent("api", Phase.PREPARING, "downloading")


@pytest.mark.parametrize(
    ("builds", "maker"),
    [
        ([True, True], "tradebot build"),
        ([False, True], "tradebot build"),
        ([False, False], "tradebot images build --from debian"),
    ],
)
def test_what_one_builds_is_built_for_all_that_share_it(builds: list[bool], maker: str) -> None:
    made_from = Build(Path("/x"), Path("/x/Dockerfile"))
    users = [Service("s", "i:1", (), build=made_from if each else None) for each in builds]
    assert build._maker(users) == maker
