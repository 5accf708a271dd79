"""What somebody may have meant: asked in one way for services, keys of compose.yaml, alerts and runbooks."""

import pytest

from tests.paths import ROOT
from tradebot_ops.text.suggest import did_you_mean

KNOWN = ("worker", "redis", "HighCPUUsage")


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("wroker", "Did you mean `worker`?"),
        ("highcpuusag", "Did you mean `HighCPUUsage`?"),
        ("REDIS", "Did you mean `redis`?"),
        ("prometheus", ""),
        ("", ""),
    ],
)
def test_the_closest_known_word(word: str, meant: str) -> None:
    assert did_you_mean(word, KNOWN) == meant


def test_nobody_else_compares_words() -> None:
    found = {path.name for path in ROOT.glob("tradebot_ops/**/*.py") if "get_close_matches" in path.read_text()}
    assert found == {"suggest.py"}
