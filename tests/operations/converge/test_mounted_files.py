"""Which mounted files were edited since a content hash was in force."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.operations.converge.mounted_files import differences, edited, remember
from tradebot_ops.records import MountedFiles
from tradebot_ops.settings import load_settings
from tradebot_ops.stack.hashing import content_hash, mounted_files
from tradebot_ops.stack.model import Mount, MountKind, Service, Stack

FILES = st.dictionaries(st.sampled_from(["/a", "/b", "/c", "/d"]), st.sampled_from(["1", "2"]))


@given(FILES, FILES)
def test_every_difference_is_told_once_and_nothing_else(before: dict[str, str], now: dict[str, str]) -> None:
    told = [line.partition(" ")[0] for line in differences(before, now)]
    assert told == sorted({path for path in before.keys() | now.keys() if before.get(path) != now.get(path)})


def test_added_and_removed_files_are_marked() -> None:
    assert differences({"/a": "1", "/b": "1"}, {"/b": "2", "/c": "1"}) == ("/a (removed)", "/b", "/c (added)")


def test_what_the_content_hash_covers_is_what_is_listed(tmp_path: Path) -> None:
    (tmp_path / "conf/deep").mkdir(parents=True)
    (tmp_path / "conf/deep/a.yml").write_text("a")
    mounts = (
        Mount(MountKind.BIND, str(tmp_path / "conf"), "/conf", read_only=True),
        Mount(MountKind.BIND, str(tmp_path), "/everything", read_only=True),
        Mount(MountKind.BIND, "/proc", "/proc", read_only=True),
    )
    service = Service("app", "app:1", (), mounts=mounts)
    stack = Stack("demo", tmp_path, (), {"app": service})
    before = content_hash(stack, service)
    assert list(mounted_files(stack, service)) == [f"{tmp_path}/conf/deep/a.yml"]
    (tmp_path / "conf/deep/a.yml").write_text("b")
    assert content_hash(stack, service) != before


COMPOSE = """
services:
  app: {image: "app:1", command: [run], volumes: ["./conf:/conf:ro"]}
  other: {image: "app:1", command: [run], volumes: ["./other:/conf:ro"]}
  bare: {image: "app:1", command: [run]}
"""


def test_files_are_remembered_by_their_contents_until_no_service_has_them(tmp_path: Path) -> None:
    environ = {"TRADEBOT_STATE": str(tmp_path / "state"), "HOME": str(tmp_path)}

    def ops() -> Ops:
        return Ops(load_settings({"project": "demo"}, environ, tmp_path), StubEngine("demo"))

    (tmp_path / "compose.yaml").write_text(COMPOSE)
    for name in ("conf", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.yml").write_text("a")
    first = ops()
    app, other = (first.stack.services[name].content_hash for name in ("app", "other"))
    remember(first, ["app", "bare"])
    assert set(first.state.load(MountedFiles).digests) == {app}
    assert edited(first, "app", app) == ()
    assert edited(first, "app", "nobody noted it") == ()
    (tmp_path / "conf" / "a.yml").write_text("b")
    second = ops()
    assert edited(second, "app", app) == (str(tmp_path / "conf" / "a.yml"),)
    remember(second, ["other"])
    assert set(second.state.load(MountedFiles).digests) == {other}
    # What is known of a service that is not asked for stays.
    remember(second, ["app"])
    assert set(second.state.load(MountedFiles).digests) == {other, second.stack.services["app"].content_hash}
