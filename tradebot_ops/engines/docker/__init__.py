"""Docker: the stack as containers.

Importing this package costs nothing: ``locate`` is asked before an engine is chosen, and the SDK is imported with
``DockerEngine``, when Docker was chosen.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tradebot_ops.engines.docker.engine import DockerEngine

__all__ = ["DockerEngine"]


def __getattr__(name: str) -> object:
    if name == "DockerEngine":
        from tradebot_ops.engines.docker.engine import DockerEngine

        return DockerEngine
    raise AttributeError(name)
