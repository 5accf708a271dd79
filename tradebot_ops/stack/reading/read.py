"""Values of the description as Python values: each reader says what is wrong and what to write, and goes on."""

import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from tradebot_ops import units
from tradebot_ops.stack.problems import Code, Problems, listed
from tradebot_ops.stack.reading.document import Item
from tradebot_ops.text.signals import signal_number
from tradebot_ops.text.suggest import did_you_mean

T = TypeVar("T")

#: Keys people know from elsewhere, and what the stack description says instead.
_INSTEAD = {
    "annotations": "Write labels.",
    "attach": "`tradebot logs` shows all or some services; remove the key.",
    "cgroup_parent": "Write deploy.resources.limits.",
    "cpu_count": "Write deploy.resources.limits.cpus.",
    "cpu_shares": "Write deploy.resources.limits.cpus.",
    "cpuset": "Write deploy.resources.limits.cpus.",
    "cpus": "Write deploy.resources.limits.cpus.",
    "extends": "Use a YAML anchor (`<<: *name`) or a second -f file.",
    "include": "Name the other file with a second -f.",
    "links": "Services of one network reach each other by name; remove the key.",
    "mem_limit": "Write deploy.resources.limits.memory.",
    "mem_reservation": "Write deploy.resources.limits.memory.",
    "memswap_limit": "Write deploy.resources.limits.memory.",
    "network_mode": "Write networks; what should be reached from this host goes below ports.",
    "oom_kill_disable": "Raise deploy.resources.limits.memory instead.",
    "pids_limit": "Write deploy.resources.limits.pids.",
    "restart_policy": "Write restart beside deploy.",
    "reservations": "Write limits; nothing is reserved, and GPUs are not handed on. Keep such a service in Compose.",
    "scale": "Write deploy.replicas.",
    "ipam": "Addresses are the engine's own choice; reach services by name and remove the key.",
    "ipv4_address": "Addresses are the engine's own choice; reach services by name and remove the key.",
    "driver_opts": "Make the volume or network yourself, and write external: true and its name.",
    "enable_ipv6": "Make the network yourself, and write external: true and its name.",
    "privileged": "Write what it needs below cap_add.",
    "devices": "Devices of this host are not handed on. Keep such a service in Compose.",
    "gpus": "GPUs are not handed on. Keep such a service in Compose.",
    "dns": "Names are the engine's to find; single ones go below extra_hosts.",
    "dns_search": "Write whole names.",
    "domainname": "Write hostname.",
    "platform": "Images are those of this host; remove the key.",
    "runtime": "Containers get the engine's own runtime; remove the key.",
    "sysctls": "Set them on this host.",
    "userns_mode": "Write user.",
    "volumes_from": "Name the volumes in both services.",
    "external_links": "Join the other stack's network: networks with external: true.",
    "content": "Write it into a file and name that with file.",
}


class Reader:
    """Reads items and collects what is wrong with them; after a problem the fallback keeps reading possible."""

    def __init__(self, problems: Problems) -> None:
        self.problems = problems

    def fail(self, item: Item, message: str, hint: str = "", code: Code = Code.VALUE) -> None:
        self.problems.add(code, item.place, message, hint)

    def fields(self, item: Item | None, supported: frozenset[str]) -> Mapping[str, Item]:
        """A mapping whose keys are all known; ``x-`` keys are left to tools other than this one."""
        found = self.mapping(item)
        for key, child in found.items():
            if key not in supported and not key.startswith("x-"):
                hint = " ".join(filter(None, (_INSTEAD.get(key) or did_you_mean(key, supported),)))
                message = "is a key tradebot does not read"
                self.fail(child, message, f"{hint} Supported here: {listed(supported)}.".lstrip(), Code.KEY)
        return found

    def mapping(self, item: Item | None) -> Mapping[str, Item]:
        if item is None or item.value is None:
            return {}
        if isinstance(item.value, dict):
            return item.value
        self.fail(item, f"is {_kind(item)}, not a mapping", "Write `key: value` lines below it.")
        return {}

    def sequence(self, item: Item | None) -> list[Item]:
        if item is None or item.value is None:
            return []
        if isinstance(item.value, list):
            return item.value
        self.fail(item, f"is {_kind(item)}, not a list", "Write one `- value` line for each entry.")
        return []

    def text(self, item: Item | None, fallback: str = "") -> str:
        """Any scalar, as it was written."""
        if item is None or item.value is None:
            return fallback
        if isinstance(item.value, dict | list):
            self.fail(item, f"is {_kind(item)}, not text")
            return fallback
        return item.raw

    def texts(self, item: Item | None) -> tuple[str, ...]:
        return tuple(self.text(child) for child in self.sequence(item))

    def text_or_texts(self, item: Item | None) -> list[Item]:
        """A key that takes one value or a list of them."""
        if item is None or item.value is None:
            return []
        return item.value if isinstance(item.value, list) else [item]

    def words(self, item: Item | None) -> tuple[str, ...]:
        """A command: a list of words, or one line split as a shell would (but run without one)."""
        if item is None or item.value is None:
            return ()
        if isinstance(item.value, list):
            return self.texts(item)
        return self.parsed(
            item, lambda text: tuple(shlex.split(text)), (), "Close the quote, or write a list of words."
        )

    def pairs(self, item: Item | None) -> dict[str, str | None]:
        """``KEY: value`` lines or a list of ``KEY=value``; None stands for a key without value."""
        if item is not None and isinstance(item.value, list):
            split = (self.text(child).partition("=") for child in item.value)
            return {name: value if equals else None for name, equals, value in split}
        return {key: None if child.value is None else self.text(child) for key, child in self.mapping(item).items()}

    def integer(self, item: Item | None, fallback: int = 0, least: int = 0) -> int:
        if item is None or item.value is None:
            return fallback
        hint = f"Write a whole number from {least} up."
        number = self.parsed(item, _whole, fallback, hint)
        if number < least:
            self.fail(item, f"is {number}", hint)
            return fallback
        return number

    def number(self, item: Item | None) -> float | None:
        return None if item is None else self.parsed(item, _positive, None, "Write a number above 0, such as 0.5.")

    def boolean(self, item: Item | None, *, fallback: bool = False) -> bool:
        if item is None or item.value is None:
            return fallback
        known = {"true": True, "false": False}
        return self.parsed(item, lambda text: known[text.lower()], fallback, "Write true or false.")

    def seconds(self, item: Item | None, fallback: float) -> float:
        return self.parsed(item, units.seconds, fallback, "Write a duration with its unit, such as 10s or 1m30s.")

    def size(self, item: Item | None) -> int | None:
        return self.parsed(item, units.size, None, "Write a size such as 512m or 4gb.")

    def signal(self, item: Item | None, fallback: str = "") -> str:
        """The name of a signal, as it was written."""
        text = self.text(item, fallback)
        known = self.parsed(item, signal_number, 0, "Write a name such as SIGINT, or SIGRTMIN+3; `kill -l` lists them.")
        return text if known else fallback

    def parsed(self, item: Item | None, parse: Callable[[str], T], fallback: T, hint: str) -> T:
        """Result of ``parse`` for the text; a ``ValueError`` or ``KeyError`` of it becomes a problem."""
        if item is None or item.value is None:
            return fallback
        text = self.text(item)
        try:
            return fallback if isinstance(item.value, dict | list) else parse(text)
        except (ValueError, KeyError):
            self.fail(item, f"is {text!r}", hint)
            return fallback

    def chosen(self, item: Item | None, known: tuple[str, ...], fallback: str) -> str:
        """One of a few words."""
        text = self.text(item, fallback)
        if item is not None and text not in known:
            hint = f"{did_you_mean(text, known)} Write one of: {', '.join(known)}.".lstrip()
            self.fail(item, f"is {text!r}", hint)
            return fallback
        return text

    def required(self, owner: Item, fields: Mapping[str, Item], key: str) -> Iterator[Item]:
        """The field if it is there and has a value; a problem on its owner if not."""
        item = fields.get(key)
        if item is None or item.value is None or (item.raw == "" and not isinstance(item.value, dict | list)):
            self.fail(owner, f"has no `{key}`", f"Add a `{key}:` line.")
        else:
            yield item


def _whole(text: str) -> int:
    if not re.fullmatch(r"-?[0-9]+", text):  # int() also takes 1_000 and digits of other scripts
        raise ValueError(text)
    return int(text)


def _positive(text: str) -> float:
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)?", text) or not 0 < float(text) < float("inf"):
        raise ValueError(text)
    return float(text)


def _kind(item: Item) -> str:
    if isinstance(item.value, dict):
        return "a mapping"
    if isinstance(item.value, list):
        return "a list"
    return "empty" if item.value is None else f"{item.raw!r}"
