"""What holds for every test."""

import signal

from hypothesis import settings

# A shell that starts the tests in the background has them ignore Ctrl-C, and every command they start inherits that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A property says what is true, not how fast: a busy machine would fail one by Hypothesis' 200 ms an example.
settings.register_profile("tradebot", deadline=None)
settings.load_profile("tradebot")
