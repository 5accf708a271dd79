"""The rules of a parsed rule file. Pure.

What is null or missing counts as empty, as Prometheus reads it; whether the file is valid is promtool's to say.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any


def rules_of(documents: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Every rule with its ``expr`` as text and its ``labels`` and ``annotations`` as mappings."""
    for document in documents:
        for group in document.get("groups") or ():
            for rule in group.get("rules") or ():
                yield rule | {
                    "expr": str(rule.get("expr") or ""),
                    "labels": rule.get("labels") or {},
                    "annotations": rule.get("annotations") or {},
                }


def alerts_of(documents: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [rule for rule in rules_of(documents) if rule.get("alert")]
