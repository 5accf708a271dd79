"""The stream of events, from the engine's own lines."""

import json
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

from tradebot_ops.engines.docker.observing.events import EventStream
from tradebot_ops.engines.docker.spec import NUMBER, ONE_OFF, SERVICE

REPLICA = {SERVICE: "worker", NUMBER: "2", ONE_OFF: "False"}


class Engine:
    """Answers with these events, the bytes cut anywhere."""

    deadlines = SimpleNamespace(read=1.0)

    def __init__(self, *events: tuple[str, dict[str, str]]) -> None:
        lines = [
            {"Action": action, "timeNano": 10**18, "Actor": {"Attributes": attributes}} for action, attributes in events
        ]
        self._bytes = b"\n".join(json.dumps(line).encode() for line in lines) + b"\n"

    def translating_errors(self, *_what: Any) -> Any:
        return nullcontext()

    def stream(self, _path: str, _params: Any, *, endless: bool) -> Any:
        del endless
        chunks = [self._bytes[place : place + 7] for place in range(0, len(self._bytes), 7)]
        return SimpleNamespace(raw=SimpleNamespace(stream=lambda **_options: iter(chunks)))


def shown(*events: tuple[str, dict[str, str]]) -> list[tuple[str, str]]:
    return [(event.label, event.action) for event in EventStream(Engine(*events), "demo")]  # type: ignore[arg-type]


def test_what_replicas_did_is_shown_and_commands_of_health_checks_are_not() -> None:
    assert shown(("start", REPLICA), ("exec_create: pg_isready", REPLICA), ("die", REPLICA)) == [
        ("worker-2", "start"),
        ("worker-2", "die"),
    ]


def test_containers_that_were_run_for_one_question_are_no_replicas() -> None:
    """`prod-check` tries doors from one; `compose run` makes them, too, under the name of a service."""
    assert shown(("die", {ONE_OFF: "True"}), ("start", REPLICA), ("kill", REPLICA | {ONE_OFF: "True"})) == [
        ("worker-2", "start")
    ]
