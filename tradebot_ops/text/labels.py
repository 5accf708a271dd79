"""Names of replicas (in tables, logs, file names, other programs' answers), and labels as Prometheus writes them."""

from collections.abc import Mapping


def label(service: str, number: int) -> str:
    """``worker-2``."""
    return f"{service}-{number}"


class Labelled:
    """Something that is about one replica."""

    service: str
    number: int

    @property
    def label(self) -> str:
        """``worker-2``."""
        return label(self.service, self.number)


def pairs(labels: Mapping[str, str]) -> str:
    """``endpoint="/jobs", method="GET"``, escaped as in Prometheus' text format."""
    return ", ".join(f'{name}="{_escaped(value)}"' for name, value in sorted(labels.items()))


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
