"""The line that one would edit."""

from pathlib import Path

import pytest

from tradebot_ops.prodcheck.anchors import resolve


@pytest.mark.parametrize(
    ("anchor", "place"),
    [
        ("compose.yaml", "compose.yaml"),
        ("compose.yaml#redis", "compose.yaml:3"),
        ("compose.yaml#maxmemory", "compose.yaml:4"),
        ("compose.yaml#nothing", "compose.yaml"),
        ("gone.yaml#redis", "gone.yaml"),
        (".env#REDIS_PORT", ".env:2"),
    ],
)
def test_a_text_becomes_its_line(tmp_path: Path, anchor: str, place: str) -> None:
    (tmp_path / "compose.yaml").write_text("# redis is below\nservices:\n  redis:\n    command: --maxmemory 1gb\n")
    (tmp_path / ".env").write_text("# REDIS_PORT=1\nREDIS_PORT=6379\n")
    assert resolve(anchor, tmp_path) == place
