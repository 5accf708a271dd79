"""YAML as plain data: what Prometheus, Alertmanager and their rules are configured with."""

from typing import Any

import yaml

#: libyaml's, which is ten times as fast; PyYAML is built without it on some machines.
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load(text: str) -> Any:
    """The document of a text, None for an empty one. Raises ``yaml.YAMLError``."""
    return yaml.load(text, LOADER)  # noqa: S506 - both make plain data only
