"""Unit tests of the API write no log lines into the test's output."""

import pytest
import structlog


@pytest.fixture(autouse=True)
def _quiet() -> None:
    structlog.configure(processors=[], logger_factory=structlog.ReturnLoggerFactory())
