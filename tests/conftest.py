"""What holds for every test."""

import signal

# A shell that starts the tests in the background has them ignore Ctrl-C, and every command they start inherits that.
signal.signal(signal.SIGINT, signal.default_int_handler)
