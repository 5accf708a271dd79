"""Which mounted files were edited since a content hash was in force."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tradebot_ops.operations.converge.mounted_files import differences
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
