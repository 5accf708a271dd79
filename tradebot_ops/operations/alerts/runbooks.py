"""The page that describes how to confirm, mend and prevent the cause of an alert."""

from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.facts.alerting.runbooks import folder, names
from tradebot_ops.model import Report, Section
from tradebot_ops.text.suggest import did_you_mean


def show(ops: Ops, alert: str) -> Report:
    """The page of an alert. Raises ``OpsError`` TB-0215 when there is none."""
    known = {name.lower(): name for name in names(ops)}
    name = known.get(alert.lower())
    if name is None:
        message = f"There is no runbook {alert}. {did_you_mean(alert, known.values())}".rstrip()
        raise OpsError(message, code="TB-0215", hint="tradebot runbook list")
    text = (folder(ops) / f"{name}.md").read_text(encoding="utf-8")
    return Report(
        data={"alert": name, "text": text}, sections=(Section(lines=tuple(text.splitlines()), markdown=True),)
    )


def list_(ops: Ops) -> Report:
    found = names(ops)
    return Report(data=found, sections=(Section(lines=tuple(found)),))
