"""Which replicas are off their networks, and which would not see a mounted file by reading it again."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tradebot_ops.engines.docker import spec
from tradebot_ops.engines.docker.observing.standing import detached, replaced
from tradebot_ops.engines.docker.single_files import identity
from tradebot_ops.stack.model import Mount, MountKind, Network, SecretFile, SecretMount, Service, Stack

APP = Service("app", "app:1", (), networks={"default": (), "back": ()}, reload="SIGHUP")
STACK = Stack(
    "demo", Path("/"), (), {"app": APP}, networks={"default": Network("demo_default"), "back": Network("shared")}
)
IDS = {"demo_default": "d", "shared": "s"}


def listed(networks: Any, files: str = "") -> list[dict[str, Any]]:
    labels = {spec.SERVICE: "app", spec.NUMBER: "2", spec.SINGLE_FILES: files}
    stranger = {"Labels": {spec.SERVICE: "gone"}, "NetworkSettings": {"Networks": {}}}
    return [stranger, {"Labels": labels, "NetworkSettings": {"Networks": networks}}]


@pytest.mark.parametrize(
    ("networks", "existing", "expected"),
    [
        ({"demo_default": {"NetworkID": "d"}, "shared": {"NetworkID": "s"}}, IDS, ""),
        ({"demo_default": {"NetworkID": ""}, "shared": None}, IDS, ""),  # never started
        ({"demo_default": {"NetworkID": "d"}}, IDS, "shared"),
        ({"demo_default": {"NetworkID": "old"}, "shared": {"NetworkID": "s"}}, IDS, "demo_default"),
        ({"demo_default": {"NetworkID": "d"}, "shared": {"NetworkID": "s"}}, {"demo_default": "d"}, "shared"),
        (None, IDS, "demo_default"),
    ],
)
def test_detached(networks: Any, existing: dict[str, str], expected: str) -> None:
    assert detached(STACK, listed(networks), existing) == ({("app", 2): expected} if expected else {})


@pytest.fixture
def mounting(tmp_path: Path) -> Stack:
    """The service mounts a file, a folder, and a file that is a config."""
    (tmp_path / "folder").mkdir()
    for name in ("one", "two", "folder/in"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    mounts = tuple(Mount(MountKind.BIND, str(tmp_path / name), f"/{name}") for name in ("one", "folder"))
    service = replace(APP, mounts=mounts, configs=(SecretMount("conf", "/conf"),))
    return replace(STACK, services={"app": service}, configs={"conf": SecretFile("conf", tmp_path / "two")})


@pytest.mark.parametrize(("name", "moved"), [("one", True), ("two", True), ("folder/in", False)])
def test_replaced_is_what_another_file_took_the_place_of(
    mounting: Stack, tmp_path: Path, name: str, moved: bool
) -> None:
    before = identity(mounting, mounting.services["app"])
    (tmp_path / name).write_text("edited in place", encoding="utf-8")
    assert replaced(mounting, listed({}, before)) == frozenset()
    (tmp_path / "new").write_text("as editors do", encoding="utf-8")
    (tmp_path / "new").replace(tmp_path / name)
    assert replaced(mounting, listed({}, before)) == (frozenset({("app", 2)}) if moved else frozenset())


def test_who_cannot_read_again_is_started_anew_in_any_case(mounting: Stack) -> None:
    assert identity(mounting, replace(mounting.services["app"], reload="")) == ""
    assert identity(mounting, APP) == ""
