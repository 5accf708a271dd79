"""The program: asks for the panels in a thread, shows them, and says so when what it shows is old."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, ClassVar

from rich.text import Text
from textual import work
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid, VerticalScroll
from textual.timer import Timer
from textual.widgets import Footer, Static
from textual.worker import get_current_worker

from tradebot_ops.errors import OpsError
from tradebot_ops.operations.monitoring.panels import RANGES
from tradebot_ops.render.dash.panels import Chart, Stat, firing

Document = Mapping[str, Any]

#: Columns and rows below which a chart says nothing.
NARROWEST, LOWEST = 38, 9
NARROWEST_STAT = 19
STAT_ROWS = 3
RETRY_S = 15


class Dash(App[None]):
    """``first`` is shown at once; ``look`` gets the panels of a range, or raises ``OpsError``."""

    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,ctrl+c", "quit", "quit", key_display="q"),
        Binding("r", "reload", "refresh"),
        Binding("left", "shorter", "shorter", priority=True),
        Binding("right", "longer", "longer", priority=True),
    ]
    CSS = """
    #head { height: 1; text-wrap: nowrap; text-overflow: ellipsis; padding: 0 1; background: $panel; }
    #banner { height: auto; max-height: 4; padding: 0 1; background: $error; color: $text; display: none; }
    #firing { height: auto; max-height: 4; padding: 0 1; }
    #stats { grid-gutter: 0; }
    #charts { height: auto; grid-gutter: 0; }
    Stat, Chart .legend { text-wrap: nowrap; text-overflow: ellipsis; }
    Stat { height: 100%; padding-left: 1; border-left: thick $surface-lighten-2; }
    Stat.level-ok { border-left: thick $success; }
    Stat.level-warning, Stat.stale { border-left: thick $warning; }
    Stat.level-critical, Stat.error { border-left: thick $error; }
    Chart { height: 100%; border: round $surface-lighten-2; border-title-color: $text; padding: 0 1; }
    Chart:focus { border: round $accent; }
    Chart.error { border: round $error; border-subtitle-color: $error; }
    Chart.stale { border: round $warning; border-subtitle-color: $warning; }
    Chart .note { display: none; height: auto; max-height: 3; color: $text-muted; }
    Chart.error .note { display: block; color: $text-error; }
    Chart.stale .note { display: block; color: $text-warning; }
    Chart.bare .note { display: block; height: 1fr; max-height: 100%; content-align: center middle; }
    Chart.bare PlotextPlot, Chart.bare .legend { display: none; }
    Chart .legend { height: 2; color: $text-muted; }
    Chart.-maximized { height: 100%; }
    """

    def __init__(self, first: Document, look: Callable[[str], Document], project: str) -> None:
        super().__init__()
        self._document = first
        self._look = look
        self._project = project
        self._range = str(first["range"])
        self._again: Timer | None = None

    def compose(self) -> ComposeResult:
        yield Static(id="head")
        yield Static(id="banner")
        yield Static(id="firing")
        with VerticalScroll(can_focus=False):
            yield Grid(id="stats")
            yield Grid(id="charts")
        yield Footer()

    async def on_mount(self) -> None:
        await self._show(self._document)

    def on_resize(self) -> None:
        self._arrange()

    def action_reload(self) -> None:
        self._ask(self._range)

    def action_shorter(self) -> None:
        self._choose(-1)

    def action_longer(self) -> None:
        self._choose(1)

    def _choose(self, step: int) -> None:
        at = RANGES.index(self._range) if self._range in RANGES else RANGES.index("1h")
        place = min(max(at + step, 0), len(RANGES) - 1)
        if RANGES[place] != self._range:
            self._range = RANGES[place]
            self._head("asking …")
            self._ask(self._range)

    @work(thread=True, exclusive=True)
    def _ask(self, range_name: str) -> None:
        worker = get_current_worker()
        outcome: tuple[Callable[[Any], Any], Any]
        try:
            outcome = self._show, self._look(range_name)
        except OpsError as problem:
            outcome = self._old, problem
        if not worker.is_cancelled:
            self.call_from_thread(*outcome)

    async def _show(self, document: Document) -> None:
        self._document = document
        await self._panels([panel for panel in document["panels"] if panel["kind"] == "stat"], Stat, "#stats")
        await self._panels([panel for panel in document["panels"] if panel["kind"] != "stat"], Chart, "#charts")
        self._head(f"updated {_clock(document)}")
        self._banner(document["note"])
        self.query_one("#firing", Static).update(firing(document))
        self._arrange()
        self._ask_in(document["refresh_s"])

    async def _panels(self, panels: list[Mapping[str, Any]], kind: type[Stat] | type[Chart], where: str) -> None:
        """Keep the widgets while the panels stay the same: focus and place survive a refresh."""
        grid = self.query_one(where, Grid)
        widgets = list(grid.query(kind))
        if len(widgets) != len(panels):
            await grid.remove_children()
            widgets = [kind() for _ in panels]
            await grid.mount(*widgets)
        for widget, panel in zip(widgets, panels, strict=True):
            if isinstance(widget, Chart):
                widget.show(panel, self._document["times"])
            else:
                widget.show(panel)

    def _old(self, problem: OpsError) -> None:
        """Keep what is on the screen, and mark it as old."""
        self._range = str(self._document["range"])
        self._head(f"old: {_clock(self._document)}")
        self._banner(f"Not refreshed: {problem.message}")
        self._ask_in(RETRY_S)

    def _ask_in(self, seconds: float) -> None:
        if self._again is not None:
            self._again.stop()
        self._again = self.set_timer(seconds, self.action_reload)

    def _head(self, right: str) -> None:
        left = f"{self._document['title']} · {self._project} · last {self._range}"
        self.query_one("#head", Static).update(Text.assemble((left, "bold"), "   ", right))

    def _banner(self, text: str) -> None:
        banner = self.query_one("#banner", Static)
        banner.update(Text(text))
        banner.display = bool(text)

    def _arrange(self) -> None:
        """As many charts side by side as are readable, as high as the rest of the screen allows."""
        stats, charts = self.query_one("#stats", Grid), self.query_one("#charts", Grid)
        count = max(1, len(charts.children))
        across = columns_of(len(stats.children), max(2, self.size.width // NARROWEST_STAT))
        stats.styles.grid_size_columns = across
        rows = -(-max(1, len(stats.children)) // across)
        stats.styles.height = rows * STAT_ROWS
        columns = columns_of(count, max(1, min(4, self.size.width // NARROWEST)))
        charts.styles.grid_size_columns = columns
        room = self.size.height - 3 - rows * STAT_ROWS
        lines = -(-count // columns)
        charts.styles.grid_rows = str(max(LOWEST, room // lines))


def columns_of(count: int, fitting: int) -> int:
    """As many as fit beside one another and leave no line half full."""
    return next((wide for wide in range(min(fitting, count), 0, -1) if count % wide == 0), 1)


def _clock(document: Document) -> str:
    return datetime.fromtimestamp(document["generated_at"]).astimezone().strftime("%H:%M:%S")
