"""A small stack to bend in tests."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tradebot_ops.errors import OpsError
from tradebot_ops.stack.load import load
from tradebot_ops.stack.model import Service, Stack
from tradebot_ops.stack.source import Source

Load = Callable[..., Stack]
Refused = Callable[..., OpsError]


@pytest.fixture
def load_text(tmp_path: Path) -> Load:
    """Load YAML texts as compose.yaml and its overrides; keywords go to ``load``, except ``environ``."""

    def run(*texts: str, environ: dict[str, str] | None = None, **options: Any) -> Stack:
        files = []
        for number, text in enumerate(texts):
            files.append(tmp_path / ("compose.yaml" if number == 0 else f"override{number}.yaml"))
            files[-1].write_text(text, encoding="utf-8")
        source = Source(tuple(files), tmp_path, "a test")
        # The schema is remembered between the loads of one test, as the CLI does between commands.
        return load(source, environ or {}, **{"project": "demo", "cache": tmp_path / "cache", **options})

    return run


@pytest.fixture
def load_service(load_text: Load) -> Callable[..., Service]:
    """Load one service ``app`` from the YAML lines of its keys, and what stands at the top level besides."""

    def run(keys: str, top: str = "", **options: Any) -> Service:
        lines = "\n".join(f"    {line}" for line in keys.strip().splitlines())
        return load_text(f"services:\n  app:\n    image: app:1\n{lines}\n{top}", **options).services["app"]

    return run


@pytest.fixture
def refused(load_text: Load) -> Refused:
    """The error that YAML texts end in."""

    def run(*texts: str, **options: Any) -> OpsError:
        with pytest.raises(OpsError) as caught:
            load_text(*texts, **options)
        return caught.value

    return run
