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
        pytest.param('ports: ["1:80"]', 'ports: ["2:80"]', {"ports": ["1:80", "2:80"]}, id="ports of one target"),
        pytest.param(
            "tmpfs: ['/a:size=1m']",
            "tmpfs: ['/b:size=1m']",
            {"tmpfs": ["/a:size=1m", "/b:size=1m"]},
            id="what only looks like a target",
        ),
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
        pytest.param(
            'ports: ["1:1", "2:2"]', 'ports: [!reset "1:1", "3:3"]', {"ports": ["2:2", "3:3"]}, id="!reset in a list"
        ),
        pytest.param(
            "healthcheck: {test: [a, b], retries: 2}",
            "healthcheck: {test: [c, !reset d], retries: !reset 2}",
            {"healthcheck": {"test": ["c"]}},
            id="!reset in a list of a mapping",
        ),
        pytest.param(
            "secrets: [{source: one, target: a}]",
            "secrets: [{source: two, uid: !reset 1}]",
            {"secrets": [{"source": "one", "target": "a"}, {"source": "two"}]},
            id="!reset in a mapping of a list",
        ),
        pytest.param("labels: {a: 1, b: 2}", "labels: !reset {}", {}, id="!reset of a mapping"),
        pytest.param("labels: {a: 1, b: 2}", "labels: {a: !reset 1}", {"labels": {"b": 2}}, id="!reset of a label"),
        pytest.param(
            "environment: [A=1, B=2]",
            "environment: {A: !reset 1}",
            {"environment": {"B": "2"}},
            id="!reset of a variable of a list",
        ),
        pytest.param(
            "labels: [a=1, b=2]", "labels: [b=3, c=4]", {"labels": {"a": "1", "b": "3", "c": "4"}}, id="labels as lists"
        ),
        pytest.param(
            "labels: {a: 1, b: 2}", "labels: [b=3, c]", {"labels": {"a": 1, "b": "3", "c": None}}, id="labels as both"
        ),
        pytest.param(
            "logging: {options: [a=1, b=2]}",
            "logging: {options: [b=3]}",
            {"logging": {"options": {"a": "1", "b": "3"}}},
            id="options as lists",
        ),
        pytest.param(
            "build: {args: [A=1, B=2]}",
            "build: {args: [B=3=4]}",
            {"build": {"args": {"A": "1", "B": "3=4"}}},
            id="arguments as lists",
        ),
        pytest.param("entrypoint: [a, b]", "entrypoint: [c]", {"entrypoint": ["c"]}, id="an entrypoint is replaced"),
        pytest.param(
            "healthcheck: {test: [CMD, a]}", "healthcheck: {test: b}", {"healthcheck": {"test": "b"}}, id="by a text"
        ),
        pytest.param(
            "networks: [a, b]",
            "networks: {b: {aliases: [c]}, d: {}}",
            {"networks": {"a": None, "b": {"aliases": ["c"]}, "d": {}}},
            id="networks merge by name in either spelling",
        ),
        pytest.param(
            "networks: {a: {aliases: [x]}}",
            "networks: [a, b]",
            {"networks": {"a": {"aliases": ["x"]}, "b": None}},
            id="a network that is only named keeps what it had",
        ),
        pytest.param(
            "depends_on: {db: {condition: service_healthy, restart: true}}",
            "depends_on: [db, cache]",
            {
                "depends_on": {
                    "db": {"condition": "service_started", "restart": True},
                    "cache": {"condition": "service_started"},
                }
            },
            id="the short spelling of a dependency means that it has started",
        ),
        pytest.param(
            "volumes: [{type: bind, source: ./a, target: /x}, {source: b, target: /y}]",
            "volumes: ['c:/x', {type: tmpfs, target: /z}, /y]",
            {"volumes": ["c:/x", "/y", {"type": "tmpfs", "target": "/z"}]},
            id="volumes are joined by target in every spelling",
        ),
        pytest.param(
            "configs: [a, {source: b, target: /b}]",
            "configs: [{source: c, target: /b}, {source: a, mode: 1}]",
            {"configs": [{"source": "a", "mode": 1}, {"source": "c", "target": "/b"}]},
            id="configs are joined by target",
        ),
        pytest.param(
            "volumes: [{type: tmpfs}]",
            "volumes: [{type: x}]",
            {"volumes": [{"type": "tmpfs"}, {"type": "x"}]},
            id="those without a target stay apart",
        ),
        pytest.param("cap_add: [A, B]", "cap_add: [B, C]", {"cap_add": ["A", "B", "C"]}, id="capabilities are joined"),
        pytest.param("expose: [1, '2']", "expose: ['1', 2]", {"expose": [1, "2", "1", 2]}, id="what differs stays"),
        pytest.param(
            "tmpfs: ['/a:size=1m', /b]",
            "tmpfs: ['/a:size=2m']",
            {"tmpfs": ["/a:size=1m", "/b", "/a:size=2m"]},
            id="a list that is not joined by target",
        ),
        pytest.param("ports: ['1:1']", "ports: {a: b}", {"ports": {"a": "b"}}, id="another kind replaces"),
        pytest.param("tmpfs: /a", "tmpfs: [/b]", {"tmpfs": ["/b"]}, id="a text is no list"),
        pytest.param(
            "logging: {options: {a: 1}}",
            "logging: {driver: journald}",
            {"logging": {"options": {"a": 1}, "driver": "journald"}},
            id="a driver that is named first",
        ),
        pytest.param(
            "logging: {driver: journald, options: {a: 1}}",
            "logging: {driver: journald, options: {b: 2}}",
            {"logging": {"driver": "journald", "options": {"a": 1, "b": 2}}},
            id="the same driver",
        ),
        pytest.param("labels: {a: 1}", "labels: {a: }", {"labels": {"a": None}}, id="a label without a value"),
        pytest.param(
            "deploy: {resources: {limits: {memory: 1g}}}",
            "deploy: {resources: }",
            {"deploy": {"resources": {"limits": {"memory": "1g"}}}},
            id="a deep key without a value",
        ),
        pytest.param(
            "build: {context: a, args: {A: 1}}",
            "build: ./b",
            {"build": {"context": "./b", "args": {"A": 1}}},
            id="short build over a long one",
        ),
        pytest.param("image: a\ncommand: b", "command: !override c", {"image": "a", "command": "c"}, id="!override"),
        pytest.param("labels: {a: 1}", "labels: !override {b: 2}", {"labels": {"b": 2}}, id="!override of a mapping"),
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


def test_only_services_have_short_spellings() -> None:
    """Elsewhere the same names mean something else."""
    base = parse("volumes: {a: {labels: [x=1]}}\nsecrets: [one]\n", Path("one.yaml"))
    over = parse("volumes: {a: {labels: [y=2]}}\nsecrets: [one, 'two:one']\n", Path("two.yaml"))
    assert settle(merge(base, over)).plain() == {
        "volumes": {"a": {"labels": ["x=1", "y=2"]}},
        "secrets": ["one", "two:one"],
    }


NAMED = """
services:
  NAME:
    image: a
    init: true
    labels: {NAME: "1", other: "2"}
    environment: {NAME: "1"}
    networks: {NAME: {aliases: [a]}}
    depends_on: {NAME: {condition: service_healthy}}
    logging: {options: {NAME: "1"}}
networks: {NAME: {internal: true}}
volumes: {NAME: {driver: local}}
"""
NAMED_LATER = """
services:
  NAME:
    image:
    user: "1"
    labels: {NAME: "3"}
    environment: {NAME: "2"}
    networks: {NAME: {aliases: [b]}}
    depends_on: {NAME: {restart: true}}
    logging: {options: {NAME: "2"}}
networks: {NAME: {name: n}}
volumes: {NAME: {name: n}}
"""


@pytest.mark.parametrize(
    "name",
    [
        "command", "entrypoint", "test", "environment", "labels", "args", "options", "build", "networks", "depends_on",
        "logging", "volumes", "secrets", "configs", "services",
    ],
)  # fmt: skip
def test_what_somebody_named_like_a_key_is_merged_like_any_other(name: str) -> None:
    """A service called ``test``, and a label called ``build``."""

    def merged_as(name: str) -> Any:
        base, over = (parse(text.replace("NAME", name), Path("compose.yaml")) for text in (NAMED, NAMED_LATER))
        return settle(merge(base, over)).plain()

    def renamed(value: Any) -> Any:
        if isinstance(value, dict):
            return {name if key == "nobodys" else key: renamed(child) for key, child in value.items()}
        return value

    app = merged_as("nobodys")["services"]["nobodys"]
    assert (app["image"], app["user"], app["labels"]) == ("a", "1", {"nobodys": "3", "other": "2"})
    assert app["networks"] == {"nobodys": {"aliases": ["a", "b"]}}
    assert merged_as(name) == renamed(merged_as("nobodys"))
