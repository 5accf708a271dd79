"""INSTALLATION.md and the chapter on backups of PRODUCTION.md, typed line by line on a fresh clone and an empty home.

``pytest -n 0 -m drill tests/drill/test_installation.py`` takes four minutes and needs a package index. The upgrade is a
real one: the release that is pulled has a newer schema, which going back has to take away again.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.paths import ROOT
from tests.repository.followed import Typed, typed
from tests.waiting import free_port

pytestmark = [
    pytest.mark.integration,
    pytest.mark.drill,
    pytest.mark.xdist_group("drill-installation"),
    pytest.mark.timeout(1500),
]

SHELL = ("bash", "--noprofile", "--norc")
ENDED = "@@ ended with"
KEPT = ("PATH", "LANG", "PIP_CERT", "PIP_INDEX_URL", "PIP_FIND_LINKS", "PIP_DEFAULT_TIMEOUT", "TRADEBOT_DEBIAN_MIRROR")
SCHEMA = "tradebot exec postgres -- psql -U tradebot -d tradebot -tAc 'SELECT version_num FROM alembic_version'"
VERSIONS = Path("services/common/migrations/versions")
NEWER = '''"""A table that only the next release has."""

from alembic import op

revision = "{number:04}"
down_revision = "{before:04}"


def upgrade() -> None:
    op.execute("CREATE TABLE of_the_next_release (id int)")
'''


class Shell:
    """One shell for all lines, because some of them change it."""

    def __init__(self, cwd: Path, environ: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            SHELL,
            cwd=cwd,
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def type(self, line: str) -> str:
        """The output of a line that has to succeed."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(f"{{ {line}\n}} </dev/null; echo; echo {ENDED} $?\n")
        stdin.flush()
        shown = ""
        for each in stdout:
            if each.startswith(ENDED):
                assert each == f"{ENDED} 0\n", f"{line}\n{shown}{each}"
                return shown
            shown += each
        raise AssertionError(f"{line} ended the shell:\n{shown}")

    def close(self) -> None:
        self._process.communicate("exit\n")


def git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=Tests", "-c", "user.email=tests@example.org")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(["git", *who, *words], cwd=folder, env=kept, capture_output=True, text=True, check=True)
    return done.stdout


def origin(folder: Path) -> Path:
    """A repository with the files of this checkout, as they are now."""
    folder.mkdir()
    for name in git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard", "-z").split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder)
    return folder


def commit(folder: Path) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "A release")


def release(folder: Path) -> None:
    """The next one, whose schema is newer."""
    before = max(int(path.name[:4]) for path in (folder / VERSIONS).glob("[0-9]*.py"))
    name = f"{before + 1:04}_of_the_next_release.py"
    (folder / VERSIONS / name).write_text(NEWER.format(number=before + 1, before=before))
    migrate = folder / "services" / "common" / "migrate.py"
    migrate.write_text(migrate.read_text().replace(f'HEAD = "{before:04}"', f'HEAD = "{before + 1:04}"'))
    commit(folder)


@dataclass
class Person:
    """Who follows the pages: fills in what a person fills in, and types."""

    shell: Shell
    folder: Path
    port: str
    version: str = ""
    backup: str = ""

    def types(self, each: Typed) -> None:
        line = each.line.replace("/mnt/usb", str(self.folder / "usb")).replace(":8010", f":{self.port}")
        line = re.sub(r"\bVERSION\b", self.version, line)
        line = re.sub(r"\bBACKUP\b", self.backup, line)
        shown = self.shell.type(line)
        if line.startswith("git describe"):
            self.version = shown.strip()
        if found := re.search(r"^Backup (\d+T\w+(?:-\d+)?):", shown, re.MULTILINE):
            self.backup = found[1]

    def schema(self) -> int:
        return int(self.shell.type(SCHEMA).strip())


@pytest.fixture
def person(tmp_path: Path) -> Iterator[Person]:
    home, port = tmp_path / "home", str(free_port())
    for folder in (home, tmp_path / "usb"):
        folder.mkdir()
    git(tmp_path, "clone", "--quiet", str(origin(tmp_path / "origin")), "fresh")
    ports = ("WORKER_METRICS_PORT", "PROMETHEUS_PORT", "ALERTMANAGER_PORT")
    own = {"HOME": str(home), "TRADEBOT_YES": "1", "TRADEBOT_ENGINE": "local", "API_PORT": port}
    environ = {name: os.environ[name] for name in KEPT if name in os.environ}
    shell = Shell(tmp_path / "fresh", environ | own | {name: str(free_port()) for name in ports})
    yield Person(shell, tmp_path, port)
    shell.close()
    for left in processes(tmp_path):
        left.kill()


def processes(folder: Path) -> list[psutil.Process]:
    """Every process that has this folder in its command line."""
    every = psutil.process_iter(["cmdline"])
    return [each for each in every if any(str(folder) in word for word in each.info["cmdline"] or ())]


def test_followed_literally_every_line_does_what_the_page_says(person: Person) -> None:
    lines = typed()
    pulled = next(number for number, each in enumerate(lines) if each.line.startswith("git pull"))
    removed = next(number for number, each in enumerate(lines) if each.chapter == "Remove everything")
    for each in lines[:pulled]:
        person.types(each)
    before, shell = person.schema(), person.shell
    lost_host(person)
    release(person.folder / "origin")
    upgraded = next(number for number, each in enumerate(lines) if each.line.startswith("git checkout"))
    for each in lines[pulled:upgraded]:
        person.types(each)
    assert person.schema() == before + 1
    for each in lines[upgraded:removed]:
        person.types(each)
    assert person.schema() == before
    assert "succeeded" in shell.type("tradebot jobs submit canary --wait")
    for each in lines[removed:]:
        person.types(each)
    assert processes(person.folder) == []
    left = {path.relative_to(person.folder / "home").parts[:3] for path in (person.folder / "home").rglob("*")}
    assert {each for each in left if "tradebot" in each} == {(".local", "share", "tradebot")}
    assert shell.type("git status --porcelain").strip() == ""


def lost_host(person: Person) -> None:
    """The row of the table on a lost host, here for lost secrets: their data go, and the copy elsewhere comes."""
    shell, (copy,) = person.shell, (person.folder / "usb" / "tradebot").iterdir()
    shutil.rmtree(person.folder / "home" / ".local" / "state" / "tradebot" / "tradebot" / "secrets")
    for line in (
        "tradebot down --volumes",
        f"tradebot backup restore {copy} --from-project tradebot",
        "tradebot up",
        "tradebot resume",
        "tradebot jobs submit canary --wait",
    ):
        shell.type(line)
