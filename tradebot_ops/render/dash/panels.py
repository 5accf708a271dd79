"""The widgets of the live dashboard: a stat and a chart."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static
from textual_plotext import PlotextPlot

from tradebot_ops.operations.monitoring.panels import living
from tradebot_ops.text.quantities import latest, peak, quantity, sparkline

Panel = Mapping[str, Any]
Points = tuple[list[float], list[float]]

#: Distinct on dark and light backgrounds, neighbours most of all; after the tenth they repeat.
COLORS = (
    (93, 156, 255),
    (242, 151, 90),
    (72, 199, 142),
    (211, 138, 230),
    (255, 107, 129),
    (79, 208, 230),
    (220, 192, 74),
    (147, 153, 255),
    (207, 154, 116),
    (167, 178, 194),
)
LEVELS = {"ok": ("●", "green"), "warning": ("▲", "yellow"), "critical": ("■", "red"), "none": ("", "")}
_THRESHOLDS = {"critical": (230, 80, 80), "warning": (230, 170, 60)}
_BADGES = {"ok": "", "empty": "no data", "stale": "STALE", "error": "ERROR"}
#: Columns a tick of the time axis takes, with room beside it.
_TICK = 14
LEGEND_ROWS = 2
#: Columns kept for the number of series that found no room.
_COUNT = 4


def firing(document: Mapping[str, Any]) -> Text:
    """Alerts that fire, the gravest first, and the newest event; unknown is neither quiet nor firing."""
    alerts, events = document.get("firing"), document.get("events")
    if alerts is None:
        return Text(f"Whether alerts fire is not known: {document.get('firing_note', 'the API is older')}.", "red")
    text = Text("" if alerts else "No alert fires.", "green")
    for each in alerts:
        sign, color = LEVELS.get(each["severity"], LEVELS["warning"])
        count = f" ×{each['count']}" if each["count"] > 1 else ""
        text.append(f"{sign} {each['name']}{count}  ", color)
    if events:
        at = datetime.fromtimestamp(events[0]["at"]).astimezone()
        text.append(f"   last: {at:%H:%M} {events[0]['text']}", "dim")
    return text


class Stat(Static):
    """A value, what its threshold says in a word, and its course."""

    def show(self, panel: Panel) -> None:
        self.set_classes(f"{panel['status']} level-{panel['level']}")
        self._panel = panel
        self.update(self._text())

    def on_resize(self) -> None:
        if hasattr(self, "_panel"):
            self.update(self._text())

    def _text(self) -> Text:
        panel, width = self._panel, max(self.content_size.width, 8)
        text = Text(panel["title"], no_wrap=True, overflow="ellipsis")
        if panel["status"] == "error":
            return text.append(f"\nERROR\n{panel['note']}", "red")
        sign, color = LEVELS[panel["level"]]
        word = _BADGES[panel["status"]] or (f"{sign} {panel['level']}" if sign else "")
        text.append("\n").append(quantity(panel["value"], panel["unit"], panel["decimals"]), f"bold {color}")
        text.append("  ").append(word, color if panel["status"] == "ok" else "yellow")
        course = panel["series"][0]["values"] if panel["series"] else []
        return text.append("\n").append(sparkline(course, width - 1, panel["min"]), "dim")


class Chart(Vertical):
    """Series over time with a legend of last values; an error or its absence of data stands in its place."""

    ALLOW_MAXIMIZE = True
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "enlarge", "enlarge", show=False)]
    can_focus = True

    def compose(self) -> ComposeResult:
        yield Static(classes="note")
        yield PlotextPlot()
        yield Static(classes="legend")

    def action_enlarge(self) -> None:
        self.screen.maximize(self)

    def show(self, panel: Panel, times: Sequence[int]) -> None:
        self._panel, self._times = panel, times
        self.border_title = panel["title"]
        self.border_subtitle = _BADGES[panel["status"]]
        self.set_classes(panel["status"])
        drawn = any(peak(one["values"]) is not None for one in panel["series"])
        self.set_class(not drawn, "bare")
        self.query_one(".note", Static).update(Text(panel["note"]))
        # A plot that was hidden has no size before the next layout.
        self.call_after_refresh(self._draw)

    def on_resize(self) -> None:
        if hasattr(self, "_panel"):
            self._draw()

    def _draw(self) -> None:
        panel, plot = self._panel, self.query_one(PlotextPlot)
        self.query_one(".legend", Static).update(self._legend())
        plt = plot.plt
        plt.clear_figure()
        low, high = scale(panel)
        plt.xlim(self._times[0], self._times[-1])
        # A tick stands in the middle of its row: without this, a line along the bottom is drawn a row below its tick.
        plt.ylim(low - (high - low) / max(2 * plot.size.height, 1), high)
        plt.xaxes(True, False)
        plt.yaxes(True, False)
        plt.xticks(*self._time_ticks())
        plt.yticks([low, (low + high) / 2, high], [quantity(at, panel["unit"]) for at in (low, (low + high) / 2, high)])
        for place, one in enumerate(panel["series"]):
            for xs, ys in stretches(self._times, one["values"]):
                plt.plot(xs, ys, marker="braille", color=COLORS[place % len(COLORS)])
        for step in panel["thresholds"] if panel["threshold_lines"] else ():
            if step["value"] is not None and low < step["value"] < high and step["level"] in _THRESHOLDS:
                plt.hline(step["value"], color=_THRESHOLDS[step["level"]])
        plot.refresh()

    def _time_ticks(self) -> tuple[list[float], list[str]]:
        count = max(2, min(7, self.content_size.width // _TICK))
        length = self._times[-1] - self._times[0]
        places = [self._times[0] + length * number / (count - 1) for number in range(count)]
        form = "%d. %H:%M" if length > 86400 else "%H:%M"
        return places, [datetime.fromtimestamp(at).astimezone().strftime(form) for at in places]

    def _legend(self) -> Text:
        """As many series as the lines hold, highest last value first; of zeros only how many there are."""
        panel, width = self._panel, max(self.content_size.width, 12)
        alive = living(panel)
        shown = [(place, one) for place, one in enumerate(panel["series"]) if one in alive]
        ranked = sorted(shown, key=lambda pair: -(latest(pair[1]["values"]) or 0.0))
        entries = [
            Text.assemble(("━ ", "rgb({},{},{})".format(*COLORS[place % len(COLORS)])), f"{one['name']} {value}  ")
            for place, one in ranked
            for value in [quantity(latest(one["values"]), panel["unit"])]
        ]
        if zeros := len(panel["series"]) - len(alive):
            entries.append(Text(f"{zeros} at zero", "dim"))
        return packed(entries, width, panel["hidden_series"])


def packed(entries: Sequence[Text], width: int, hidden: int) -> Text:
    """The entries on ``LEGEND_ROWS`` lines; what finds no room is counted."""
    lines = [Text(no_wrap=True, overflow="ellipsis") for _ in range(LEGEND_ROWS)]
    row = 0
    for done, entry in enumerate(entries):
        left = len(entries) - done - 1 + hidden
        if lines[row] and len(lines[row]) + len(entry) + (_COUNT if left and row == LEGEND_ROWS - 1 else 0) > width:
            row += 1
        if row == LEGEND_ROWS:
            lines[-1].append(f"+{left + 1}", "dim")
            break
        lines[row].append_text(entry)
    return Text("\n", no_wrap=True, overflow="ellipsis").join(lines)


def scale(panel: Panel) -> tuple[float, float]:
    """Lowest and highest value of the axis: the panel's own, widened to hold all values."""
    values = [value for one in panel["series"] for value in one["values"] if value is not None]
    low = min([panel["min"] if panel["min"] is not None else 0.0, *values])
    high = max([panel["max"] or 0.0, *values])
    if panel["unit"] == "short":
        high = max(high, low + 2)
    return low, high if high > low else low + 1.0


def stretches(times: Sequence[int], values: Sequence[float | None]) -> Iterator[Points]:
    """The pieces of a line between its gaps."""
    piece: Points = ([], [])
    for at, value in zip(times, values, strict=True):
        if value is not None:
            piece[0].append(at)
            piece[1].append(value)
        elif piece[0]:
            yield piece
            piece = ([], [])
    if piece[0]:
        yield piece
