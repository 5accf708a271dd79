"""Check Prometheus' and Alertmanager's files with their own tools, wherever these are.

The tools of this host are asked first, so that checking works while nothing runs; else those in the containers.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tradebot_ops.context import Ops
from tradebot_ops.engines.base import Replica, State
from tradebot_ops.errors import OpsError, Unavailable
from tradebot_ops.facts.metrics.config_files import folder

CHECK_SECONDS = 60.0
TEST_SECONDS = 900.0
_SERVICES = {"promtool": "prometheus", "amtool": "alertmanager"}


@dataclass(frozen=True)
class Result:
    ok: bool
    output: str


def check(ops: Ops) -> tuple[str, ...]:
    """Every file that would be reloaded, in order; names those that are good.

    Raises ``OpsError`` TB-0860 for the first that is not, with the tool's words, and ``Unavailable`` without a tool.
    """
    prometheus, alertmanager = folder(ops, "prometheus"), folder(ops, "alertmanager")
    main = prometheus / "prometheus.yml"
    rules = sorted((prometheus / "rules").glob("*.yml"))
    todo: list[tuple[str, list[str], list[Path]]] = [
        # Paths inside it are those of the container, so what it names is checked by itself below.
        ("promtool", ["check", "config", "--syntax-only"], [main]),
        ("promtool", ["check", "rules"], rules),
        ("amtool", ["check-config"], [alertmanager / "alertmanager.yml"]),
    ]
    for tool, words, files in todo:
        result = run(ops, tool, words, files, CHECK_SECONDS)
        if not result.ok:
            raise wrong(result, files)
    return tuple(str(file) for _, _, files in todo for file in files)


def test_rules(ops: Ops, chosen: Sequence[str]) -> Result:
    """Run the unit tests of the rules; ``chosen`` names files (``workers`` is ``workers_test.yml``), all when empty.

    promtool takes one test after the other on one core, half a minute for all of them; so each file has its own.
    """
    files = test_files(ops)
    if chosen:
        wanted = {f"{name.removesuffix('.yml').removesuffix('_test')}_test.yml" for name in chosen}
        unknown = wanted - {file.name for file in files}
        if unknown:
            known = ", ".join(file.name.removesuffix("_test.yml") for file in files)
            raise OpsError(f"There is no {', '.join(sorted(unknown))}.", code="TB-0217", hint=f"Known: {known}.")
        files = [file for file in files if file.name in wanted]
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        each = list(pool.map(lambda file: run(ops, "promtool", ["test", "rules"], [file], TEST_SECONDS), files))
    if not each:
        return Result(False, f"There are no tests in {folder(ops, 'prometheus') / 'tests'}.\n")
    return Result(all(result.ok for result in each), "".join(result.output for result in each))


def test_files(ops: Ops) -> list[Path]:
    return sorted((folder(ops, "prometheus") / "tests").glob("*_test.yml"))


def identity(ops: Ops, tool: str) -> str:
    """Identity of this version of the tool; raises ``Unavailable`` where there is none."""
    if program := _on_this_host(ops, tool):
        stat = Path(program).stat()
        return f"{program} {stat.st_size} {stat.st_mtime_ns}"
    return _running(ops, tool).id


def run(ops: Ops, tool: str, words: Sequence[str], files: Sequence[Path], timeout: float) -> Result:
    """Run a tool on files of this host. Raises ``Unavailable`` where there is none, TB-0606 when it takes too long."""
    program = _on_this_host(ops, tool)
    if program is None:
        return _beside(ops, tool, words, files, timeout)
    try:
        done = subprocess.run(
            [program, *words, *map(str, files)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise OpsError(f"{tool} took longer than {timeout:.0f} s.", code="TB-0606") from None
    return Result(done.returncode == 0, done.stdout)


def _on_this_host(ops: Ops, tool: str) -> str | None:
    if found := shutil.which(tool, path=ops.settings.environ.get("PATH")):
        return found
    from tradebot_ops.debian import packages

    cached = packages.find(tool, ops.settings.environ)
    return str(cached) if cached else None


def _beside(ops: Ops, tool: str, words: Sequence[str], files: Sequence[Path], timeout: float) -> Result:
    """In the service's own container, where its configuration is mounted."""
    service = _SERVICES[tool]
    host, inside = str(folder(ops, service)), f"/etc/{service}"
    command = [tool, *words, *(str(file).replace(host, inside, 1) for file in files)]
    done = ops.engine.exec(_running(ops, tool), command, timeout=timeout)
    return Result(done.exit_code == 0, done.output.replace(inside, host))


def _running(ops: Ops, tool: str) -> Replica:
    """A container that has the tool."""
    service = _SERVICES[tool]
    for replica in ops.engine.list():
        if replica.service == service and replica.state is State.RUNNING and ops.engine.name != "local":
            return replica
    raise Unavailable(
        f"{tool} is not on this host, and {service} does not run.",
        hint=f"Install it (Debian: apt-get install {'promtool' if tool == 'promtool' else 'prometheus-alertmanager'}), "
        "or: tradebot monitoring start",
    )


def wrong(result: Result, files: Sequence[Path]) -> OpsError:
    """TB-0860 with the tool's own words."""
    # amtool gives its reason behind the file's name, promtool on the lines that follow.
    output = (re.sub(r"^Checking (?:'[^']*'|\S+)\s*", "", line).rstrip() for line in result.output.splitlines())
    lines = tuple(line for line in output if line and not re.search(r"SUCCESS|level=", line))
    where = re.search(r"(/[^\s:']+\.ya?ml)(?:: |'\s+)(?:(\d+):\d+:|.*?line (\d+))", result.output)
    named = f"{where[1]}, line {where[2] or where[3]}" if where else ", ".join(file.name for file in files)
    return OpsError(
        f"The configuration is not valid: {named}. Nothing was reloaded; what runs goes on as it was.",
        code="TB-0860",
        hint="Correct the file, then: tradebot alerts lint",
        detail=lines[-12:],
    )
