"""Headless Chromium over its DevTools protocol: just what the tests of the page need."""

import itertools
import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.programs import missing

NAMES = ("chromium", "chromium-browser", "google-chrome")
START_S = 30.0
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
)


@dataclass
class Page:
    """One tab. ``console`` holds what the page complained about, ``requests`` every address it asked for."""

    connection: ClientConnection
    session: str = ""
    console: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    _ids: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        number = next(self._ids)
        message = {"id": number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        self.connection.send(json.dumps(message))
        while True:
            answer = json.loads(self.connection.recv(timeout=START_S))
            self._note(answer)
            if answer.get("id") == number:
                assert "error" not in answer, answer["error"]
                return dict(answer["result"])

    def evaluate(self, script: str) -> Any:
        """The value of a JavaScript expression; promises are awaited."""
        found = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def until(self, script: str, within_s: float = 20.0) -> Any:
        """Ask until the expression is true, also while the page is being replaced."""
        deadline = time.monotonic() + within_s
        while True:
            try:
                if value := self.evaluate(script):
                    return value
            except AssertionError:
                if time.monotonic() > deadline:
                    raise
            if time.monotonic() > deadline:
                text = self.evaluate("document.body.innerText")
                raise AssertionError(f"{script}: not within {within_s:g} s; the page says:\n{text}\n{self.console}")
            time.sleep(0.05)

    def look(self, width: int, height: int = 900, scheme: str = "light") -> None:
        """The size of the window, and what the user prefers."""
        mobile = width < 600
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=mobile)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def open(self, url: str) -> None:
        self.call("Page.navigate", url=url)

    def _note(self, message: dict[str, Any]) -> None:
        params = message.get("params", {})
        if message.get("method") == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.console.append(params["entry"]["text"])
        elif message.get("method") == "Runtime.exceptionThrown":
            self.console.append(str(params["exceptionDetails"]))
        elif message.get("method") == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])


@contextmanager
def browser(folder: Path) -> Iterator[Page]:
    """A browser with a profile of its own in ``folder``, and one empty tab."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        missing("Chromium is not installed")
    errors = folder / "chromium.log"
    with errors.open("wb") as log:
        command = [str(program), *FLAGS, f"--user-data-dir={folder / 'profile'}", "about:blank"]
        process = subprocess.Popen(command, stderr=log, stdout=log)
    try:
        with connect(_address(errors, process), max_size=None) as connection:
            yield _tab(connection)
    finally:
        process.terminate()
        process.wait(20)


def _address(log: Path, process: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + START_S
    while not (found := re.search(r"ws://\S+", log.read_text(errors="replace"))):
        assert process.poll() is None, f"Chromium ended: {log.read_text(errors='replace')[-500:]}"
        assert time.monotonic() < deadline, "Chromium does not start"
        time.sleep(0.05)
    return found[0]


def _tab(connection: ClientConnection) -> Page:
    page = Page(connection)
    target = page.call("Target.createTarget", url="about:blank")["targetId"]
    page.session = page.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
    for domain in ("Page", "Runtime", "Log", "Network"):
        page.call(f"{domain}.enable")
    return page
