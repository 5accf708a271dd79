"""Configuration of Prometheus and Alertmanager where the settings want more than the stack's own files say."""

from tradebot_ops.context import Ops
from tradebot_ops.operations.monitoring import channels, over_tls


def ensure(ops: Ops) -> None:
    """Write, renew or remove the copies in the project's state. To be called before the stack is read; raises as the
    two parts do."""
    channels.ensure(ops)
    over_tls.ensure(ops)
