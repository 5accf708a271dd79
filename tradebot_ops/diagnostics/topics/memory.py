"""Memory and pressure of the host, swap of the stores."""

from tradebot_ops.diagnostics.topic import Topic, View, doubtful, look, wrong
from tradebot_ops.engines.inspection import EngineInfo
from tradebot_ops.facts import engine, host
from tradebot_ops.text.quantities import human_bytes

TOPIC = Topic("memory", "Host", order=85)
#: Shares from which on waiting is doubtful, and wrong.
PRESSED, HARD_PRESSED = 0.2, 0.6


@look(asks=(engine.info,))
def size(info: EngineInfo) -> View:
    return View((("memory", human_bytes(info.memory)), ("processors", str(info.cpus))))


@look(asks=(host.pressure,))
def pressure(found: host.Pressure) -> View:
    """Shares of the last minutes in which some process waited (PSI)."""
    problems = []
    for resource, share in found.some.items():
        if share > PRESSED:
            say = wrong if share > HARD_PRESSED else doubtful
            problems.append(say(f"Work waits for {resource} {share:.0%} of the time.", "tradebot diag performance"))
    for service, swapped in found.swap.items():
        if swapped:
            problems.append(
                doubtful(f"{service} is partly swapped out: {human_bytes(swapped)}.", "tradebot optimize plan")
            )
    return View(tuple((f"waits for {name}", f"{share:.0%}") for name, share in found.some.items()),
                problems=tuple(problems))  # fmt: skip
