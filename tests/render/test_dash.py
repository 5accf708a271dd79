"""The live dashboard, driven by keys: what it shows, at every size, and what it says when the API goes away."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from rich.text import Text
from textual.containers import Grid
from textual.pilot import Pilot
from textual.widgets import Static

from tests.documents import TIMES, document, panel, series
from tradebot_ops.errors import OpsError
from tradebot_ops.operations.monitoring.panels import Document
from tradebot_ops.render.dash.app import Dash, columns_of
from tradebot_ops.render.dash.panels import Chart, Stat, packed, scale, stretches

Look = Callable[[str], Document]
Steps = Callable[[Pilot[None], Dash], Awaitable[None]]


def drive(steps: Steps, look: Look = lambda name: document(range=name), size: tuple[int, int] = (120, 40)) -> None:
    async def all_steps() -> None:
        app = Dash(document(), look, "demo")
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await steps(pilot, app)

    asyncio.run(all_steps())


def text_of(app: Dash, where: str) -> str:
    return str(app.query_one(where, Static).render())


async def settled(pilot: Pilot[None]) -> None:
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()


@pytest.mark.parametrize(
    ("size", "stats", "charts"), [((200, 50), 4, 4), ((120, 40), 4, 2), ((80, 24), 4, 2), ((40, 20), 2, 1)]
)
def test_every_panel_at_every_size(size: tuple[int, int], stats: int, charts: int) -> None:
    async def steps(pilot: Pilot[None], app: Dash) -> None:
        assert (len(app.query(Stat)), len(app.query(Chart))) == (4, 4)
        assert app.query_one("#stats", Grid).styles.grid_size_columns == stats
        assert app.query_one("#charts", Grid).styles.grid_size_columns == charts
        assert all(chart.size.height >= 6 and chart.size.width >= 30 for chart in app.query(Chart))

    drive(steps, size=size)


@pytest.mark.parametrize(
    ("count", "fitting", "columns"), [(8, 10, 8), (8, 6, 4), (8, 4, 4), (8, 2, 2), (4, 3, 2), (10, 4, 2), (0, 4, 1)]
)
def test_no_line_is_half_full(count: int, fitting: int, columns: int) -> None:
    assert columns_of(count, fitting) == columns


def test_values_words_and_states() -> None:
    async def steps(pilot: Pilot[None], app: Dash) -> None:
        workers, pending, dead, rate = (str(stat.render()) for stat in app.query(Stat))
        assert "● ok" in workers
        assert "■ critical" in pending
        assert "ERROR" in dead
        assert "parse error" in dead
        assert "STALE" in rate
        shown = {str(chart.border_title): chart for chart in app.query(Chart)}
        assert shown["Redis Memory"].border_subtitle == "ERROR"
        assert str(shown["Redis Memory"].query_one(".note", Static).render()) == "query B: it took too long"
        nothing = shown["Job Duration"]
        assert nothing.has_class("bare")
        assert str(nothing.query_one(".note", Static).render()) == "Nothing to measure in this range."
        assert text_of(app, "#banner") == "2 of 8 panels failed."

    drive(steps)


def test_alerts_stand_above_the_charts_and_zeros_are_folded() -> None:
    async def steps(pilot: Pilot[None], app: Dash) -> None:
        shown = text_of(app, "#firing")
        assert shown.startswith("■ RedisDown  ▲ HighAPILatency ×2")
        assert shown.endswith("RedisDown")
        legend = {
            str(chart.border_title): str(chart.query_one(".legend", Static).render()) for chart in app.query(Chart)
        }
        assert "2 at zero" in legend["System CPU Usage"]
        assert "idle-1" not in legend["System CPU Usage"]
        for changes, expected in (
            ({"firing": [], "events": []}, "No alert fires."),
            (
                {"firing": None, "firing_note": "Prometheus is away"},
                "Whether alerts fire is not known: Prometheus is away.",
            ),
        ):
            app._look = lambda _name, changes=changes: document(**changes)  # type: ignore[misc]
            await pilot.press("r")
            await settled(pilot)
            assert text_of(app, "#firing") == expected

    drive(steps)


def test_keys_change_the_range_within_its_bounds() -> None:
    asked: list[str] = []

    def look(name: str) -> Document:
        asked.append(name)
        return document(range=name)

    async def steps(pilot: Pilot[None], app: Dash) -> None:
        for key in ("left", "right", "right", "r"):
            await pilot.press(key)
            await settled(pilot)
        assert "last 6h" in text_of(app, "#head")

    drive(steps, look)
    assert asked == ["1h", "6h", "6h"]


def test_an_api_that_goes_away_leaves_the_picture_and_calls_it_old() -> None:
    def look(_name: str) -> Document:
        raise OpsError("The API cannot be reached.", code="TB-0501")

    async def steps(pilot: Pilot[None], app: Dash) -> None:
        await pilot.press("right")
        await settled(pilot)
        assert "last 15m   old: " in text_of(app, "#head")
        assert text_of(app, "#banner") == "Not refreshed: The API cannot be reached."
        assert len(app.query(Chart)) == 4

    drive(steps, look)


def test_other_panels_replace_the_old_ones_and_focus_survives_a_refresh() -> None:
    async def steps(pilot: Pilot[None], app: Dash) -> None:
        await pilot.press("tab")
        focused = app.focused
        assert isinstance(focused, Chart)
        await pilot.press("r")
        await settled(pilot)
        assert app.focused is focused
        app._look = lambda _name: document(panels=document()["panels"][:5])
        await pilot.press("r")
        await settled(pilot)
        assert (len(app.query(Stat)), len(app.query(Chart))) == (4, 1)

    drive(steps)


def test_a_chart_can_be_enlarged_and_q_leaves() -> None:
    async def steps(pilot: Pilot[None], app: Dash) -> None:
        await pilot.press("tab", "enter")
        assert app.screen.maximized is app.focused
        await pilot.press("escape")
        assert app.screen.maximized is None
        await pilot.press("q")
        assert app.return_code == 0

    drive(steps)


def test_a_line_is_drawn_in_pieces_between_its_gaps() -> None:
    values = [None, 1.0, 2.0, None, None, 3.0]
    assert list(stretches(TIMES[:6], values)) == [(TIMES[1:3], [1.0, 2.0]), ([TIMES[5]], [3.0])]
    assert list(stretches(TIMES[:2], [None, None])) == []


@pytest.mark.parametrize(
    ("changes", "limits"),
    [
        ({"series": [series("a", 0)]}, (0, 2)),
        ({"series": [series("a", -3, 10)]}, (-3, 10)),
        ({"series": [], "unit": "s"}, (0, 1)),
        ({"series": [series("a", 0.2)], "unit": "percentunit", "max": 1}, (0, 1)),
        ({"series": [series("a", 5)], "min": None}, (0, 5)),
    ],
)
def test_the_axis_holds_all_values(changes: dict[str, object], limits: tuple[float, float]) -> None:
    assert scale(panel(1, "timeseries", "A", **changes)) == limits


def test_a_legend_counts_what_finds_no_room() -> None:
    entries = [Text("aaaa  "), Text("bbbb  "), Text("cccc  "), Text("dddd  ")]
    assert packed(entries, 12, 0).plain == "aaaa  bbbb  \ncccc  dddd  "
    assert packed(entries, 12, 2).plain == "aaaa  bbbb  \ncccc  +3"
    assert packed([], 12, 0).plain == "\n"
