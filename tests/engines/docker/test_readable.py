"""Mounted configuration of a checkout under umask 077: opened within its private folder, else refused."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from tradebot_ops.engines.docker import readable
from tradebot_ops.engines.docker.readable import open_mounts
from tradebot_ops.stack.model import Mount, MountKind, Service, Stack


@pytest.fixture
def mounted(tmp_path: Path) -> Path:
    """A folder with files that only their owner may read, in a private one."""
    (tmp_path / "stack/conf/below").mkdir(parents=True)
    (tmp_path / "stack/conf/below/rules.yml").write_text("a", encoding="utf-8")
    for path in (tmp_path / "stack", tmp_path / "stack/conf", tmp_path / "stack/conf/below"):
        path.chmod(0o700)
    (tmp_path / "stack/conf/below/rules.yml").chmod(0o600)
    return tmp_path / "stack/conf"


def described(mounted: Path, **fields: object) -> Stack:
    mount = Mount(MountKind.BIND, str(mounted), "/conf", read_only=True)
    service = replace(Service("app", "app:1", (), mounts=(mount,)), **fields)  # type: ignore[arg-type]
    return Stack("demo", mounted.parent, (), {"app": service})


def modes(mounted: Path) -> list[int]:
    return [path.stat().st_mode & 0o777 for path in (mounted, mounted / "below", mounted / "below/rules.yml")]


@pytest.mark.parametrize("user", ["nobody", "10001:10001"])
def test_what_a_private_folder_protects_is_opened_within_it(mounted: Path, user: str) -> None:
    assert open_mounts(described(mounted), lambda service: user) == {}
    assert modes(mounted) == [0o755, 0o755, 0o644]
    assert mounted.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("user", ["", "0:0", f"{os.getuid()}", f"12345:{os.getgid()}"])
def test_who_may_read_it_already_needs_nothing(mounted: Path, user: str) -> None:
    for path in (mounted, mounted / "below", mounted / "below/rules.yml"):
        path.chmod(0o750 if path.is_dir() else 0o640)
    before = modes(mounted)
    assert open_mounts(described(mounted), lambda service: user) == {}
    assert modes(mounted) == before


def test_what_nothing_protects_is_refused_and_left_alone(mounted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readable, "in_private", lambda path: False)
    refused = open_mounts(described(mounted), lambda service: "nobody")
    assert refused["app"].code == "TB-0849"
    assert refused["app"].message.startswith("app cannot read ")
    assert refused["app"].hint == f"chmod -R o+rX '{mounted}'"
    assert modes(mounted) == [0o700, 0o700, 0o600]


def test_nobody_is_asked_about_where_everybody_may_read(mounted: Path) -> None:
    for path in (mounted, mounted / "below", mounted / "below/rules.yml"):
        path.chmod(0o755)

    def never(service: Service) -> str:
        raise AssertionError(service)

    assert open_mounts(described(mounted), never) == {}
