"""Trading strategies of the backtester: every module here defines one as ``STRATEGY``."""
