"""Docker: the stack as containers. Importing this costs the SDK, so it is done when Docker was chosen."""

from tradebot_ops.engines.docker.engine import DockerEngine

__all__ = ["DockerEngine"]
