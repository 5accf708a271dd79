"""Keep alerts quiet for a while, and end that."""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from tradebot_ops.clients.alertmanager import Matcher
from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Finding, Level, Report, Section
from tradebot_ops.operations.change import actor, change
from tradebot_ops.operations.monitoring.query import seconds
from tradebot_ops.progress import OnProgress, ignore_progress
from tradebot_ops.text.beginnings import whole
from tradebot_ops.text.suggest import did_you_mean

_MATCHER = re.compile(r"([a-zA-Z_]\w*)(=~|!~|!=|=)(.*)", re.DOTALL)


def silence(
    ops: Ops,
    words: Sequence[str],
    lasting: str | None,
    comment: str | None,
    on_progress: OnProgress = ignore_progress,
) -> Report:
    """Keep matching alerts quiet for a while. Raises ``OpsError`` TB-0210 without an end or a comment."""
    if lasting is None:
        raise OpsError(
            "A silence needs an end: for ever would hide the next outage.",
            code="TB-0210",
            hint='tradebot alerts silence HighCPUUsage --for 2h --comment "load test"',
        )
    matchers = [matcher(word) for word in words]
    ends = datetime.now(UTC) + timedelta(seconds=seconds(lasting))
    with change(ops, "alerts silence", *words, on_progress=on_progress, lease=False):
        made = ops.alertmanager.silence(matchers, ends, actor(ops), comment or "")
    line = f"Silenced {' '.join(map(str, matchers))} until {ends:%Y-%m-%d %H:%M} UTC."
    lines = (line, f"End it: tradebot alerts unsilence {made}")
    return Report(
        data={"id": made, "ends_at": ends.isoformat()}, findings=_unknown(ops, matchers),
        sections=(Section(lines=lines),),
    )  # fmt: skip


def _unknown(ops: Ops, matchers: Sequence[Matcher]) -> tuple[Finding, ...]:
    """A word about names that no rule has; the silence stands, as an alert may come from elsewhere."""
    named = [each for each in matchers if each.name == "alertname" and each.equal]
    if not named:
        return ()
    try:
        rules = {rule.name for rule in ops.prometheus.rules() if rule.kind == "alerting"}
    except OpsError as error:
        message = f"Whether there is such an alert could not be looked up: {error.message}"
        return (Finding(Level.INFO, "silence.unchecked", message),)
    return tuple(
        Finding(
            Level.WARN,
            "silence.unknown",
            f"No rule fits {each}, so no alert of this stack is kept quiet.",
            hint=f"{did_you_mean(each.value, rules)} tradebot monitoring rules".lstrip(),
        )
        for each in named
        if not fits(each, rules)
    )


def fits(wanted: Matcher, names: Iterable[str]) -> bool:
    """Whether the matcher takes any of the names."""
    if not wanted.regex:
        return wanted.value in names
    # Go's expressions, which Alertmanager accepted, are not quite Python's: what cannot be judged is not blamed.
    if "[:" in wanted.value:
        return True
    try:
        return any(re.fullmatch(wanted.value, name) for name in names)
    except re.error:
        return True


def matcher(word: str) -> Matcher:
    """``HighCPUUsage``, ``instance=x``, ``job=~"a|b"``, ``severity!=critical``."""
    match = _MATCHER.fullmatch(word)
    if match is None:
        return Matcher("alertname", word)
    name, sign, value = match[1], match[2], match[3].strip('"')
    return Matcher(name, value, regex="~" in sign, equal=not sign.startswith("!"))


def unsilence(ops: Ops, silence_id: str, on_progress: OnProgress = ignore_progress) -> Report:
    """End a silence; a beginning of its id is enough. Raises ``OpsError`` TB-0222 where that fits several."""
    known = [found.id for found in ops.alertmanager.silences() if found.state != "expired"]
    chosen = whole(silence_id, known, "silences", "tradebot alerts list")
    with change(ops, "alerts unsilence", chosen, on_progress=on_progress, lease=False):
        ops.alertmanager.unsilence(chosen)
    return Report(data={"id": chosen}, sections=(Section(lines=(f"Ended the silence {chosen}.",)),))
