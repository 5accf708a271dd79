"""`tradebot secrets rotate` and `import`: another value for a secret, while the stack works."""

import secrets
import time
from collections.abc import Sequence

from tradebot_ops.context import Ops
from tradebot_ops.errors import ExitCode, OpsError
from tradebot_ops.facts.project.bots import watched
from tradebot_ops.model import Report, Section
from tradebot_ops.operations.change import change
from tradebot_ops.operations.rotation.pending import Journal, Pending
from tradebot_ops.operations.rotation.ways import WAYS, Way
from tradebot_ops.operations.secrets import usable
from tradebot_ops.private_folder import overwrite
from tradebot_ops.progress import OnProgress, Phase, ProgressEvent
from tradebot_ops.settings import Secret
from tradebot_ops.stack.model import SecretFile
from tradebot_ops.text.quantities import quantity
from tradebot_ops.text.suggest import did_you_mean


def rotate(ops: Ops, names: Sequence[str], on_progress: OnProgress, *, every: bool = False) -> Report:
    """Give each secret a new random value; with ``every`` all that can be changed while the stack works.

    One that a killed rotation left half-way is finished with the value that it had begun with. Raises ``OpsError``
    TB-0271 for a name that is none, TB-0927 for a secret that cannot be changed so, TB-0136 where the new value is not
    in force, or the old one still is.
    """
    chosen = tuple(name for name in own(ops) if not _known_way(name).obstacle(ops)) if every else tuple(names)
    if not chosen:
        raise OpsError("No secret was named.", code="TB-0271", hint="tradebot secrets list; or: --all")
    for name in chosen:
        check_changeable(ops, name)
    with change(ops, "secrets rotate", *chosen, on_progress=on_progress):
        taken = {name: _change(ops, name, on_progress) for name in chosen}
    return _report(ops, taken, every=every)


def import_(ops: Ops, name: str, value: Secret, on_progress: OnProgress) -> Report:
    """Give a secret this value: before the first `up` any, later those that can be changed, and those of others."""
    usable(name, value.reveal())
    file = declared(ops, name)
    there, given = file.file.is_file(), _known_way(name).given
    if there and not given:
        check_changeable(ops, name)
    _check_ours(ops, file)
    with change(ops, "secrets import", name, on_progress=on_progress):
        taken = {name: 0.0}
        if not there:
            ops.state.write(f"secrets/{name}", value.reveal())
        elif given:
            overwrite(file.file, value.reveal())
        else:
            taken = {name: _change(ops, name, on_progress, value)}
    if given or not there:  # nothing has an old one that would be refused
        return Report(
            data={"rotated": [{"name": name, "seconds": 0.0}], "left": {}},
            sections=(Section(lines=(f"{name} is what was given, from the next time that it is used.",)),),
        )
    return _report(ops, taken, every=False)


def own(ops: Ops) -> dict[str, SecretFile]:
    """The secrets of the stack but those that are computed from others, by name."""
    return {name: each for name, each in sorted(ops.stack.secrets.items()) if not each.derive}


def declared(ops: Ops, name: str) -> SecretFile:
    """Raises ``OpsError`` TB-0271."""
    known = own(ops)
    if name not in known:
        suggestion = did_you_mean(name, known)
        hint = f"{suggestion} All of them: tradebot secrets list".strip()
        raise OpsError(f"The stack has no secret {name}.", code="TB-0271", hint=hint)
    return known[name]


def check_changeable(ops: Ops, name: str) -> None:
    file = declared(ops, name)
    _check_ours(ops, file)
    if obstacle := _known_way(name).obstacle(ops):
        raise OpsError(
            f"{name} cannot be changed while the stack works: {obstacle}.",
            code="TB-0927",
            hint="Those that can: tradebot secrets list",
        )
    if not file.file.is_file():
        raise OpsError(f"There is no secret {name} yet.", code="TB-0805", hint="tradebot up generates it.")


def pending(ops: Ops, name: str) -> bool:
    return Journal(ops.state).find(name) is not None


def _known_way(name: str) -> Way:
    return WAYS.get(name, Way("", why="it is of your own stack, which alone knows who uses it"))


def _check_ours(ops: Ops, file: SecretFile) -> None:
    if file.file.parent != ops.state.secrets:
        raise OpsError(
            f"The secret {file.name} lies in {file.file.parent}, which belongs to you, not to tradebot.",
            code="TB-0927",
            hint=f"Write {file.file} yourself, and then: tradebot restart",
        )


def _change(ops: Ops, name: str, on_progress: OnProgress, value: Secret | None = None) -> float:
    """Seconds that it took."""
    started = time.monotonic()
    journal = Journal(ops.state)
    carry_out = WAYS[name].change
    if carry_out is None:
        raise TypeError(name)
    begun = journal.find(name)
    if begun is None or (value is not None and value != begun.new):
        if begun is not None:
            on_progress(ProgressEvent(name, Phase.PREPARING, "finishing what was begun"))
            carry_out(ops, begun)
        begun = Pending(name, ops.secret(name), value or Secret(secrets.token_urlsafe(24)))
        journal.begin(begun)
    on_progress(ProgressEvent(name, Phase.PREPARING, "both are taken for a while"))
    carry_out(ops, begun)
    journal.finish(name)
    on_progress(ProgressEvent(name, Phase.DONE, "the new one alone is in force"))
    return time.monotonic() - started


def _used(ops: Ops, name: str) -> bool:
    """Whether anything logs in with it: what was made elsewhere is for a bot, and mostly none is watched."""
    return not _known_way(name).given or watched(ops)


def _report(ops: Ops, taken: dict[str, float], *, every: bool) -> Report:
    lines = [f"{name} has a new value; the old one is refused ({quantity(each, 's')})." for name, each in taken.items()]
    asked = own(ops) if every else ()
    left = {name: _known_way(name).obstacle(ops) for name in asked if name not in taken and _used(ops, name)}
    lines += [f"Left as it is: {name}: {why}." for name, why in left.items()]
    data = {"rotated": [{"name": name, "seconds": round(each, 3)} for name, each in taken.items()], "left": left}
    return Report(data=data, sections=(Section(lines=tuple(lines)),), failure=ExitCode.FAILED)
