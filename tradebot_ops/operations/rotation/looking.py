"""`tradebot secrets list`, `show` and `check`: what there is, one value for a person, and whether all are sound."""

from collections.abc import Iterator
from datetime import UTC, datetime

from tradebot_ops.context import Change, Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.model import Finding, Level, Report, Section, Table
from tradebot_ops.operations.audit.entry import Audited
from tradebot_ops.operations.rotation.rotate import declared, own, pending
from tradebot_ops.operations.rotation.ways import WAYS
from tradebot_ops.operations.secrets import usable
from tradebot_ops.stack.model import SecretFile
from tradebot_ops.text.quantities import age
from tradebot_ops.text.sentences import agreed

#: A generated one has 32; fewer than these are guessed.
SHORTEST = 16


def listing(ops: Ops) -> Report:
    """Every secret but those computed from others; no value."""
    rows, data = [], []
    for name, secret in own(ops).items():
        way = WAYS.get(name)
        rotates = bool(way and way.change)
        state = _state(ops, secret)
        opens = way.opens if way else ""
        rows.append((name, opens, _age(ops, secret), "yes" if rotates else "no", state))
        data.append({"name": name, "opens": opens, "file": str(secret.file), "rotates": rotates, "state": state})
    table = Table(("secret", "opens", "age", "rotates", "state"), tuple(rows))
    return Report(data={"secrets": data}, sections=(Section(tables=(table,)),))


def show(ops: Ops, name: str) -> Report:
    """The value of one secret, alone on its line; that it was shown is in the audit log."""
    declared(ops, name)
    audited = Audited(ops, Change("secrets show", (name,), leased=False))
    try:
        value = ops.secret(name).reveal()
    except OpsError as error:
        audited.end(error)
        raise
    audited.end()
    return Report(data={"name": name, "value": value}, sections=(Section(lines=(value,)),))


def check(ops: Ops) -> Report:
    """Whether each is there, closed to others, usable and long enough, and no rotation was left half-way."""
    findings = [finding for name, secret in own(ops).items() for finding in _findings(ops, name, secret)]
    if not findings:
        findings = [Finding(Level.PASS, "TB-0137", agreed(f"All {len(own(ops))} secrets are sound."))]
    return Report(data={"secrets": list(own(ops)), "sound": findings[0].level is Level.PASS}, findings=tuple(findings))


def _findings(ops: Ops, name: str, secret: SecretFile) -> Iterator[Finding]:
    def wrong(message: str, hint: str, level: Level = Level.FAIL) -> Finding:
        return Finding(level, "TB-0137", message, hint=hint)

    if not secret.file.is_file():
        yield wrong(f"There is no {name} yet.", "tradebot up generates it.", Level.WARN)
        return
    if _open_to_others(secret):
        yield wrong(f"Other users of this host can read {name}.", f"chmod 700 '{secret.file.parent}'")
    if pending(ops, name):
        yield wrong(f"A rotation of {name} was left half-way.", f"tradebot secrets rotate {name}")
        return
    try:
        value = secret.file.read_text(encoding="utf-8").strip()
        usable(name, value)
    except (OSError, UnicodeDecodeError):
        yield wrong(f"{name} cannot be read as text.", f"ls -l '{secret.file}'")
    except OpsError as error:
        yield wrong(error.message, error.hint)
    else:
        if len(value) < SHORTEST:
            yield wrong(
                agreed(f"{name} has {len(value)} characters only."), f"tradebot secrets rotate {name}", Level.WARN
            )


def _open_to_others(secret: SecretFile) -> bool:
    """Whether each folder above lets others pass, and the file lets them read."""
    if not secret.file.stat().st_mode & 0o044:
        return False
    return all(folder.stat().st_mode & 0o011 for folder in secret.file.resolve().parents)


def _state(ops: Ops, secret: SecretFile) -> str:
    if not secret.file.is_file():
        return "not made yet"
    return "rotation not finished" if pending(ops, secret.name) else "ok"


def _age(ops: Ops, secret: SecretFile) -> str:
    if not secret.file.is_file():
        return ""
    return age(ops.clock() - datetime.fromtimestamp(secret.file.stat().st_mtime, UTC))
