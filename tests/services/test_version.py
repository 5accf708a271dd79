"""Both halves are released together."""

from services.version import VERSION
from tradebot_ops.version import __version__


def test_the_services_are_of_the_same_version_as_the_command() -> None:
    assert __version__ == VERSION
