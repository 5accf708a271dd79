"""A service as keys of the compose file, and where each is written."""

from dataclasses import replace
from pathlib import Path

import pytest

from tradebot_ops.stack.keys import keys_of, place_of, written_at
from tradebot_ops.stack.load import load, tree_of
from tradebot_ops.stack.source import Source

COMPOSE = """\
services:
  app:
    image: app:${TAG:-1}
    command: [run, --fast]
    env_file: app.env
    environment:
      LEVEL: info
    ports: ["127.0.0.1:8010:80", "0.0.0.0:9:9"]
    volumes: ["./conf:/conf:ro", "data:/data", {type: tmpfs, target: /tmp}]
    deploy: {resources: {limits: {memory: 1k}}}
    stop_grace_period: 20s
    labels: {com.example.team: bots}
  listed:
    image: a
    environment: [A=1, B.C=2]
    read_only: true
    extra_hosts: {one: 192.0.2.7}
    healthcheck: {test: [CMD, a], interval: 1.5s}
    secrets: [key]
volumes: {data: }
secrets: {key: {file: ./key}}
"""


@pytest.fixture
def source(tmp_path: Path) -> Source:
    (tmp_path / "compose.yaml").write_text(COMPOSE, encoding="utf-8")
    (tmp_path / "app.env").write_text("FROM_FILE=1\n", encoding="utf-8")
    (tmp_path / "conf").mkdir()
    return Source((tmp_path / "compose.yaml",), tmp_path, "a test")


def test_as_the_file_spells_them(source: Source) -> None:
    stack = load(source, {}, project="demo")
    assert keys_of(stack, stack.services["app"]) == {
        "name": "app",
        "image": "app:1",
        "command": "run\n--fast",
        "environment.LEVEL": "info",
        "environment.FROM_FILE": "1",
        "ports": "127.0.0.1:8010:80\n0.0.0.0:9:9",
        "volumes": f"{source.folder}/conf:/conf:ro\ndata:/data\n/tmp",
        "names of volumes": "demo_data",
        "deploy.resources.limits.memory": "1024",
        "stop_grace_period": "20",
        "labels.com.example.team": "bots",
    }


def test_what_is_no_text_as_one(source: Source) -> None:
    stack = load(source, {}, project="demo")
    assert keys_of(stack, stack.services["listed"]) == {
        "name": "listed",
        "image": "a",
        "environment.A": "1",
        "environment.B.C": "2",
        "read_only": "true",
        "host.extra_hosts.one": "192.0.2.7",
        "healthcheck.test": "CMD\na",
        "healthcheck.interval": "1.5",
        "secrets": "key:/run/secrets/key",
        "secrets and configs": f"key\n{source.folder}/key\n",
    }


@pytest.mark.parametrize(
    ("service", "key", "line"),
    [
        ("app", "image", 3),
        ("app", "environment.LEVEL", 7),
        ("app", "environment.FROM_FILE", 5),
        ("app", "deploy.resources.limits.memory", 10),
        ("app", "labels.com.example.team", 12),
        ("app", "names of volumes", 2),
        ("listed", "environment.A", 15),
        ("listed", "environment.B.C", 15),
        ("listed", "image", 14),
        ("app", "read_only", 2),
        ("app", "image.tag", 3),
        ("app", "environment.GONE", 5),
        ("listed", "environment.GONE", 13),
        ("gone", "image", 1),
    ],
)
def test_where_they_are_written(source: Source, service: str, key: str, line: int) -> None:
    assert written_at(place_of(tree_of(source, {}), service, key), source.folder) == f"compose.yaml:{line}"


def test_which_variables_are_in_them(source: Source) -> None:
    assert place_of(tree_of(source, {"TAG": "2"}), "app", "image").variables == {"TAG"}


def test_a_file_elsewhere_is_named_by_its_whole_path(source: Source, tmp_path: Path) -> None:
    item = place_of(tree_of(source, {}), "app", "image")
    assert written_at(item, tmp_path / "elsewhere") == f"{source.folder}/compose.yaml:3"
    nowhere = replace(item, place=replace(item.place, line=0))
    assert written_at(nowhere, source.folder) == "compose.yaml"


def test_keys_of_our_own_and_networks_with_dots(tmp_path: Path) -> None:
    file = tmp_path / "compose.yaml"
    file.write_text(
        "services:\n  app:\n    image: a\n    networks:\n      a.b:\n        aliases: [x, y]\n"
        "    tmpfs: ['/t:size=1k,mode=0700']\n    secrets: [{source: key, mode: 0400}]\n"
        "    x-tradebot:\n      ours: {deep: [1, true, {a: 1, b: [2, no]}]}\n"
        "networks:\n  a.b: {}\nsecrets: {key: {file: ./key}}\n",
        encoding="utf-8",
    )
    source = Source((file,), tmp_path, "a test")
    stack = load(source, {}, project="demo")
    assert keys_of(stack, stack.services["app"]) == {
        "name": "app",
        "image": "a",
        "networks.a.b": "x\ny",
        "volumes": "/t",
        "secrets": "key:/run/secrets/key",
        "secrets and configs": f"key\n{tmp_path}/key\n",
        "x-tradebot.ours.deep": "1\ntrue\na=1 b=2\nno",
    }
    tree = tree_of(source, {})
    for key, line in (("networks.a.b", 5), ("x-tradebot.ours.deep", 10), ("volumes", 2), ("networks", 4)):
        assert written_at(place_of(tree, "app", key), tmp_path) == f"compose.yaml:{line}", key
