"""One logging configuration for API, worker and migrate: structlog, JSON or console, secrets taken out.

Records of other libraries (uvicorn, dramatiq, alembic) go through the same pipeline, so every line of a
service has the same shape: ``timestamp``, ``level``, ``event``, ``logger``, and whatever was bound to the
context.
"""

import logging
import re
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import structlog

from services.common.settings import Settings, secrets_of

if TYPE_CHECKING:
    from structlog.typing import EventDict, Processor

REDACTED = "[REDACTED]"
_SECRET_NAME = re.compile(r"passw|secret|token|api[-_]?key|authorization|cookie|credential", re.IGNORECASE)
_URL_PASSWORD = re.compile(r"(\w+://[^\s:/@]*):[^\s/@]+@")
_SHORTEST_SECRET = 8
_READ_AGAIN_S = 1.0
_TRIED_AGAIN = "Consumer encountered a connection error"


class Redactor:
    """Processor that masks values by their name, passwords in URLs, and the given secrets anywhere.

    Secrets may change: ``read`` is asked again, once a second at most; earlier ones stay masked.
    """

    def __init__(self, secrets: Iterable[str] = (), read: Callable[[], Iterable[str]] | None = None) -> None:
        self._secrets = set(secrets)
        self._read = read
        self._read_at = time.monotonic()
        self._known = _any_of(self._secrets)

    def __call__(self, _logger: Any, _method: str, event: "EventDict") -> "EventDict":
        for name, value in event.items():
            event[name] = self._value(name, value)
        return event

    def _value(self, name: str, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._value(str(key), inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self._value(name, inner) for inner in value]
        if isinstance(value, str):
            return REDACTED if value and _SECRET_NAME.search(name) else self.text(value)
        return value

    def text(self, value: str) -> str:
        if "://" in value:
            value = _URL_PASSWORD.sub(rf"\1:{REDACTED}@", value)
        self._refresh()
        return self._known.sub(REDACTED, value) if self._known else value

    def _refresh(self) -> None:
        if self._read is None or time.monotonic() - self._read_at < _READ_AGAIN_S:
            return
        self._read_at = time.monotonic()
        with suppress(OSError, ValueError):
            found = set(self._read())
            if not found <= self._secrets:
                self._secrets |= found
                self._known = _any_of(self._secrets)


def _any_of(secrets: Iterable[str]) -> re.Pattern[str] | None:
    known = sorted((re.escape(s) for s in secrets if len(s) >= _SHORTEST_SECRET), key=len, reverse=True)
    return re.compile("|".join(known)) if known else None


def configure_logging(settings: Settings) -> None:
    """Set up structlog and the standard library's logging; later calls replace the earlier configuration."""
    redactor = redactor_for(settings)
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    ending: list[Processor] = [structlog.processors.format_exc_info, redactor, _renderer(settings)]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        # A cached logger keeps the processors it began with, whatever comes later. This costs 2 µs a line.
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.addFilter(_milder)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *ending],
        )
    )
    _take_over(handler, settings.log_level.upper())


def redactor_for(settings: Settings) -> Redactor:
    """A redactor that knows the secrets of these settings."""

    def read() -> list[str]:
        return [secret.get_secret_value() for secret in secrets_of(settings).values()]

    return Redactor(read(), read)


def _renderer(settings: Settings) -> "Processor":
    if settings.log_format == "console":
        return structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty())
    return structlog.processors.JSONRenderer(default=str)


def _milder(record: logging.LogRecord) -> bool:
    """Dramatiq calls each attempt to reach Redis critical; it goes on trying, and `up` recreates Redis now and then."""
    if record.name.startswith("dramatiq.") and str(record.msg).startswith(_TRIED_AGAIN):
        record.levelno, record.levelname = logging.WARNING, "WARNING"
    return True


def _take_over(handler: logging.Handler, level: str) -> None:
    """Make our handler the only one, also for libraries that brought their own."""
    for name in list(logging.root.manager.loggerDict):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    logging.root.handlers = [handler]
    logging.root.setLevel(level)
    logging.captureWarnings(capture=True)
    # The pool warns at every attempt of an outage; the service says it once, in its own words.
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)
