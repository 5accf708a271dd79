"""The API's own code, run beside a command line whose API is away, against a small Prometheus."""

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from tradebot_ops.errors import OpsError
from tradebot_ops.settings import Secret
from tradebot_ops.sources import panels
from tradebot_ops.sources.panels import Panels
from tradebot_ops.sources.rest import Login

FILE = Path(__file__).parents[2] / "config/grafana/dashboards/trading-bot-dashboard.json"
LOGIN = Login("tradebot", Secret("s3cret"))


@pytest.fixture
def prometheus() -> Iterator[str]:
    """Every query has one series that is 7 at every step, for whoever knows the password."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            start, end, step = (int(form[name][0]) for name in ("start", "end", "step"))
            series = {"metric": {"job": "x"}, "values": [[at, "7"] for at in range(start, end + 1, step)]}
            known = self.headers["Authorization"] == "Basic " + base64.b64encode(b"tradebot:s3cret").decode()
            answer = json.dumps({"status": "success", "data": {"resultType": "matrix", "result": [series]}}).encode()
            self.send_response(200 if known else 401)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Nothing into the test's output."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_every_panel_of_the_dashboard_comes_with_its_series(prometheus: str) -> None:
    found = Panels(prometheus, LOGIN).look(FILE, "15m")
    assert (found["status"], found["range"], len(found["panels"])) == ("ok", "15m", 12)
    assert {panel["title"]: panel["value"] for panel in found["panels"]}["Active Workers"] == 7
    assert all(panel["series"][0]["values"] == [7] * len(found["times"]) for panel in found["panels"])


def test_a_refused_password_is_the_document_s_to_say(prometheus: str) -> None:
    found = Panels(prometheus, Login("tradebot", Secret("old"))).look(FILE, "15m")
    assert found["status"] == "unavailable"
    assert "refused our password" in found["note"]


def test_a_prometheus_that_is_away_is_the_document_s_to_say() -> None:
    assert Panels("http://127.0.0.1:1", LOGIN).look(FILE, "1h")["status"] == "unavailable"


def test_a_dashboard_that_is_none_is_one_sentence(prometheus: str, tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(OpsError, match=r"broken\.json is not valid JSON") as caught:
        Panels(prometheus, LOGIN).look(tmp_path / "broken.json", "1h")
    assert caught.value.code == "TB-0541"


def test_services_of_whatever_folder_one_stands_in_are_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "services").mkdir()
    (tmp_path / "services" / "__init__.py").write_text("raise SystemExit('another project')")
    monkeypatch.chdir(tmp_path)
    assert Panels("http://127.0.0.1:1", LOGIN).look(FILE, "1h")["status"] == "unavailable"


def test_what_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(panels, "SECONDS", 0.01)
    with pytest.raises(OpsError, match="within"):
        Panels("http://127.0.0.1:1", LOGIN).look(FILE, "1h")
