"""docs/stack.md is the documented subset: what the reader takes is what it lists."""

import re
from pathlib import Path

import pytest

import tradebot_ops
from tradebot_ops.stack import hashing, load
from tradebot_ops.stack.reading import mounts, ports, service, toplevel

DOCUMENT = (Path(tradebot_ops.__file__).resolve().parent.parent / "docs" / "stack.md").read_text(encoding="utf-8")


def row(where: str) -> set[str]:
    """The keys that a row of the table lists."""
    line = next(line for line in DOCUMENT.splitlines() if line.startswith(f"| {where} |"))
    words = re.findall(r"`([^`]+)`", line.split("|")[2])
    return {word.partition(":")[0].partition(".")[0] for word in words if re.fullmatch(r"[a-z_.]+(: false)?", word)}


@pytest.mark.parametrize(
    ("where", "read"),
    [
        ("top level", load.TOP),
        ("service", service.SUPPORTED),
        ("`build`", service.BUILD),
        ("`healthcheck`", service.HEALTH),
        ("`ports`", ports.LONG),
        ("`volumes`", mounts.LONG),
        ("`secrets`, `configs` of a service", mounts.REFERENCE),
        ("top-level `networks`", toplevel.NETWORK),
        ("top-level `volumes`", toplevel.VOLUME),
        ("top-level `secrets`, `configs`", toplevel.FILE),
    ],
)
def test_every_key_that_is_read_is_documented(where: str, read: frozenset[str]) -> None:
    assert row(where) == read


def test_every_own_key_is_documented() -> None:
    own = DOCUMENT.partition("## x-tradebot")[2].partition("## ")[0]
    assert set(re.findall(r"^\| `(\w+):", own, re.MULTILINE)) == service.OWN | {"derive"}


def test_the_bounds_are_the_ones_documented() -> None:
    assert f"{hashing.MAX_FILES} files and {hashing.MAX_BYTES // 1024**2} MiB" in DOCUMENT
