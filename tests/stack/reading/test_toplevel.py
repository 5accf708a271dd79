"""Networks, volumes, secrets and configs at the top: their full names, defaults, and what is said of a wrong one."""

from pathlib import Path

import pytest

from tests.stack.reading.kit import read
from tradebot_ops.stack.model import Network, SecretFile, Volume
from tradebot_ops.stack.reading.mounts import Paths
from tradebot_ops.stack.reading.toplevel import read_files, read_networks, read_volumes

KEY = "is a key tradebot does not read"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("{back: }", {"back": Network("demo_back")}),
        ("{default: {internal: true}}", {"default": Network("demo_default", internal=True)}),
        ("{back: {name: mine, driver: bridge}}", {"back": Network("mine", "bridge")}),
        ("{back: {external: true}}", {"back": Network("back", external=True)}),
        ("{back: {external: true, name: theirs}}", {"back": Network("theirs", external=True)}),
        ("{back: {external: false}}", {"back": Network("demo_back")}),
    ],
)
def test_networks(text: str, expected: dict[str, Network]) -> None:
    found = read(f"it: {text}\n", lambda reader, item: read_networks(reader, item, "demo"))
    assert found == ({"default": Network("demo_default")} | expected, [])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("{data: }", {"data": Volume("demo_data")}),
        ("{data: {name: mine, driver: local}}", {"data": Volume("mine", driver="local")}),
        ("{data: {external: true}}", {"data": Volume("data", external=True)}),
        ("{a: , b: {external: false}}", {"a": Volume("demo_a"), "b": Volume("demo_b")}),
    ],
)
def test_volumes(text: str, expected: dict[str, Volume]) -> None:
    assert read(f"it: {text}\n", lambda reader, item: read_volumes(reader, item, "demo")) == (expected, [])


@pytest.mark.parametrize("must_exist", [True, False])
def test_files(tmp_path: Path, must_exist: bool) -> None:
    paths = Paths(tmp_path, "")
    (tmp_path / "here").touch()
    (tmp_path / "folder").mkdir()
    text = "it: {a: {file: ./here, x-tradebot: {derive: one}}, b: {file: gone}, c: {file: folder}, d: {}}\n"
    found, told = read(text, lambda reader, item: read_files(reader, item, paths, must_exist=must_exist))
    assert found == {
        "a": SecretFile("a", tmp_path / "here", "one"),
        "b": SecretFile("b", tmp_path / "gone"),
        "c": SecretFile("c", tmp_path / "folder"),
    }
    missing = [
        ("TB-0816", f"1: it.{key}.file", f"names {tmp_path / name}, which does not exist", "Create it.")
        for key, name in (("b", "gone"), ("c", "folder"))
    ]
    assert told == [*(missing if must_exist else []), ("TB-0815", "1: it.d", "has no `file`", "Add a `file:` line.")]


def test_a_key_that_nothing_reads() -> None:
    def of(text: str, act: str) -> tuple[str, str, str, str]:
        paths = Paths(Path("/"), "")
        acts = {
            "networks": lambda reader, item: read_networks(reader, item, "demo"),
            "volumes": lambda reader, item: read_volumes(reader, item, "demo"),
            "files": lambda reader, item: read_files(reader, item, paths, must_exist=False),
        }
        (problem,) = read(f"it: {text}\n", acts[act])[1]
        return problem

    names = "Supported here: driver, external, internal, name."
    assert of("{a: {zone: 1}}", "networks") == ("TB-0813", "1: it.a.zone", KEY, names)
    assert of("{a: {zone: 1}}", "volumes") == (
        "TB-0813",
        "1: it.a.zone",
        KEY,
        "Supported here: driver, external, name.",
    )
    assert of("{a: {file: x, zone: 1}}", "files") == ("TB-0813", "1: it.a.zone", KEY, "Supported here: file.")
    inside = "Supported here: derive."
    told = of("{a: {file: x, x-tradebot: {zone: 1}}}", "files")
    assert told == ("TB-0813", "1: it.a.x-tradebot.zone", KEY, inside)
