"""Stage 3 broken on purpose."""

from tests.drill.sabotage.fault import Act, Fault, editing, hanging, stopping
from tests.integration.tradebot import Tradebot

_OBSERVED = ("MON-01", "MON-02", "MON-03", "MON-04", "MON-08", "MON-09")


def _typing(*words: str) -> Act:
    def run(stack: Tradebot) -> None:
        stack.ok(*words)

    return run


def scaled(count: int, before: int) -> tuple[Act, Act]:
    return (
        _typing("scale", "worker", str(count), "--no-persist"),
        _typing("scale", "worker", str(before), "--no-persist"),
    )


def _applied(acts: tuple[Act, Act], service: str) -> tuple[Act, Act]:
    """The same, with the description then put in force for one service."""

    def then(act: Act) -> Act:
        def both(stack: Tradebot) -> None:
            act(stack)
            stack.ok("up", service, timeout=300)

        return both

    return then(acts[0]), then(acts[1])


FAULTS = (
    Fault("a service without its replica", "SVC-01", "fail", *stopping("node-exporter"),
          also=("SVC-02", "SVC-06", *_OBSERVED)),
    Fault("a worker more than described", "SVC-01", "warn", *scaled(3, 2), also=("SVC-03", "MON-02", "MON-03")),
    Fault("a service that hangs", "SVC-02", "fail", *hanging("node-exporter-1"), also=_OBSERVED),
    Fault("a replica that was started this minute", "SVC-03", "warn",
          _typing("restart", "node-exporter"), lambda stack: None),
    Fault("a stop that leaves no time to hand back jobs", "SVC-08", "warn",
          *_applied(editing("compose.yaml", "stop_grace_period: 45s", "stop_grace_period: 9s"), "worker"),
          also=("SVC-03", "SVC-06")),
    Fault("a service that nothing describes any more", "SVC-09", "warn",
          *editing("compose.yaml", "  node-exporter:\n", "  node-exporter-to-come:\n"), also=("SVC-01", "SVC-02")),
    Fault("other source than what runs", "SVC-07", "warn",
          *editing("services/api/housekeeping.py", "import", "# Edited.\nimport")),
)  # fmt: skip
