"""``python -m tradebot_ops``."""

from tradebot_ops.cli.main import main

main()
