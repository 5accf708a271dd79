"""`tradebot attest`: what only a person can say, with name, day and note; `prod-check` reads it."""

from dataclasses import replace
from datetime import timedelta

from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.facts.project.attestations import KNOWN, VALID_DAYS
from tradebot_ops.model import Report, Section, Table
from tradebot_ops.operations.change import change
from tradebot_ops.records import Attestation, Attestations
from tradebot_ops.text.quantities import age

_NOBODY = {"by": None, "at": None, "note": ""}


def attest(ops: Ops, name: str, by: str, note: str = "") -> Report:
    """Remember that ``by`` vouches for it, from today on. Raises ``OpsError`` TB-0231 for an unknown name, TB-0232
    without a person."""
    if name not in KNOWN:
        names = ", ".join(KNOWN)
        raise OpsError(f"There is nothing called '{name}' to attest.", code="TB-0231", hint=f"Use one of: {names}.")
    if not by.strip():
        raise OpsError("Nobody attests this.", code="TB-0232", hint=f"tradebot attest {name} --by maria")
    made = Attestation(name, by.strip(), ops.clock().isoformat(timespec="seconds"), note.strip())
    with change(ops, "attest", name):
        known = ops.state.load(Attestations)
        others = tuple(each for each in known.attestations if each.name != name)
        ops.state.store(replace(known, attestations=(*others, made)))
    until = ops.clock() + timedelta(days=VALID_DAYS)
    line = f"{made.by} attests {name}: {KNOWN[name]}. It counts until {until:%Y-%m-%d}."
    return Report(data=made.content(), sections=(Section(lines=(line,)),))


def list_(ops: Ops) -> Report:
    """Everything that can be attested, by whom and when it was."""
    made = {each.name: each for each in ops.state.load(Attestations).attestations}
    rows = tuple((name, *_columns(ops, made.get(name)), what) for name, what in KNOWN.items())
    data = [
        {"what": KNOWN[name], "name": name, **(made[name].content() if name in made else _NOBODY)} for name in KNOWN
    ]
    table = Table(("name", "by", "age", "note", "what it says"), rows)
    return Report(data=data, sections=(Section(tables=(table,)),))


def _columns(ops: Ops, made: Attestation | None) -> tuple[str, str, str]:
    if made is None:
        return ("nobody", "", "")
    return (made.by, age(ops.clock() - made.moment), made.note)
