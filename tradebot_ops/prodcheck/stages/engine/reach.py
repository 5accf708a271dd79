"""The engine itself: that it answers, and soon enough."""

from tradebot_ops.facts import engine
from tradebot_ops.prodcheck.check import Severity, Verdict, check, passed, warned

SLOW_SECONDS = 0.5


@check(
    "ENG-01",
    "The engine answers",
    asks=(engine.reach,),
    severity=Severity.CRITICAL,
    source="design: everything else is asked through the engine",
    anchor="compose.yaml",
    remedy="tradebot status --engine local",
)
def answers(reach: engine.Reach) -> Verdict:
    """Without the engine nothing can be started, stopped or looked at. A slow one makes every command slow, and a
    health check that times out calls a healthy service broken.
    """
    observed = f"{reach.name}, {1000 * reach.seconds:.0f} ms"
    evidence = f"{reach.name} engine, list of replicas: {len(reach.replicas)}"
    if reach.seconds > SLOW_SECONDS:
        return warned(
            f"The {reach.name} engine took {reach.seconds:.1f} s to answer.",
            observed=observed,
            expected=f"under {1000 * SLOW_SECONDS:.0f} ms",
            evidence=evidence,
            hint="tradebot status --cpu",
        )
    return passed(f"The {reach.name} engine answers.", observed=observed, evidence=evidence)
