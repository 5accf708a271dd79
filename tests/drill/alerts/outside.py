"""Faults of what is around the stack: a bot, an exchange, backups, people's channels, and the monitoring itself."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path

import psutil

from services.common.breaker import Breakers
from tests.drill.alerts.drilling import patient
from tests.drill.alerts.work import Broken, desired, in_postgres, meanwhile
from tests.drill.faults import Fault, redis_client, stopped
from tests.integration.tradebot import Tradebot
from tests.services.bots import fake
from tests.services.bots.fake import FakeBot
from tests.waiting import free_port
from tradebot_ops.context import Ops

RENDERED = {"prometheus": "prometheus.yml", "alertmanager": "alertmanager.yml"}
#: One series on the left side of it meets two on the right.
FAILS = """groups:
  - name: drill
    rules:
      - record: drill
        expr: up * on (job) group_left () (up or label_replace(up, "x", "y", "", ""))
"""


class AwayError(Exception):
    """An exchange refuses us, and says for how long."""

    retry_after_s = 900.0


@contextmanager
def exchange_refuses(_stack: Tradebot, ops: Ops) -> Iterator[None]:
    """As a job that downloads finds it: the circuit breaker opens at once."""
    with redis_client(ops) as client:
        breakers = Breakers(client)
        with suppress(Exception), breakers.guard("exchange-drill"):
            raise AwayError
        try:
            yield
        finally:
            breakers.reset("exchange-drill")


@contextmanager
def requests_that_never_end(_stack: Tradebot, ops: Ops) -> Iterator[None]:
    """Clients begin to send, and send no more."""
    address = ops.engine.endpoint("api", 8010)
    head = b"POST /jobs HTTP/1.1\r\nHost: drill\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
    with ExitStack() as opened:
        for _ in range(15):
            connection = opened.enter_context(socket.create_connection((address.host, address.port), timeout=5))
            connection.sendall(head)
        yield


def of_bot(bot: FakeBot, change: Callable[[FakeBot], None]) -> Broken:
    """The bot is another one for a while."""

    @contextmanager
    def breaking(_stack: Tradebot, _ops: Ops) -> Iterator[None]:
        before = {name: value for name, value in vars(bot).items() if name not in ("faults", "asked", "over")}
        change(bot)
        try:
            yield
        finally:
            bot.faults.clear()
            for name, value in before.items():
                setattr(bot, name, value)

    return breaking


def _sets(name: str, value: object) -> Callable[[FakeBot], None]:
    return lambda bot: setattr(bot, name, value)


def second_bot(bot: FakeBot) -> Broken:
    """Two answer in turn, as the times of their starts tell; it is remembered for an hour, or until the API starts."""
    before = bot.started_at
    change = of_bot(bot, _sets("started_at", before - 3600))

    @contextmanager
    def breaking(stack: Tradebot, ops: Ops) -> Iterator[None]:
        with change(stack, ops):
            yield
        stack.ok("restart", "api", timeout=300)

    return breaking


@contextmanager
def channel_refuses(stack: Tradebot, ops: Ops) -> Iterator[None]:
    """Nobody listens at the address of people's webhook, and there is news for it."""
    file = stack.state / "alertmanager" / "alert_webhook_url"
    text = file.read_text(encoding="utf-8")
    file.write_text(f"http://127.0.0.1:{free_port()}/hook", encoding="utf-8")
    try:
        with desired(3)(stack, ops):
            yield
    finally:
        file.write_text(text, encoding="utf-8")


@contextmanager
def edited(stack: Tradebot, service: str, change: Callable[[str], str]) -> Iterator[None]:
    """What the service was given as its configuration says something else, and the service is told to read it."""
    (file,) = (stack.state / "local" / "tmp" / f"{service}-1").glob(RENDERED[service])
    process = psutil.Process(stack.pid(f"{service}-1"))
    text = file.read_text(encoding="utf-8")
    changed = change(text)
    assert changed != text
    file.write_text(changed, encoding="utf-8")
    process.send_signal(1)
    try:
        yield
    finally:
        file.write_text(text, encoding="utf-8")
        process.send_signal(1)


def unreadable(service: str) -> Broken:
    def breaking(stack: Tradebot, _ops: Ops) -> AbstractContextManager[None]:
        return edited(stack, service, lambda text: text + "\nno: such: setting\n")

    return breaking


def target_forgotten(stack: Tradebot, _ops: Ops) -> AbstractContextManager[None]:
    """Nobody asks Redis' exporter any more, though it runs."""
    return edited(stack, "prometheus", lambda text: text.replace("job_name: redis\n", "job_name: cache\n", 1))


@contextmanager
def rule_that_fails(stack: Tradebot, _ops: Ops) -> Iterator[None]:
    file = Path(stack.home / "fails.yml")
    file.write_text(FAILS, encoding="utf-8")
    with edited(stack, "prometheus", lambda text: text.replace("rule_files:\n", f"rule_files:\n- {file}\n", 1)):
        yield


@contextmanager
def disk_full_for_prometheus(stack: Tradebot, ops: Ops) -> Iterator[None]:
    """For a moment no file of its may grow; what it could not write, it says once it can write again."""
    process = psutil.Process(stack.pid("prometheus-1"))
    limit = process.rlimit(psutil.RLIMIT_FSIZE)
    segment = max((stack.state / "volumes" / "prometheus-data" / "wal").glob("0*"))

    def act(over: threading.Event) -> None:
        process.rlimit(psutil.RLIMIT_FSIZE, (segment.stat().st_size, limit[1]))
        over.wait(40)
        process.rlimit(psutil.RLIMIT_FSIZE, limit)

    try:
        with meanwhile(act):
            yield
    finally:
        process.rlimit(psutil.RLIMIT_FSIZE, limit)


REFUTED = (
    "INSERT INTO backup_note VALUES ('taken', now()), ('proved', now() - interval '1 day'), ('refuted', now())",
    "UPDATE backup_note SET at = now() WHERE what = 'proved'",
)
NOT_CLEARED = (
    "INSERT INTO backup_note VALUES ('clearing_failed', now())",
    "DELETE FROM backup_note WHERE what = 'clearing_failed'",
)
HALTED = (
    "INSERT INTO halt (at, by, reason) VALUES (now() - interval '1 day', 'drill', 'drill')",
    "UPDATE halt SET ended_at = now(), ended_by = 'drill', ended_reason = 'over' WHERE ended_at IS NULL",
)


def slow(bot: FakeBot) -> tuple[Fault, ...]:
    """They disturb nobody, and take minutes to be told."""
    futures = of_bot(bot, _sets("account_positions", {"BTC/USDT:USDT": False}))
    return (
        patient("bot whose loop stands still", of_bot(bot, _sets("loop_age", 400.0)), ("BotStuck",)),
        patient("bot with old candles", of_bot(bot, _sets("candle_age", 4200.0)), ("BotFeedStale",)),
        patient("bot with another clock", of_bot(bot, _sets("ahead", 30.0)), ("BotClockOff",)),
        patient("positions that are not the bot's", futures, ("BotForeignPositions",)),
        patient("backup refuted", in_postgres(*REFUTED), ("BackupRefuted",)),
        patient("old backups stay", in_postgres(*NOT_CLEARED), ("BackupClearingFailed",)),
        patient("exchange that refuses", exchange_refuses, ("CircuitBreakerOpen",)),
        patient("requests that never end", requests_that_never_end, ("APIRequestsHang",)),
        patient("halted since yesterday", in_postgres(*HALTED), ("BotOpensWhileHalted", "StackHalted")),
    )


def silent_bot(bot: FakeBot) -> Fault:
    dropped = of_bot(bot, lambda each: each.faults.update({"*": fake.dropped}))
    return patient("bot that does not answer", dropped, ("BotNotReadable",))


def two_bots(bot: FakeBot) -> Fault:
    # Its mend starts the API anew, which takes more than half a minute where the machine is busy.
    return patient("second bot", second_bot(bot), ("BotSecondInstance",), frozenset({"ServiceDown"}))


CHANNEL = patient(
    "channel that refuses",
    channel_refuses,
    ("AlertmanagerNotificationsFailing", "WorkersBelowDesired"),
    at_once=False,
)
UNREADABLE = (
    patient("configuration Prometheus cannot read", unreadable("prometheus"), ("PrometheusConfigReloadFailed",)),
    patient("configuration Alertmanager cannot read", unreadable("alertmanager"), ("AlertmanagerConfigReloadFailed",)),
)
RECONFIGURED = (
    patient("rule that fails", rule_that_fails, ("PrometheusRuleFailures",), at_once=False),
    patient("target forgotten", target_forgotten, ("ServiceMissing",), at_once=False),
)
CANNOT_WRITE = patient(
    "Prometheus cannot write for a moment", disk_full_for_prometheus, ("PrometheusStorageFailing",), at_once=False
)
DEAF = patient(
    "Alertmanager stopped", stopped("alertmanager"), ("ServiceDown", "PrometheusAlertmanagerLost"), deaf=True
)
