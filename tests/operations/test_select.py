"""What people type for services."""

from pathlib import Path

import pytest

from tradebot_ops.errors import OpsError
from tradebot_ops.operations.select import chosen_services, service_name, with_dependencies
from tradebot_ops.stack.load import load
from tradebot_ops.stack.model import Stack
from tradebot_ops.stack.source import Source

TEXT = """
services:
  web: {image: i, depends_on: [api]}
  api: {image: i, depends_on: [db, cache]}
  worker: {image: i, depends_on: [db]}
  db: {image: i}
  cache: {image: i}
"""


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    path = tmp_path / "compose.yaml"
    path.write_text(TEXT, encoding="utf-8")
    return load(Source((path,), tmp_path, "a test"), {}, project="demo", cache=tmp_path / "cache")


@pytest.mark.parametrize(
    ("typed", "name"), [("api", "api"), ("service=api", "api"), ("workers", "worker"), ("service=workers", "worker")]
)
def test_names_and_their_other_spellings(stack: Stack, typed: str, name: str) -> None:
    assert service_name(stack, typed) == name


def test_an_unknown_name_is_an_error_that_names_what_there_is(stack: Stack) -> None:
    with pytest.raises(OpsError, match="no service 'wroker'.*worker") as caught:
        service_name(stack, "wroker")
    assert caught.value.code == "TB-0201"
    assert caught.value.hint == "Services: web, api, worker, db, cache."


def test_nothing_named_is_everything_and_the_order_is_the_stacks(stack: Stack) -> None:
    assert chosen_services(stack, ()) == ("web", "api", "worker", "db", "cache")
    assert chosen_services(stack, ["db", "workers", "api", "db"]) == ("api", "worker", "db")


def test_dependencies_come_with_what_needs_them_however_far_away(stack: Stack) -> None:
    assert with_dependencies(stack, ["web"]) == ("web", "api", "db", "cache")
    assert with_dependencies(stack, ["worker"]) == ("worker", "db")
    assert with_dependencies(stack, []) == ()
