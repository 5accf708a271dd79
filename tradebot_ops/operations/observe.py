"""What an engine sees, in the words the pure plan understands."""

from tradebot_ops.engines.base import Engine
from tradebot_ops.stack.plan import Observed


def observed(engine: Engine) -> tuple[Observed, ...]:
    return tuple(
        Observed(
            service=found.service,
            number=found.number,
            spec_hash=found.spec_hash,
            content_hash=found.content_hash,
            state=str(found.state),
            exit_code=found.exit_code,
        )
        for found in engine.list()
    )
