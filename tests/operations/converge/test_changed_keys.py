"""Which keys of a description changed since it was in force, in words; and what is remembered for that."""

from dataclasses import replace
from pathlib import Path

import pytest

from tradebot_ops.context import Ops
from tradebot_ops.engines.stub import StubEngine
from tradebot_ops.operations.converge.changed_keys import ChangedKey, differences, hidden, origin, remember, sentence
from tradebot_ops.records import Descriptions
from tradebot_ops.settings import load_settings
from tradebot_ops.stack.load import tree_of

COMPOSE = """
services:
  app: {image: "app:1", command: [run], environment: {A_TOKEN: s3cret, TOKEN_FILE: /run/token, PLAIN: one}}
  other: {image: "other:1", command: [run]}
"""


@pytest.mark.parametrize(
    ("before", "now", "found"),
    [
        ({"a": "1"}, {"a": "1"}, []),
        ({"a": "1", "c": "x"}, {"a": "2", "b": "3"}, [("a", "1", "2"), ("b", "", "3"), ("c", "x", "")]),
        ({"l": "a\nb\nc d"}, {"l": "b\nc d\ne"}, [("l", "a", "e")]),
        ({"l": "a\nb"}, {"l": "a"}, [("l", "b", "")]),
        ({"l": "a"}, {"l": "a\nb c"}, [("l", "", "b c")]),
        ({"l": "a\nb"}, {"l": "b\na"}, [("l", "a b", "b a")]),
        # Another secret, shown alike.
        ({"s": "[REDACTED]\0aa"}, {"s": "[REDACTED]\0bb"}, [("s", "[REDACTED]", "[REDACTED]")]),
    ],
)
def test_differences(before: dict[str, str], now: dict[str, str], found: list[tuple[str, str, str]]) -> None:
    assert differences(before, now) == found


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("1", "2", "k: 1 -> 2 (f:1)"),
        ("", "2", "k: nothing -> 2 (f:1)"),
        ("x" * 60, "", f"k: {'x' * 60} -> nothing (f:1)"),
        ("x" * 61, "1", f"k: {'x' * 59}… -> 1 (f:1)"),
    ],
)
def test_a_key_in_words(before: str, after: str, said: str) -> None:
    assert str(ChangedKey("k", before, after, "f:1")) == said


def test_more_than_three_keys_are_counted() -> None:
    keys = [ChangedKey(name, "1", "2", "f") for name in "abcde"]
    assert [sentence(keys[:count]) for count in (0, 1, 3)] == [
        "", "a: 1 -> 2 (f)", "a: 1 -> 2 (f); b: 1 -> 2 (f); c: 1 -> 2 (f)",
    ]  # fmt: skip
    assert sentence(keys[:4]).endswith("c: 1 -> 2 (f); 1 more")
    assert sentence(keys).endswith("; 2 more")


@pytest.fixture
def ops(tmp_path: Path) -> Ops:
    (tmp_path / "compose.yaml").write_text(COMPOSE)
    environ = {"TRADEBOT_STATE": str(tmp_path / "state"), "HOME": str(tmp_path)}
    made = Ops(load_settings({"project": "demo"}, environ, tmp_path), StubEngine("demo"))
    made.engine.prepare(made.stack, lambda service, line: None)
    return made


def test_a_secret_is_not_remembered_and_yet_seen_to_be_another_one(ops: Ops) -> None:
    keys = hidden(ops.stack, ops.stack.services["app"])
    token = keys["environment.A_TOKEN"]
    assert token.startswith("[REDACTED]\0")
    assert len(token.partition("\0")[2]) == 8
    assert keys["environment.PLAIN"] == "one"
    assert "s3cret" not in str(keys)


def test_descriptions_are_remembered_once_and_forgotten_with_their_last_replica(ops: Ops) -> None:
    app, other = (ops.stack.services[name] for name in ("app", "other"))
    ops.engine.apply(ops.stack, "app", 1)
    running, over = "runs by it", "nobody has it"
    (found,) = ops.engine.list()
    vars(ops.engine)["list"] = lambda: (replace(found, spec_hash=running),)
    ops.state.store(Descriptions({running: {"a": "1"}, over: {"b": "2"}}))
    remember(ops, ["app"])
    assert ops.state.load(Descriptions).keys == {running: {"a": "1"}, app.spec_hash: hidden(ops.stack, app)}
    remember(ops, ["app", "other"])
    assert set(ops.state.load(Descriptions).keys) == {running, app.spec_hash, other.spec_hash}
    # Nothing new: nothing is written, nor forgotten.
    vars(ops.engine)["list"] = tuple
    remember(ops, ["app", "other"])
    assert running in ops.state.load(Descriptions).keys


def test_the_variables_of_a_value_are_named_in_order(tmp_path: Path) -> None:
    names = ["VAR_D", "VAR_B", "VAR_E", "VAR_A", "VAR_C"]
    image = "".join(f"${{{name}}}" for name in names)
    (tmp_path / "compose.yaml").write_text(f'services:\n  app:\n    image: "{image}"\n')
    environ = {"HOME": str(tmp_path), "TRADEBOT_STATE": str(tmp_path / "state"), **dict.fromkeys(names, "x")}
    ops = Ops(load_settings({"project": "demo"}, environ, tmp_path), StubEngine("demo"))
    found = origin(ops, tree_of(ops.source, ops.variables), "app", "image")
    assert found == ", ".join(["compose.yaml:3", *(f"{name} from environment" for name in sorted(names))])
