"""``python -m tradebot_ops``."""

from tradebot_ops.cli.entry import main

main()
