"""What is offered at each place, over the real command tree."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from tests.cli.tree import dotted, leaves
from tests.paths import ROOT
from tradebot_ops.cli.completion.answer import offered
from tradebot_ops.cli.completion.kinds import VALUES, kinds_of, values_of
from tradebot_ops.cli.completion.look import KINDS
from tradebot_ops.cli.completion.place import typed
from tradebot_ops.cli.completion.read import takes_value
from tradebot_ops.cli.completion.shape import FILES
from tradebot_ops.cli.completion.tree import Tree
from tradebot_ops.cli.main import app
from tradebot_ops.cli.registry import COMMANDS

TREE = Tree(None)
ROOT_COMMAND = get_command(app)
NAMES = {kind: [(f"{kind.replace(' ', '-')}-1", f"about {kind}")] for kind in KINDS}
#: Nobody knows beforehand what stands there.
FREE = {
    "AGE",
    "CRON", "ZONE", "N|none",
    "-- OPTIONS", "COUNT", "DAY", "LINES", "MATCHER", "N", "NAME", "NUMBER", "PATTERN", "PORT", "PROMQL", "S+",
    "SECONDS", "SERVICE=N", "SOURCE", "STATE", "TAG", "TEXT", "TIME", "URL", "WHAT", "[N] -- COMMAND...",
    "github|gitlab", "LABEL=VALUE", "USER", "WORDS", "NUMBER:HASH", "HH:MM", "SYMBOL", "EXCHANGE", "INTERVAL", "NAME,…",
}  # fmt: skip


def at(line: str) -> list[str]:
    words, last = typed(line)
    return [each.partition("\t")[0] for each in offered(TREE, words[1:], last, NAMES).splitlines()]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("tradebot sta", ["status", "start"]),
        ("tradebot -p demo sta", ["status", "start"]),
        ("tradebot --project=demo sta", ["status", "start"]),
        ("tradebot 'sta", ["status", "start"]),
        ("tradebot jobs li", ["list"]),
        ("tradebot dlq replay --gr", ["--group"]),
        ("tradebot dlq replay --group ", ["group-1"]),
        ("tradebot dlq replay --group=", ["--group=group-1"]),
        ("tradebot dlq replay ", ["dead-job-1"]),
        ("tradebot logs ", ["service-1", "replica-1"]),
        ("tradebot logs service-1 ", ["replica-1"]),
        ("tradebot logs -f serv", ["service-1"]),
        ("tradebot scale ", ["service-1"]),
        ("tradebot scale service-1 ", [":files"]),
        ("tradebot jobs show ", ["job-1"]),
        ("tradebot jobs show job-1 ", []),
        ("tradebot jobs submit ", ["type-1"]),
        ("tradebot jobs submit type-1 par", [":open", "parameter-1"]),
        ("tradebot alerts show ", ["alert-1"]),
        ("tradebot alerts unsilence ", ["silence-1"]),
        ("tradebot prod-check explain ", ["check-1"]),
        ("tradebot attest ", ["attestation-1"]),
        ("tradebot -p ", ["project-1"]),
        ("tradebot status -p ", ["project-1"]),
        ("tradebot --engine l", ["local"]),
        ("tradebot up --engine l", ["local"]),
        ("tradebot logs --level=w", ["--level=warning"]),
        ("tradebot images load ", [":files"]),
        ("tradebot exec worker -- l", [":files"]),
        ("tradebot alerts-list --al", ["--all"]),
        ("tradebot completion install ", ["bash", "zsh", "fish"]),
        ("tradebot completion re", []),
        ("tradebot nonsense ", []),
        ("tradebot up --nonsense=x", []),
    ],
)
def test_what_fits_is_offered(line: str, expected: list[str]) -> None:
    assert at(line) == expected


def test_every_command_is_reached_word_by_word() -> None:
    for path, command in leaves():
        if COMMANDS[path[0]].hidden or command.hidden:
            continue
        for number, word in enumerate(path):
            assert word in at(" ".join(["tradebot", *path[:number], word[:-1]])), path


def test_every_option_of_every_command_is_offered() -> None:
    for path, command in leaves():
        offers = at(" ".join(["tradebot", *path, "--"]))
        own = {name for each in command.params if not each.hidden for name in each.opts if name.startswith("--")}
        assert own <= set(offers), dotted(path)
        assert {"--project", "--json", "--help"} <= set(offers), dotted(path)


def test_every_value_has_names_or_is_known_to_have_none() -> None:
    """A new metavar is noticed here."""
    for path, command in [*leaves(), ([], ROOT_COMMAND)]:
        for each in command.params:
            if each.param_type_name != "argument" and not takes_value(each):
                continue
            known = (*kinds_of(path, each), *values_of(path, each)) or each.metavar in {*FREE, "FORMAT"}
            assert known, f"{dotted(path)} {each.name} {each.metavar}"


def test_every_kind_can_be_looked_up() -> None:
    for path, command in [*leaves(), ([], ROOT_COMMAND)]:
        for each in command.params:
            assert set(kinds_of(path, each)) <= {*KINDS, FILES}


def test_what_never_changes_is_what_the_commands_take(tmp_path: Path) -> None:
    from services.common.ledger import State
    from tradebot_ops.render import check_output
    from tradebot_ops.settings import load_settings

    for output in VALUES["--output"]:
        check_output(output)
    for engine in VALUES["--engine"]:
        load_settings({"engine": engine}, {"HOME": str(tmp_path)}, tmp_path)
    assert set(VALUES["--state"]) == set(State)


def test_no_stack_is_asked_and_nothing_slow_is_loaded(tmp_path: Path) -> None:
    """A key press waits for nobody: what would ask is not even imported, nor Typer but for the first one."""
    environ = os.environ | {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    program = (
        "import os, sys\n"
        "from tradebot_ops.cli.completion.cache import Cache\n"
        "Cache.refresh = lambda self: None\n"
        "os.environ['_TRADEBOT_COMPLETE'] = 'tradebot logs --'\n"
        "from tradebot_ops.cli.entry import main\n"
        "main()\n"
        "slow = {'docker', 'httpx', 'jsonschema', 'pydantic', 'rich', 'tradebot_ops.context', 'typer', 'yaml'}\n"
        "sys.stderr.write(repr(sorted(slow & set(sys.modules))))\n"
    )
    for loaded in ("['typer']", "[]"):
        done = subprocess.run([sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=True)
        assert "--follow" in done.stdout
        assert done.stderr == loaded
