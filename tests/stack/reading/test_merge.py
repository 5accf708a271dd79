"""Each rule of the merge, once; ``tests/integration`` asks Compose itself for the same answers."""

from pathlib import Path
from typing import Any

import pytest

from tradebot_ops.stack.reading.document import parse
from tradebot_ops.stack.reading.merge import merge, settle


def merged(keys: str, over: str) -> dict[str, Any]:
    """The keys of one service after merging."""

    def tree(lines: str) -> Any:
        body = "\n".join(f"    {line}" for line in lines.strip().splitlines())
        return parse(f"services:\n  app:\n{body}\n", Path("compose.yaml"))

    app: dict[str, Any] = settle(merge(tree(keys), tree(over))).plain()["services"]["app"]
    return app


@pytest.mark.parametrize(
    ("base", "over", "expected"),
    [
        pytest.param("image: a", "image: b", {"image": "b"}, id="scalars: the later wins"),
        pytest.param("command: [a, b]", "command: c", {"command": "c"}, id="a command is replaced"),
        pytest.param(
            "healthcheck: {test: [CMD, a], retries: 2}",
            "healthcheck: {test: [CMD, b]}",
            {"healthcheck": {"test": ["CMD", "b"], "retries": 2}},
            id="a test is replaced, its neighbours stay",
        ),
        pytest.param(
            "environment: {A: 1, B: 2}",
            "environment: [B=3, C]",
            {"environment": {"A": 1, "B": "3", "C": None}},
            id="environment merges by name in either spelling",
        ),
        pytest.param('ports: ["1:1"]', 'ports: ["2:2", "1:1"]', {"ports": ["1:1", "2:2"]}, id="ports are joined"),
        pytest.param(
            "volumes: [a:/data, b:/other]",
            "volumes: [./c:/data:ro]",
            {"volumes": ["./c:/data:ro", "b:/other"]},
            id="volumes are joined by target",
        ),
        pytest.param(
            "secrets: [one]",
            "secrets: [two, {source: one, mode: 0400}]",
            {"secrets": [{"source": "one", "mode": 400}, "two"]},
            id="secrets are joined by target",
        ),
        pytest.param(
            "depends_on: [db]",
            "depends_on: {db: {condition: service_healthy}, cache: {}}",
            {"depends_on": {"db": {"condition": "service_healthy"}, "cache": {}}},
            id="dependencies merge by name in either spelling",
        ),
        pytest.param(
            "deploy: {resources: {limits: {memory: 1g, cpus: 1}}}",
            "deploy: {resources: {limits: {memory: 2g}}}",
            {"deploy": {"resources": {"limits": {"memory": "2g", "cpus": 1}}}},
            id="mappings merge at any depth",
        ),
        pytest.param(
            "logging: {driver: json-file, options: {max-size: 1m}}",
            "logging: {driver: journald}",
            {"logging": {"driver": "journald"}},
            id="options of another driver are dropped",
        ),
        pytest.param(
            "logging: {driver: json-file, options: {max-size: 1m}}",
            "logging: {options: {max-file: 2}}",
            {"logging": {"driver": "json-file", "options": {"max-size": "1m", "max-file": 2}}},
            id="options of the same driver merge",
        ),
        pytest.param(
            "build: ./here",
            "build: {args: {A: 1}}",
            {"build": {"context": "./here", "args": {"A": 1}}},
            id="short build",
        ),
        pytest.param(
            "image: a\ncommand: [b]\nports: [c]\nenvironment: {A: 1}\ndeploy: {replicas: 3}",
            "image:\ncommand:\nports:\nenvironment:\ndeploy: {replicas: }",
            {"image": "a", "command": None, "ports": ["c"], "environment": {"A": 1}, "deploy": {"replicas": 3}},
            id="a key without a value changes nothing",
        ),
        pytest.param("environment: {A: 1}", "environment: {A: }", {"environment": {"A": None}}, id="or asks the shell"),
        pytest.param('ports: ["1:1"]', 'ports: !override ["2:2"]', {"ports": ["2:2"]}, id="!override replaces"),
        pytest.param('image: a\nports: ["1:1"]', "ports: !reset []", {"image": "a"}, id="!reset removes"),
        pytest.param("image: a", "ports: !reset []", {"image": "a"}, id="!reset of nothing"),
    ],
)
def test_merges_as_compose_does(base: str, over: str, expected: dict[str, Any]) -> None:
    assert merged(base, over) == expected


def test_a_later_file_adds_services_and_keeps_its_own_places() -> None:
    base = parse("services:\n  a: {image: x}\n", Path("one.yaml"))
    over = parse("# two\nservices:\n  b: {image: y}\n", Path("two.yaml"))
    found = merge(base, over)
    assert found.plain() == {"services": {"a": {"image": "x"}, "b": {"image": "y"}}}
    services = found.value["services"].value if isinstance(found.value, dict) else None
    assert isinstance(services, dict)
    assert str(services["b"].place) == "two.yaml:3: services.b"
