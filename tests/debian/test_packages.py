"""Where the monitoring programs come from, and what is said where they cannot be had."""

import shutil
from pathlib import Path

import pytest

from tradebot_ops.debian import packages
from tradebot_ops.engines.local.launching import fetched
from tradebot_ops.engines.local.programs import alertmanager
from tradebot_ops.errors import Unavailable


def put(folder: Path, name: str, content: bytes = b"#!/bin/sh\n") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(content)
    path.chmod(0o755)
    return path


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """An environment whose PATH and cache are empty; what was refused before is forgotten."""
    monkeypatch.setattr(packages, "_refused", {})
    (tmp_path / "bin").mkdir()
    return {"PATH": str(tmp_path / "bin"), "XDG_CACHE_HOME": str(tmp_path / "cache")}


def test_path_wins_over_the_cache_and_debians_names_are_known(host: dict[str, str], tmp_path: Path) -> None:
    assert packages.find("node_exporter", host) is None
    cached = put(packages.folder(host) / "usr/bin", "prometheus-node-exporter")
    assert packages.find("node_exporter", host) == cached
    assert packages.obtain("node_exporter", host, print) == cached
    own = put(tmp_path / "bin", "node_exporter")
    assert packages.find("node_exporter", host) == own


def test_a_host_without_apt_says_what_to_install(host: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", host["PATH"])
    with pytest.raises(Unavailable, match="has no apt-get") as caught:
        packages.obtain("prometheus", host, print)
    assert caught.value.code == "TB-0411"
    assert "apt-get install" in caught.value.hint
    assert "prometheus-alertmanager" in caught.value.hint


@pytest.mark.parametrize(("found", "named"), [((2, 31), "2.31"), ((), "another C library")])
def test_an_old_c_library_is_named(
    host: dict[str, str], monkeypatch: pytest.MonkeyPatch, found: tuple[int, ...], named: str
) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None if "path" in __ else "/usr/bin/tool")
    monkeypatch.setattr(packages, "_glibc", lambda: found)
    with pytest.raises(Unavailable, match=named):
        packages.obtain("prometheus", host, print)


def test_without_a_keyring_nothing_is_fetched(
    host: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None if "path" in __ else "/usr/bin/tool")
    monkeypatch.setattr(packages, "KEYRING", tmp_path / "no-keyring.gpg")
    with pytest.raises(Unavailable, match="nothing fetched could be verified"):
        packages.obtain("prometheus", host, print)


def test_those_who_ask_again_get_the_same_answer_at_once(host: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def refuse() -> None:
        asked.append(1)
        raise Unavailable("no")

    monkeypatch.setattr(packages, "_require_host", refuse)
    for program in ("prometheus", "node_exporter"):
        with pytest.raises(Unavailable):
            packages.obtain(program, host, print)
    assert asked == [1]


def test_the_movable_alertmanager_differs_by_its_folder_alone(host: dict[str, str]) -> None:
    text = b"x/usr/share/prometheus/alertmanagery" + b"/usr/share/prometheus/alertmanager/ui/z"
    program = put(packages.folder(host) / "usr/bin", "prometheus-alertmanager", text)
    alertmanager.PROGRAM.obtain(host, print)
    copy = program.with_name("alertmanager-movable").read_bytes()
    assert len(copy) == len(text)
    assert copy.count(b"/proc/self/cwd/") == 2
    assert b"/usr/share" not in copy
    assert program.read_bytes() == text


def test_options_of_a_command() -> None:
    argv = ("prometheus", "--config.file=/etc/p.yml", "--x=1")
    assert fetched.option(argv, "--config.file") == "/etc/p.yml"
    assert fetched.option(argv, "--none") == ""
    assert fetched.with_option(argv, "--x", "2") == ("prometheus", "--config.file=/etc/p.yml", "--x=2")
