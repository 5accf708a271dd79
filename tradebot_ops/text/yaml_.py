"""YAML as plain data: what Prometheus, Alertmanager and their rules are configured with, and the stack's description.

Scalars follow YAML 1.2, much as the programs that these files are for read them: ``yes`` and ``on`` are text, ``22:00``
is no number of minutes. PyYAML itself reads YAML 1.1.
"""

import re
from typing import Any, ClassVar

import yaml

#: libyaml's, which is ten times as fast; PyYAML is built without it on some machines.
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Loader(LOADER):  # type: ignore[misc]  # the C loader exists only where libyaml does
    """Plain data, with YAML 1.2 scalars."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}


def _scalar(tag: str, pattern: str, first: str) -> None:
    Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(pattern), list(first))


_scalar("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF")
_scalar("null", r"^(?:~|null|Null|NULL|)$", "~nN\0")
Loader.yaml_implicit_resolvers.setdefault("", []).append(("tag:yaml.org,2002:null", re.compile(r"^$")))
_scalar("int", r"^[-+]?(?:0o[0-7]+|0x[0-9a-fA-F]+|[0-9]+)$", "-+0123456789")
_scalar("float", r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$", "-+.0123456789")
_scalar("merge", r"^<<$", "<")


def integer(text: str) -> int:
    """The value of what is an int by YAML 1.2."""
    return int(text, 0) if text.lstrip("+-")[:2] in {"0o", "0x"} else int(text)


Loader.add_constructor("tag:yaml.org,2002:int", lambda loader, node: integer(loader.construct_scalar(node)))
Loader.add_constructor("tag:yaml.org,2002:float", lambda loader, node: float(loader.construct_scalar(node)))


def load(text: str) -> Any:
    """The document of a text, None for an empty one. Raises ``yaml.YAMLError``."""
    return yaml.load(text, Loader)  # noqa: S506 - it makes plain data only
