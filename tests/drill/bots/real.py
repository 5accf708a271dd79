"""A real freqtrade in a process of its own: at a market on this host, with a strategy that buys at once."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from services.bots.adapters.freqtrade import Freqtrade
from services.bots.contract import BotError, Login
from tests.drill.bots.market import Market
from tests.services.bots.fake import PASSWORD, USER
from tests.waiting import free_port

#: It buys ETH far below the market, so that the order rests, and all else above it; a stop rests for what it holds.
STRATEGY = """
from freqtrade.strategy import IStrategy


class AtOnce(IStrategy):
    INTERFACE_VERSION = 3
    timeframe = "1m"
    minimal_roi = {}
    stoploss = -0.3
    order_types = {"entry": "limit", "exit": "limit", "stoploss": "limit", "stoploss_on_exchange": True}

    def populate_indicators(self, dataframe, metadata):
        return dataframe

    def populate_entry_trend(self, dataframe, metadata):
        dataframe["enter_long"] = 1
        return dataframe

    def populate_exit_trend(self, dataframe, metadata):
        return dataframe

    def custom_entry_price(self, pair, trade, current_time, proposed_rate, entry_tag, side, **others):
        return proposed_rate * (0.8 if pair.startswith("ETH") else 1.01)
"""


@dataclass
class Real:
    """One of them; ``log`` is what it wrote."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def login(self, password: str = PASSWORD) -> Login:
        return Login(self.url, USER, lambda: SecretStr(password))

    def adapter(self) -> Freqtrade:
        return Freqtrade(self.login())

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """As a person does, beside the adapter."""
        return httpx.request(method, f"{self.url}{path}", auth=(USER, PASSWORD), timeout=60, trust_env=False, **options)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(60)

    def well(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()[-4000:]
        try:
            self.adapter().status()
        except BotError:
            return False
        return True


def program() -> str:
    """The path of freqtrade. CI does not install it: 770 MB for what changes with its releases alone."""
    home = os.environ.get("TRADEBOT_CI_FREQTRADE") or "/opt/tradebot-ci-freqtrade"
    found = shutil.which("freqtrade", path=f"{home}/bin") or shutil.which("freqtrade")
    if found is None:
        pytest.skip("freqtrade is not installed: .ci/freqtrade does it")
    return found


@contextmanager
def trading(folder: Path, market: Market, *pairs: str, mode: str = "trade", live: bool = False) -> Iterator[Real]:
    """It is killed at the end."""
    port = free_port()
    (folder / "user_data" / "strategies").mkdir(parents=True)
    (folder / "user_data" / "strategies" / "at_once.py").write_text(STRATEGY)
    (folder / "config.json").write_text(json.dumps(_config(market, port, pairs, live=live)))
    command = [program(), mode, "--config", "config.json", "--userdir", "user_data"]
    command += ["--strategy", "AtOnce", "--db-url", "sqlite:///trades.sqlite"] if mode == "trade" else []
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=output, start_new_session=True)
    bot = Real(f"http://127.0.0.1:{port}", process, log)
    try:
        yield bot
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(60)


def _config(market: Market, port: int, pairs: tuple[str, ...], *, live: bool) -> Any:
    names = ("public", "private", "v1", "sapi", "sapiV2", "sapiV3", "sapiV4", "fapiPublic", "dapiPublic")
    pricing = {"price_side": "same", "use_order_book": True, "order_book_top": 1}
    return {
        "bot_name": "drilled",
        "dry_run": not live,
        "dry_run_wallet": 10000.5,
        "stake_currency": "USDT",
        "stake_amount": 1000,
        "max_open_trades": len(pairs),
        "trading_mode": "spot",
        "initial_state": "running",
        # Nobody enters by hand; a halt has to do without that.
        "force_entry_enable": False,
        "unfilledtimeout": {"entry": 600, "exit": 600, "unit": "minutes"},
        "custom_price_max_distance_ratio": 0.5,
        "entry_pricing": pricing,
        "exit_pricing": pricing,
        "pairlists": [{"method": "StaticPairList"}],
        "internals": {"process_throttle_secs": 2},
        "exchange": {
            "name": "binance",
            "key": "a" if live else "",
            "secret": "b" if live else "",
            "enable_ws": False,
            "pair_whitelist": list(pairs),
            "ccxt_config": {
                "urls": {"api": dict.fromkeys(names, f"{market.url}/api/v3")},
                "options": {"fetchMarkets": {"types": ["spot"]}},
            },
        },
        "api_server": {
            "enabled": True,
            "enable_openapi": True,
            "listen_ip_address": "127.0.0.1",
            "listen_port": port,
            "username": USER,
            "password": PASSWORD,
            "jwt_secret_key": "of-this-drill-alone-and-long-enough",
            "CORS_origins": [],
        },
    }
