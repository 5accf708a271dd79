"""A collector: some files of a bundle, gathered within a deadline; where it fails, the bundle says so."""

import dataclasses
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from tradebot_ops.context import Ops
from tradebot_ops.facts.asking import Facts
from tradebot_ops.facts.fact import Fact, NotHere, Unknown

#: The content of a file by its name: text, or what becomes JSON.
Files = Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class Collector:
    """``collect`` may take ``seconds`` and raise whatever it likes."""

    name: str
    collect: Callable[[Ops], Files]
    seconds: float = 15.0


def asked(ops: Ops, questions: Mapping[str, Fact[Any]]) -> Files:
    """A file for each fact, asked at once; one that is not known has its reason for content."""
    facts = Facts(ops)
    facts.start(questions.values())
    answers = {name: facts.value(question) for name, question in questions.items()}
    return {
        name: {"unknown": answer.why} if isinstance(answer, Unknown | NotHere) else answer
        for name, answer in answers.items()
    }


def plain(value: Any) -> Any:
    """The value as JSON has it: records become objects, times text; whatever else, what it calls itself."""
    return json.loads(json.dumps(_keyed(value), default=_plain))


def _keyed(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _keyed(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_keyed(inner) for inner in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {each.name: _keyed(getattr(value, each.name)) for each in dataclasses.fields(value)}
    return value


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
