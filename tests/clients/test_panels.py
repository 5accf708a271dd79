"""The API's own code, run beside a command line whose API is away, against a small Prometheus."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.prometheus import StandIn, stand_in, steady
from tradebot_ops.clients import panels
from tradebot_ops.clients.panels import Panels
from tradebot_ops.clients.rest import Login
from tradebot_ops.errors import OpsError
from tradebot_ops.settings import Secret

FILE = Path(__file__).parents[2] / "config/grafana/dashboards/trading-bot-dashboard.json"
LOGIN = Login("tradebot", Secret("s3cret"))


@pytest.fixture
def prometheus() -> Iterator[StandIn]:
    """Every query has one series that is 7 at every step."""
    with stand_in() as made:
        made.answer = steady("7")
        yield made


def test_every_panel_of_the_dashboard_comes_with_its_series(prometheus: StandIn) -> None:
    found = Panels(prometheus.url, LOGIN).look(FILE, "15m")
    assert (found["note"], found["status"], found["range"], len(found["panels"])) == ("", "ok", "15m", 18)
    assert {panel["title"]: panel["value"] for panel in found["panels"]}["Active Workers"] == 7
    assert all(panel["series"][0]["values"] == [7] * len(found["times"]) for panel in found["panels"])
    assert set(prometheus.logins) == {"Basic " + base64.b64encode(b"tradebot:s3cret").decode()}


def test_a_refused_password_is_the_document_s_to_say(prometheus: StandIn) -> None:
    prometheus.answer = lambda _form: (401, b"")
    found = Panels(prometheus.url, LOGIN).look(FILE, "15m")
    assert found["status"] == "unavailable"
    assert "refused our password" in found["note"]


def test_a_prometheus_that_is_away_is_the_document_s_to_say() -> None:
    assert Panels("http://127.0.0.1:1", LOGIN).look(FILE, "1h")["status"] == "unavailable"


def test_a_dashboard_that_is_none_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(OpsError, match=r"broken\.json is not valid JSON") as caught:
        Panels("http://127.0.0.1:1", LOGIN).look(tmp_path / "broken.json", "1h")
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
