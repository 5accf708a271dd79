"""What it brings to ask all that prod-check wants to know at once: the same facts one after another, in turn.

    python -m tests.bench.checks [--rounds 5]

Brings up the whole stack on the local engine. Canary jobs and test alerts are left out: they wait, and waiting would
flatter the comparison. The target is that together takes 0.35 of one after another at most.
"""

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.integration.tradebot import Tradebot
from tests.paths import ROOT
from tradebot_ops.context import Ops
from tradebot_ops.facts.asking import Facts
from tradebot_ops.facts.fact import Effect
from tradebot_ops.prodcheck.catalogue import catalogue
from tradebot_ops.settings import load_settings

TARGET = 0.35
WITHOUT = frozenset({Effect.CANARY, Effect.ALERT})
FACTS = tuple(dict.fromkeys(fact for stage in catalogue() for check in stage.checks for fact in check.asks))


def seconds(tradebot: Tradebot, *, together: bool) -> float:
    """With connections of its own: what one round opened, the next does not find open."""
    flags = {"project": tradebot.project, "engine": "local"}
    facts = Facts(Ops(load_settings(flags, tradebot.environment(), ROOT)), WITHOUT)
    began = time.monotonic()
    if together:
        facts.start(FACTS)
    for fact in FACTS:
        facts.value(fact)
    return time.monotonic() - began


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    folder = Path(tempfile.mkdtemp(prefix="bench-checks-"))
    tradebot = Tradebot(folder, "local", ROOT)
    tradebot.environ["TRADEBOT_PROFILES"] = "monitoring"
    try:
        tradebot.ok("up", timeout=300)
        pairs = [(seconds(tradebot, together=True), seconds(tradebot, together=False)) for _ in range(rounds)]
    finally:
        tradebot.clean()
        shutil.rmtree(folder, ignore_errors=True)
    ratio = statistics.median(at_once / in_turn for at_once, in_turn in pairs)
    for at_once, in_turn in pairs:
        print(f"{len(FACTS)} facts: together {at_once:.2f} s, one after another {in_turn:.2f} s")
    print(f"ratio {ratio:.2f} (target {TARGET}), load {os.getloadavg()[0]:.1f}")
    return 0 if ratio <= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
