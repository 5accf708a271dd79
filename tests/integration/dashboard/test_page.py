"""The page in a real browser: login, charts on phone and desk, faults shown as faults, nothing from elsewhere."""

import json

import pytest

from tests.integration.dashboard.browser import Page
from tests.integration.dashboard.conftest import KEY, Server
from tests.prometheus import Answer, Form, StandIn, matrix, refusal, steady

pytestmark = pytest.mark.integration

LOADED = "document.querySelectorAll('.panel').length >= 12"
STATES = "[...document.querySelectorAll('.panel')].map((panel) => panel.dataset.status)"
BANNER = "(document.querySelector('#banner:not([hidden])')?.textContent ?? '')"
WIDER = "document.documentElement.scrollWidth > innerWidth"
#: Charts whose canvas has been painted with something.
PAINTED = """[...document.querySelectorAll('.panel canvas')].filter((canvas) => {
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  return data.some((value) => value > 0);
}).length"""


def log_in(page: Page, api: Server, password: str = KEY) -> None:
    page.open(f"{api.url}/dashboard")
    page.until("document.querySelector('#password') !== null")
    page.evaluate(f"document.querySelector('#password').value = '{password}'")
    page.evaluate("document.querySelector('button').click()")


def panel(title: str) -> str:
    return f"[...document.querySelectorAll('.panel')].find((one) => one.querySelector('h2').textContent === '{title}')"


def refresh(page: Page) -> None:
    """Not before the API asks Prometheus again: it keeps an answer for some seconds, a range has one of its own."""
    page.evaluate(
        "(() => { const range = document.querySelector('#range'); range.value = range.value === '1h' ? '6h' : '15m';"
        "range.dispatchEvent(new Event('change')); })()"
    )


def test_login_then_every_panel_on_desk_and_phone(page: Page, api: Server, prometheus: StandIn) -> None:
    prometheus.answer = steady("0.5", {"queue": "jobs", "endpoint": "/jobs", "instance": "host"})
    page.look(1600)
    log_in(page, api, "wrong")
    page.until("document.querySelector('.message')?.textContent === 'This is not the password.'")
    log_in(page, api)
    page.until(LOADED)
    page.until(f"{PAINTED} === 18")
    assert page.evaluate(STATES) == ["ok"] * 18
    assert not page.evaluate(WIDER)
    for scheme in ("light", "dark"):
        page.look(390, 844, scheme)
        page.until(f"{PAINTED} === 18")
        assert not page.evaluate(WIDER)
        assert page.evaluate("innerWidth") == 390
    # The wrong password's 401 is the only thing the browser may complain about: no script or style was refused.
    assert [text for text in page.console if "401" not in text] == []
    assert {url for url in page.requests if not url.startswith((api.url, "about:"))} == set()


def test_each_fault_of_a_panel_looks_like_one(page: Page, api: Server, prometheus: StandIn) -> None:
    def answer(form: Form) -> Answer:
        if "redis_connected" in form["query"]:
            return refusal("bad_data", "parse error: <b>bold</b>")
        if "node_memory" in form["query"]:
            return matrix()
        return steady("3", until_s=300 if "queue_length" in form["query"] else 0)(form)

    prometheus.answer = answer
    log_in(page, api)
    page.until(LOADED)
    shown = {
        title: page.evaluate(
            f"{panel(title)}.dataset.status + ': ' + {panel(title)}.querySelector('.note').textContent"
        )
        for title in ("Redis Connections", "System Memory Usage", "Pending Jobs")
    }
    assert shown == {
        "Redis Connections": "error: query A: parse error: <b>bold</b>",
        "System Memory Usage": "empty: No series: nothing reports what this panel asks for.",
        "Pending Jobs": "stale: The last sample is 5 min old.",
    }
    assert page.evaluate(BANNER) == "1 of 18 panels failed.", page.evaluate("document.body.innerText")


def test_the_row_of_a_bot_is_there_while_one_is_watched(page: Page, api: Server, prometheus: StandIn) -> None:
    def nobody(form: Form) -> Answer:
        return matrix() if "bot_" in form["query"] else steady("1")(form)

    def unknown(form: Form) -> Answer:
        return matrix() if "bot_" in form["query"] and "bot_readable" not in form["query"] else steady("1")(form)

    prometheus.answer = nobody
    log_in(page, api)
    page.until(LOADED)
    assert page.evaluate(STATES) == ["ok"] * 12
    prometheus.answer = unknown
    refresh(page)
    page.until("document.querySelectorAll('.panel').length === 18")
    assert page.evaluate(STATES) == ["ok"] * 13 + ["empty"] * 5, "what is not known is no zero"
    prometheus.answer = nobody
    refresh(page)
    page.until("document.querySelectorAll('.panel').length === 12")
    assert not page.evaluate(WIDER)


def test_prometheus_and_then_the_api_go_away_and_come_back(page: Page, api: Server, prometheus: StandIn) -> None:
    log_in(page, api)
    page.until(LOADED)
    prometheus.answer = lambda _form: (401, b"")
    refresh(page)
    page.until(f"{BANNER}.startsWith('Monitoring is unavailable')")
    assert page.evaluate(STATES) == ["error"] * 12
    api.stop()
    refresh(page)
    page.until(f"{BANNER}.startsWith('Not refreshed: The API cannot be reached')")
    assert page.evaluate("document.body.classList.contains('old')")
    prometheus.answer = steady("1")
    api.start()
    page.evaluate("document.querySelector('#refresh').click()")
    page.until(f"{BANNER} === ''")
    assert page.evaluate(STATES) == ["ok"] * 18
    assert not page.evaluate("document.body.classList.contains('old')")


def fires(name: str, severity: str, query: str) -> dict[str, object]:
    notes = {"summary": f"{name} it is", "runbook_url": f"https://docs.example.org/{name}.md"}
    alert = {"state": "firing", "activeAt": "2026-11-27T04:00:00Z", "annotations": notes}
    return {"type": "alerting", "name": name, "labels": {"severity": severity}, "query": query, "alerts": [alert]}


def rules(*found: dict[str, object]) -> Answer:
    return 200, json.dumps({"status": "success", "data": {"groups": [{"rules": found}]}}).encode()


@pytest.mark.parametrize("width", [390, 1600])
def test_alerts_lead_to_panel_and_runbook(page: Page, api: Server, prometheus: StandIn, width: int) -> None:
    prometheus.rules = rules(
        fires("Quiet", "info", "vector(1)"),
        fires("RedisDown", "critical", "redis_connected_clients == 0"),
    )
    page.look(width)
    log_in(page, api)
    page.until("document.querySelectorAll('#firing .alert').length === 2")
    rows = page.evaluate("[...document.querySelectorAll('#firing .alert strong')].map((one) => one.textContent)")
    assert rows == ["RedisDown", "Quiet"], "the gravest comes first"
    links = page.evaluate("[...document.querySelectorAll('#firing a')].map((one) => [one.href, one.rel])")
    assert links[0] == ["https://docs.example.org/RedisDown.md", "noopener noreferrer"]
    assert page.evaluate("document.querySelectorAll('#firing button').length") == 1, "vector(1) is in no panel"
    page.evaluate("document.querySelector('#firing button').click()")
    page.until("document.querySelector('.pointed h2')?.textContent === 'Redis Connections'")
    page.until("(({ top, bottom }) => top >= 0 && bottom <= innerHeight)"
               "(document.querySelector('.pointed h2').getBoundingClientRect())")  # fmt: skip
    assert not page.evaluate(WIDER)
    prometheus.rules, prometheus.answer = rules(), steady("2")
    refresh(page)
    page.until("document.querySelector('#firing').textContent === 'No alert fires.'")
    prometheus.rules = (503, b"")
    refresh(page)
    page.until("document.querySelector('#firing').textContent.startsWith('Whether alerts fire is not known: Prom')")


def test_what_happened_is_listed_and_marked(page: Page, api: Server, prometheus: StandIn) -> None:
    def answer(form: Form) -> Answer:
        if "ALERTS" in form["query"]:
            return steady("1", {"alertname": "RedisDown"})(form)
        return matrix() if "changes(" in form["query"] else steady("0")(form)

    prometheus.answer = answer
    log_in(page, api)
    page.until("document.querySelector('#events summary').textContent === 'Events: 1 alert'")
    assert "Alerts: RedisDown" in page.evaluate("document.querySelector('#events li').textContent")
    # Nothing but zeros is drawn, so what is red in the middle of a chart without thresholds is the mark.
    place = f"{panel('Redis Connections')}.querySelector('canvas')"
    tinted = f"""(() => {{ const canvas = {place};
      const [r, g, b, a] = canvas.getContext('2d').getImageData(canvas.width / 2, canvas.height / 4, 1, 1).data;
      return a > 0 && r > b; }})()"""
    page.until(tinted)


def test_zeros_are_folded_and_what_lives_comes_first(page: Page, api: Server, prometheus: StandIn) -> None:
    def answer(form: Form) -> Answer:
        start, end = float(form["start"]), float(form["end"])
        names = ("a", "b", "c", "jobs") if "by(queue)" in form["query"] else ("jobs",)
        return matrix(*(({"queue": name}, [(start, "0"), (end, "3" if name == "jobs" else "0")]) for name in names))

    prometheus.answer = answer
    log_in(page, api)
    page.until(LOADED)
    chart = panel("Queue Lengths")
    visible = (
        f"[...{chart}.querySelectorAll('.legend li')].filter((one) => one.offsetParent).map((one) => one.innerText)"
    )
    page.until(f"{visible}.length === 2")
    first, fold = page.evaluate(visible)
    assert (first.split()[0], fold) == ("jobs", "3 at zero")
    page.evaluate(f"{chart}.querySelector('.fold button').click()")
    assert len(page.evaluate(visible)) == 5


@pytest.mark.parametrize("width", [390, 1600])
def test_a_stretch_drawn_with_the_pointer_is_shown_alone(page: Page, api: Server, width: int) -> None:
    page.look(width)
    log_in(page, api)
    page.until(LOADED)
    page.until("document.querySelector('.timeseries .u-over') !== null")
    page.evaluate("document.querySelector('.timeseries').scrollIntoView({ block: 'center' })")
    left, top, wide, high = page.evaluate(
        "(({ left, top, width, height }) => [left, top, width, height])"
        "(document.querySelector('.timeseries .u-over').getBoundingClientRect())"
    )
    for kind, part in (("mouseMoved", 0.25), ("mousePressed", 0.25), ("mouseMoved", 0.75), ("mouseReleased", 0.75)):
        page.call("Input.dispatchMouseEvent", type=kind, x=left + wide * part, y=top + high / 2, button="left",
                  buttons=1, clickCount=1)  # fmt: skip
    page.until("/^#[0-9]+-[0-9]+$/.test(location.hash)")
    start, end = (int(each) for each in page.evaluate("location.hash.slice(1)").split("-"))
    assert end - start == pytest.approx(1800, rel=0.1), "half of an hour"
    page.until("document.querySelector('#updated').textContent.startsWith('until ')")
    assert not page.evaluate(WIDER)
    page.evaluate("document.querySelector('#live').click()")
    page.until("location.hash === '#1h' && document.querySelector('#updated').textContent.startsWith('updated ')")
    assert page.evaluate("document.querySelector('#span').hidden")


def test_the_keyboard_reaches_everything_and_labels_say_what_it_is(page: Page, api: Server) -> None:
    log_in(page, api)
    page.until(LOADED)
    page.until("document.querySelectorAll('.legend button').length > 0")
    nameless = page.evaluate(
        "[...document.querySelectorAll('button, select, input')].filter((one) =>"
        " !(one.textContent.trim() || one.labels?.length)).length"
    )
    assert nameless == 0
    assert page.evaluate("[...document.querySelectorAll('.panel')].every((one) => one.getAttribute('aria-labelledby'))")
    line = "document.querySelector('.legend button')"
    page.evaluate(f"{line}.focus()")
    page.call("Input.dispatchKeyEvent", type="keyDown", key="Enter", code="Enter", text="\r")
    page.until(f"{line}.getAttribute('aria-pressed') === 'false'")


def test_the_api_documentation_draws_with_what_the_api_serves(page: Page, api: Server) -> None:
    page.open(f"{api.url}/")
    page.until("document.querySelector('a[href=\"/docs\"]') !== null")
    page.evaluate("document.querySelector('a[href=\"/docs\"]').click()")
    page.until("document.querySelectorAll('.opblock').length >= 10")
    page.until("document.querySelector('.opblock-summary-path') !== null")
    assert page.console == []
    assert {url for url in page.requests if not url.startswith((api.url, "about:", "data:"))} == set()
