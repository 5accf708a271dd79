"""``python -m services.api``: serve the API in our log format until SIGTERM, then finish open requests."""

import signal
import ssl
import sys
from pathlib import Path
from types import FrameType

import uvicorn
from fastapi import FastAPI

from services.api.app import create_app
from services.api.job_streams import JobStreams
from services.common.logging import configure_logging
from services.common.settings import Settings, listen_address

GRACE_S = 20


def main() -> int:
    try:
        settings = Settings()
        host, port = listen_address(settings.api_listen)
        tls = tls_files(settings)
        app = create_app(settings)
    except (ValueError, OSError) as error:
        raise SystemExit(f"The API cannot start: {error}") from error
    # After the imports, so that no library has the last word about handlers.
    configure_logging(settings)
    # uvicorn raises the signal again once it has shut down; without this, a clean end looks like a kill.
    signal.signal(signal.SIGTERM, lambda _number, _frame: None)
    Server(server_config(app, host, port, tls), app.state.dependencies.job_streams).run()
    return 0


class Server(uvicorn.Server):
    """Ends the streams of jobs as soon as it is to end: it waits for open requests, and these last for hours."""

    def __init__(self, config: uvicorn.Config, streams: JobStreams) -> None:
        super().__init__(config)
        self._streams = streams

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._streams.close()
        super().handle_exit(sig, frame)


class Config(uvicorn.Config):
    """Over TLS nothing older than 1.2, whatever this host's OpenSSL would take."""

    def load(self) -> None:
        super().load()
        if self.ssl:
            self.ssl.minimum_version = ssl.TLSVersion.TLSv1_2


def tls_files(settings: Settings) -> tuple[Path, Path] | None:
    """The certificate and its key where the API answers over TLS. Raises ``ValueError`` where they cannot serve."""
    if settings.api_scheme == "http":
        return None
    certificate, key = settings.api_tls_cert_file, settings.api_tls_key_file
    if certificate is None or key is None:
        raise ValueError("API_SCHEME is https, and API_TLS_CERT_FILE or API_TLS_KEY_FILE names no file")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    except OSError as error:
        raise ValueError(f"the certificate {certificate} cannot serve with the key {key}: {_reason(error)}") from None
    return certificate, key


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        mismatch = error.reason == "KEY_VALUES_MISMATCH"
        return "the key is another certificate's" if mismatch else "they are no certificate and key in PEM"
    return error.strerror or str(error)


def server_config(app: FastAPI, host: str, port: int, tls: tuple[Path, Path] | None = None) -> uvicorn.Config:
    """Logging is ours, and the application says more about a request than the server's access log would."""
    certificate, key = tls or (None, None)
    return Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
        ssl_certfile=certificate,
        ssl_keyfile=key,
    )


if __name__ == "__main__":
    sys.exit(main())
