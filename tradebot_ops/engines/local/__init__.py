"""Services as supervised processes of this host, for machines without Docker."""

from tradebot_ops.engines.local.engine import LocalEngine

__all__ = ["LocalEngine"]
