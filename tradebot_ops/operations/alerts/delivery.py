"""Does an alert arrive? A synthetic one goes Alertmanager → webhook → store and back, and is ended again.

Whether people would be notified is asked of the channels themselves: a synthetic alert takes a receiver's own way, and
Alertmanager's counters say whether the other side took it. They know kinds of channels, not receivers, so receivers
are tried one after the other.
"""

import secrets
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial

from tradebot_ops.clients.alertmanager import Deliveries
from tradebot_ops.context import Ops
from tradebot_ops.errors import ExitCode, OpsError
from tradebot_ops.facts.alerting.alert_delivery import (
    ENDS_BY_ITSELF,
    PAUSE,
    Hop,
    Post,
    ended,
    synthetic,
    timed,
    to_the_store_and_back,
)
from tradebot_ops.model import Finding, Level, Report, Section, Table
from tradebot_ops.monitoring.alertmanager import channels_of
from tradebot_ops.operations.change import change
from tradebot_ops.progress import OnProgress
from tradebot_ops.records import ChannelTests

#: It gives up a notification that fails after ten.
CHANNEL_SECONDS = 25.0
#: So many answers in a row must say that it was taken. Alertmanager reads its counters one after the other, so that one
#: answer may have a request and not yet that it failed.
ANSWERS = 2
#: Receiver -> kind of channel -> how many of it.
Kinds = Mapping[str, Mapping[str, int]]


def run(ops: Ops, on_progress: OnProgress, receivers: Sequence[str] = (), *, every: bool = False) -> Report:
    """To the store and back; then through the channels of these receivers, or of ``every`` one that has any.

    A channel that does not take it is a finding, TB-0552, and the others are still tried. Raises ``OpsError`` TB-0550
    that names the hop before them that broke, TB-0221 for a receiver that does not exist, TB-0854 for one without
    channels, or whatever made asking impossible.
    """
    with change(ops, "alerts test", *receivers, on_progress=on_progress, lease=False):
        return _run(ops, on_progress, receivers, every=every)


def _run(ops: Ops, on_progress: OnProgress, receivers: Sequence[str], *, every: bool) -> Report:
    nonce = secrets.token_hex(8)
    chosen: Kinds = {}

    def choose() -> None:
        nonlocal chosen
        chosen = _chosen(ops, receivers, every=every)

    hops = to_the_store_and_back(ops, nonce, on_progress, choose)
    broken: list[Finding] = []
    for receiver, kinds in chosen.items():
        with ended(ops, synthetic(f"{nonce}-{receiver}", receiver=receiver)) as post:
            _through(ops, receiver, kinds, post, on_progress, hops, broken)
    if every and not chosen:
        problem = "No channel is switched on: alerts reach the store, but no person."
        broken.append(Finding(Level.WARN, "alerts.channels", problem, hint="Settings ALERT_*: tradebot config show"))
    return _report(nonce, hops, chosen, tuple(broken))


def _report(nonce: str, hops: Sequence[Hop], chosen: Kinds, findings: tuple[Finding, ...]) -> Report:
    lines = ["An alert went Alertmanager -> webhook -> Postgres and back, and so did its end."]
    if chosen and not findings:
        lines.append(f"The channels of {' and '.join(chosen)} took one, too.")
    data = {
        "nonce": nonce,
        "hops": [{"name": hop.name, "seconds": round(hop.seconds, 3)} for hop in hops],
        "channels": {name: sorted(kinds) for name, kinds in chosen.items()},
    }
    table = Table(("hop", "took"), tuple((hop.name, f"{hop.seconds:.1f} s") for hop in hops))
    return Report(
        data=data, findings=findings, sections=(Section(lines=tuple(lines), tables=(table,)),),
        failure=ExitCode.DEPENDENCY_UNREACHABLE,
    )  # fmt: skip


# Channels


def _chosen(ops: Ops, receivers: Sequence[str], *, every: bool) -> Kinds:
    """Channels of the running Alertmanager, not those that the settings ask for."""
    if not receivers and not every:
        return {}
    known = channels_of(ops.alertmanager.status().config)
    if every:
        return {name: kinds for name, kinds in known.items() if kinds}
    for name in receivers:
        if name not in known:
            listed = ", ".join(known)
            raise OpsError(f"There is no receiver {name}.", code="TB-0221", hint=f"Receivers with channels: {listed}.")
        if not known[name]:
            raise OpsError(
                f"The receiver {name} has no channel and notifies nobody.",
                code="TB-0854",
                hint="Set one of ALERT_* (see .env.production.example), then: tradebot monitoring reload",
            )
    return {name: known[name] for name in receivers}


def _through(
    ops: Ops, receiver: str, kinds: Mapping[str, int], post: Post, on_progress: OnProgress,
    hops: list[Hop], broken: list[Finding],
) -> None:  # fmt: skip
    """Each kind of channel of the receiver is a hop of its own; what comes of them is added to the two lists."""
    before = ops.alertmanager.deliveries()
    post(datetime.now(UTC) + ENDS_BY_ITSELF)
    for kind, count in kinds.items():
        # The store is a webhook, and receives this alert as well.
        expected = count + (kind == "webhook")
        wait = partial(_taken, ops, kind, before.get(kind, Deliveries()), expected)
        try:
            hops.append(timed(f"{receiver}: {kind} takes it", wait, on_progress))
        except OpsError as error:
            broken.append(Finding(Level.FAIL, error.code, error.message, hint=error.hint))
            continue
        known = ops.state.load(ChannelTests).taken
        ops.state.store(ChannelTests({**known, f"{receiver}/{kind}": ops.clock().isoformat()}))


def _taken(ops: Ops, kind: str, before: Deliveries, expected: int) -> None:
    deadline = time.monotonic() + CHANNEL_SECONDS
    answers = 0
    while not (problem := outcome(before, ops.alertmanager.deliveries().get(kind, Deliveries()), expected)):
        answers = 0 if problem is None else answers + 1
        if answers == ANSWERS:
            return
        if time.monotonic() > deadline:
            problem = f"it has not been taken within {CHANNEL_SECONDS:.0f} s."
            break
        time.sleep(PAUSE)
    raise OpsError(
        problem,
        code="TB-0552",
        hint="tradebot logs alertmanager --since 5m --level warning; is its secret file right?",
    )


def outcome(before: Deliveries, now: Deliveries, expected: int) -> str | None:
    """Empty once ``expected`` notifications and all others begun were taken, why not, or None while it is open."""
    reasons = [reason for reason, count in now.failed.items() if count > before.failed.get(reason, 0)]
    if reasons:
        known = ", ".join(reason for reason in reasons if reason)
        return f"the notification failed{f' ({known})' if known else ''}."
    started, sent = now.started - before.started, now.sent - before.sent
    return "" if started >= expected and sent >= started else None
