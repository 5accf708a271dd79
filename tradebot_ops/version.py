"""The version, written here alone: asking the installed distribution for it would cost `--version` half its time."""

__version__ = "0.1.0"


def version() -> str:
    return __version__
