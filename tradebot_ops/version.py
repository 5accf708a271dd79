"""The version of the installed distribution."""

from importlib import metadata


def version() -> str:
    try:
        return metadata.version("tradebot-ops")
    except metadata.PackageNotFoundError:
        return "0.0.0+source"
