"""The stack of the page docs/own-bot.md, as a reader would make it."""

import re
import shutil
from pathlib import Path

from tests.integration.tradebot import Tradebot
from tests.paths import ROOT
from tests.waiting import until

PAGE = ROOT / "docs/own-bot.md"
#: Finding it takes a refresh and two scrapes.
SOON = 90.0


def write(folder: Path) -> Path:
    """Copies of the stack's files, scraped more often, with the page's bot and its override beside them."""
    shutil.copy(ROOT / "compose.yaml", folder)
    for name in ("config", "services"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    prometheus = folder / "config/prometheus/prometheus.yml"
    shown = prometheus.read_text(encoding="utf-8")
    for slow, quick in (("scrape_interval: 15s", "scrape_interval: 3s"), ("scrape_timeout: 10s", "scrape_timeout: 3s")):
        assert slow in shown
        shown = shown.replace(slow, quick)
    prometheus.write_text(shown, encoding="utf-8")
    program, override = re.findall(r"```(?:python|yaml)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[:2]
    (folder / "bot").mkdir()
    (folder / "bot/bot.py").write_text(program, encoding="utf-8")
    (folder / "compose.override.yaml").write_text(override, encoding="utf-8")
    return folder


def assert_scraped(stack: Tradebot) -> None:
    """The bot is up, scraped as two replicas once scaled, and as none once it is gone."""
    assert stack.states()["mybot-1"] == "ready"
    until(lambda: value(stack, 'sum(up{job="bots"})') == 1, "the bot is scraped", SOON)
    until(lambda: value(stack, "sum(mybot_orders_total)") > 0, "its orders are counted", SOON)
    stack.ok("scale", "mybot", "2")
    until(lambda: value(stack, 'sum(up{job="bots"})') == 2, "both are scraped", SOON)
    stack.ok("scale", "mybot", "1")
    until(lambda: value(stack, 'count(up{job="bots"})') == 1, "one is left", SOON)


def value(stack: Tradebot, expression: str) -> float:
    """The last value of a single series; 0 when there is none."""
    found = stack.json("query", expression)["series"]
    return max((point for series in found for _, point in series["points"][-1:] if point is not None), default=0.0)
