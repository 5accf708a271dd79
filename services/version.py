"""The version, as ``/health`` and heartbeats report it: that of ``tradebot_ops``, written here once more because images
run the services from a plain folder, with no distribution to ask."""

VERSION = "0.1.0"
