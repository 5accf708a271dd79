"""The version of the services, as ``/health`` and heartbeats report it."""

from importlib.metadata import PackageNotFoundError, version


def installed_version() -> str:
    """Of the distribution; images may run the services from a plain folder, without it."""
    try:
        return version("tradebot-ops")
    except PackageNotFoundError:
        return "0+unknown"


VERSION = installed_version()
