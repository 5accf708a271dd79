"""Error codes are a promise to scripts and to whoever searches for one: each is documented and means one thing."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator

from tests.paths import ROOT
from tradebot_ops.errors import ExitCode

SOURCE = ROOT / "tradebot_ops"
DOCUMENT = ROOT / "docs" / "exit-codes.md"
CODE = re.compile(r"TB-\d{4}")

#: Codes that several modules raise, because the cause is the same in each. A code that turns up in a module that
#: is not named here is either the same cause, and is added, or another one, and needs a number of its own.
SHARED = {
    # An engine, or what runs inside the stack.
    "TB-0100": {"errors", "docker.errors"},
    "TB-0102": {"errors", "engines.choose", "operations.images.listing"},
    "TB-0110": {"engines.local.supervision.processes", "engines.stub", "operations.exec"},
    "TB-0401": {"docker.client", "docker.locate"},
    "TB-0404": {
        "engines.local.supervision.supervisor",
        "engines.local.launching.on_path",
        "engines.local.launching.pgbinaries",
        "engines.local.programs.valkey",
    },
    "TB-0405": {"engines.local.engine", "engines.stub"},
    "TB-0406": {"engines.local.engine", "engines.stub"},
    "TB-0507": {"engines.docker.engine", "engines.docker.observing.addresses"},
    # Not to be reached: it does not run, or it does not answer.
    "TB-0501": {"context", "clients.api"},
    "TB-0509": {"facts.work.workers", "operations.monitoring.metrics"},
    "TB-0510": {"context", "clients.prometheus"},
    "TB-0520": {"context", "clients.alertmanager"},
    "TB-0560": {"context", "clients.grafana"},
    "TB-0535": {"context", "clients.postgres", "operations.backup.tools"},
    "TB-0601": {"docker.client", "engines.docker.exec", "engines.local.exec"},
    "TB-0901": {"engines.local.engine", "engines.stub"},
    "TB-0903": {"engines.readonly", "engines.stub"},
    # An option's value.
    "TB-0205": {
        "cli.operate.images",
        "operations.monitoring.panels",
        "render.__init__",
        "render.files",
        "settings.read",
    },
    # PromQL, on either side of the wire.
    "TB-0103": {"clients.queries", "monitoring.promql"},
    # A silence without an end or a reason, seen before or after its matchers are read.
    "TB-0210": {"operations.alerts.silences", "clients.alertmanager"},
    # What a run of checks is asked for.
    "TB-0230": {"prodcheck.catalogue", "prodcheck.command"},
    # A configuration of the monitoring that is wrong, seen by its checker or by the service that was to read it.
    "TB-0860": {"facts.metrics.promtool", "operations.converge.reload"},
    # A missing program for images.
    "TB-0505": {"debian.debootstrap", "operations.images.archive"},
    # State on this host.
    "TB-0802": {
        "diagnostics.bundle.command",
        "docker.build_log",
        "docker.errors",
        "engines.local.records",
        "operations.images.archive",
        "private_folder",
        "prodcheck.waive",
        "render.files",
    },
    "TB-0804": {"settings.files", "prodcheck.waive"},
    "TB-0805": {"context", "diagnostics.redaction", "operations.rotation.rotate", "operations.secrets"},
    "TB-0821": {"docker.errors", "engines.docker.ports", "engines.local.ports"},
    "TB-0822": {"docker.errors", "engines.docker.networks_and_volumes"},
    "TB-0824": {"docker.errors", "engines.docker.replicas"},
    "TB-0825": {"docker.errors", "operations.images.archive"},
}


def _strings() -> Iterator[tuple[str, str]]:
    """Every string constant of the source, with the module it stands in."""
    for path in sorted(SOURCE.rglob("*.py")):
        module = ".".join(path.relative_to(SOURCE).with_suffix("").parts)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield module, node.value


def _raised() -> dict[str, set[str]]:
    """The modules each code is raised in: a string that is a code and nothing else."""
    found: dict[str, set[str]] = defaultdict(set)
    for module, text in _strings():
        if CODE.fullmatch(text):
            found[text].add(module)
    return found


def _documented() -> list[tuple[int, str]]:
    """(exit code of the heading, error code) of every row of the tables."""
    rows, family = [], 0
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines():
        if heading := re.match(r"## (\d+) ", line):
            family = int(heading[1])
        elif row := re.match(r"\| (TB-\d{4}) \| \S.* \| \S.* \|$", line):
            rows.append((family, row[1]))
    return rows


def test_every_code_is_documented_once_and_nothing_else_is() -> None:
    documented = [code for _, code in _documented()]
    assert documented == sorted(set(documented))
    assert documented == sorted(_raised())


def test_a_code_starts_with_the_exit_code_it_stands_under() -> None:
    wrong = [(family, code) for family, code in _documented() if int(code[3:5]) != family]
    assert not wrong
    assert {family for family, _ in _documented()} <= {int(code) for code in ExitCode}


def test_every_exit_code_is_documented() -> None:
    rows = re.findall(r"^\| (\d+) \| \S.* \|$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    assert [int(row) for row in rows] == [int(code) for code in ExitCode]


def test_codes_that_docstrings_and_other_pages_mention_exist() -> None:
    told = {code for _, text in _strings() for code in CODE.findall(text)}
    for page in [ROOT / "README.md", *ROOT.glob("docs/**/*.md")]:
        told |= set(CODE.findall(page.read_text(encoding="utf-8")))
    assert told - set(_raised()) == set()


def test_one_code_stands_for_one_cause() -> None:
    assert {code: modules for code, modules in _raised().items() if len(modules) > 1} == SHARED
