"""`diag net --port`: who listens on one port, asked of the stack; instead of netstat."""

from dataclasses import asdict

from tradebot_ops.context import Ops
from tradebot_ops.diagnostics.topics.net import listeners
from tradebot_ops.facts.access import ports
from tradebot_ops.facts.asking import Facts
from tradebot_ops.facts.fact import Effect
from tradebot_ops.model import Finding, Level, Report, Section


def report(ops: Ops, port: int) -> Report:
    """Every replica that shows this port on this host, or listens on it inside.

    Raises ``OpsError`` when that cannot be known.
    """
    seen = Facts(ops, set(Effect) - {Effect.NONE}).required(ports.seen)
    found = tuple(each for each in seen.ports if port in {each.port, each.target})
    data = {"port": port, "listeners": [asdict(each) for each in found]}
    if not found:
        finding = Finding(
            Level.FAIL, "diag.net", f"Nothing of the stack listens on port {port}.", hint="tradebot diag net"
        )
        return Report(data=data, findings=(finding,))
    return Report(data=data, sections=(Section(tables=(listeners(found),)),))
