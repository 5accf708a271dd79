"""Rotations that began: the new secret beside the old one, until the rotation is over.

It is on the disk before anything is changed, so that whatever a kill leaves can be finished.
"""

from dataclasses import dataclass
from typing import Any

from tradebot_ops.private_folder import PrivateFolder
from tradebot_ops.settings import Secret
from tradebot_ops.shapes import fields, text


@dataclass(frozen=True)
class Pending:
    """A secret by its name, with its value before and its value afterwards."""

    name: str
    old: Secret
    new: Secret


class Journal:
    """In the folder of the project's secrets, where such values lie anyway."""

    def __init__(self, state: PrivateFolder) -> None:
        self.state = state

    def find(self, name: str) -> Pending | None:
        """Raises ``OpsError`` TB-0801 for one that is damaged."""

        def parsed(content: dict[str, Any]) -> Pending | None:
            found = fields(content, {"old": text, "new": text})
            if not content:
                return None
            if found.keys() != {"old", "new"} or not all(found.values()):
                raise ValueError("it lacks a value")
            return Pending(name, Secret(found["old"]), Secret(found["new"]))

        return self.state.read_as(_file(name), parsed)

    def begin(self, pending: Pending) -> None:
        self.state.write_json(_file(pending.name), {"old": pending.old.reveal(), "new": pending.new.reveal()})

    def finish(self, name: str) -> None:
        self.state.remove(_file(name))


def _file(name: str) -> str:
    return f"secrets/.{name}.rotating"
