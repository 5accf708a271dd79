"""``python -m services.api``: serve the API in our log format until SIGTERM, then finish open requests."""

import signal
import sys
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
        app = create_app(settings)
    except (ValueError, OSError) as error:
        raise SystemExit(f"The API cannot start: {error}") from error
    # After the imports, so that no library has the last word about handlers.
    configure_logging(settings)
    # uvicorn raises the signal again once it has shut down; without this, a clean end looks like a kill.
    signal.signal(signal.SIGTERM, lambda _number, _frame: None)
    Server(server_config(app, host, port), app.state.dependencies.job_streams).run()
    return 0


class Server(uvicorn.Server):
    """Ends the streams of jobs as soon as it is to end: it waits for open requests, and these last for hours."""

    def __init__(self, config: uvicorn.Config, streams: JobStreams) -> None:
        super().__init__(config)
        self._streams = streams

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._streams.close()
        super().handle_exit(sig, frame)


def server_config(app: FastAPI, host: str, port: int) -> uvicorn.Config:
    """Logging is ours, and the application says more about a request than the server's access log would."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
    )


if __name__ == "__main__":
    sys.exit(main())
