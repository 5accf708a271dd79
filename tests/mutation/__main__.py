"""Put small faults into the modules that a change touches, one at a time, and show those that no test notices.

``python -m tests.mutation`` takes what differs from ``main``; ``python -m tests.mutation -r HEAD~3`` from another
revision; ``python -m tests.mutation tradebot_ops/stack/plan.py …`` these files or folders. mutmut does the work, in a
copy of the tree: nothing is written here. Only the nearest unit tests run, so that it takes minutes: those of the
module's own room, and those that ``tests/elsewhere.txt`` names. ``--also TEST`` adds one; those that need Redis or
Postgres, such as tests/integration/services/test_ledger.py, run only where they are named so.
"""

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import chdir
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import tomlkit

from tests.paths import ROOT
from tests.repository.test_layout import elsewhere

#: Results of a mutant by the exit code of its tests; all others ended the tests in another way, and are noticed.
_UNNOTICED = {0: "survived", 5: "no tests", 33: "no tests"}
_NO_SERVERS = "not integration and "
_EQUIVALENT = ROOT / "tests" / "mutation" / "equivalent.txt"


@dataclass(frozen=True)
class Unnoticed:
    """A mutant that no test noticed, and whether any test came by."""

    name: str
    module: str
    why: str

    @property
    def function(self) -> str:
        """``a.b.x_do__mutmut_3`` is of ``a.b.do``, ``a.b.xǁClassǁdo__mutmut_3`` of ``a.b.Class.do``."""
        module, _, name = self.name.rpartition("__mutmut_")[0].rpartition(".")
        return f"{module}.{name.removeprefix('xǁ').replace('ǁ', '.') if 'ǁ' in name else name.removeprefix('x_')}"


def touched(revision: str) -> list[str]:
    """Files that differ from where this branch left the revision, those not yet committed included."""
    base = _git("merge-base", "HEAD", revision)[0]
    return [*_git("diff", "--name-only", "--diff-filter=d", base), *_git("ls-files", "--others", "--exclude-standard")]


def chosen(names: Iterable[str], rooms: Sequence[str]) -> list[str]:
    """Modules among files and folders, as far as they lie in the rooms that are mutated."""
    found = set[str]()
    for name in names:
        path = ROOT / name
        found.update(str(each.relative_to(ROOT)) for each in (path.rglob("*.py") if path.is_dir() else [path]))
    return sorted(name for name in found if any(fnmatch(name, room) for room in rooms))


def nearest(module: str, table: dict[str, list[str]]) -> set[str]:
    """The tests that may notice a fault: of the module's room, and those that the table names; none that need more
    than this process."""
    words = list(Path(module).with_suffix("").parts)
    room = ["tests", *(words[1:-1] if words[0] == "tradebot_ops" else words[:-1])]
    while not (ROOT / "/".join(room)).is_dir():
        room.pop()
    own = ["/".join(room)] if len(room) > 1 else [f"tests/test_{words[-1]}.py"]
    named = [f"tests/{test}" for test in table.get(".".join(words).removesuffix(".__init__"), ())]
    return {test for test in (*own, *named) if "/integration/" not in test and (ROOT / test).exists()}


def copy(modules: Sequence[str], tests: Iterable[str], to: Path) -> None:
    """The tree as it is here, without what git ignores; its configuration asks for these modules and tests alone, and
    leaves out integration tests only where none of them is among these."""
    for name in {*_git("ls-files"), *_git("ls-files", "--others", "--exclude-standard")}:
        if (ROOT / name).exists():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, to / name, follow_symlinks=False)
    document = tomlkit.parse((to / "pyproject.toml").read_text(encoding="utf-8"))
    table: Any = document["tool"]["mutmut"]
    table["only_mutate"] = list(modules)
    table["pytest_add_cli_args_test_selection"] = sorted(tests)
    if any("/integration/" in test for test in tests):
        table["pytest_add_cli_args"] = [word.replace(_NO_SERVERS, "") for word in table["pytest_add_cli_args"]]
    (to / "pyproject.toml").write_text(tomlkit.dumps(document), encoding="utf-8")


def unnoticed(folder: Path) -> tuple[Counter[str], list[Unnoticed]]:
    """How many mutants of each module were tried, and those that no test noticed."""
    counts, left = Counter[str](), list[Unnoticed]()
    for path in sorted((folder / "mutants").rglob("*.py.meta")):
        module = str(path.relative_to(folder / "mutants")).removesuffix(".meta")
        for name, code in json.loads(path.read_text(encoding="utf-8"))["exit_code_by_key"].items():
            counts[module] += code is not None
            if code in _UNNOTICED:
                left.append(Unnoticed(name, module, _UNNOTICED[code]))
    return counts, left


def drawn(folder: Path, modules: Iterable[str], number: int) -> list[str]:
    """So many mutants of all these modules, by lot, and the same ones each time."""
    from mutmut.mutation.file_mutation import mutate_file_contents
    from mutmut.utils.format_utils import get_mutant_name

    with chdir(folder):
        names = [
            get_mutant_name(Path(module), name)
            for module in modules
            for name in mutate_file_contents(module, Path(module).read_text(encoding="utf-8")).mutant_names
        ]
    return sorted(random.Random(0).sample(names, min(number, len(names))))


def difference(mutant: Unnoticed, folder: Path) -> str:
    """As ``mutmut show`` has it, which looks for one mutant alone in all modules, in a second of its own."""
    from mutmut.mutation.diff_apply import get_diff_for_mutant

    with chdir(folder):  # mutmut's paths are those of the folder it works in
        return get_diff_for_mutant(mutant.name, path=mutant.module)


def equivalent() -> dict[str, str]:
    """Functions of which mutants are left that change nothing anybody could see, with the reason."""
    lines = _EQUIVALENT.read_text(encoding="utf-8").splitlines()
    return dict(line.split(": ", 1) for line in lines if line and not line.startswith("#"))


def show(folder: Path) -> bool:
    """The table, and what is left to do; whether that is nothing."""
    counts, every = unnoticed(folder)
    known = equivalent()
    left = Counter(mutant.module for mutant in every)
    for module, count in sorted((+counts).items()):
        noticed = count - left[module]
        print(f"{module}: {noticed} of {count} noticed ({100 * noticed / count:.0f} %)")
    for function in sorted({mutant.function for mutant in every} & known.keys()):
        print(f"known: {function}: {known[function]}")
    open_ = [mutant for mutant in every if mutant.function not in known]
    for mutant in open_:
        print(f"\n{mutant.why}: {mutant.name}\n{difference(mutant, folder)}")
    return not open_


def _git(*words: str) -> list[str]:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="FILE|FOLDER")
    parser.add_argument("-r", "--revision", default="main", help="what the change is compared with; main")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="work there and leave it: for `mutmut browse`")
    parser.add_argument("--again", action="store_true", help="with --keep: try only what no test noticed there")
    parser.add_argument("--sample", type=int, metavar="NUMBER", help="only so many of the faults, drawn by lot")
    parser.add_argument(
        "--also", metavar="TEST", action="append", default=[], help="a test that runs, too, wherever it is"
    )
    parser.add_argument("-j", "--jobs", type=int, default=1)
    given = parser.parse_args(words)
    settings = tomlkit.parse((ROOT / "pyproject.toml").read_text(encoding="utf-8")).unwrap()["tool"]["mutmut"]
    modules = chosen(given.names or touched(given.revision), settings["only_mutate"])
    if not modules:
        print("Nothing of that is mutated. The rooms: only_mutate in pyproject.toml")
        return 0
    table = elsewhere()
    tests = set[str](given.also).union(*(nearest(module, table) for module in modules))
    with tempfile.TemporaryDirectory(prefix="tradebot-mutation-") as temporary:
        folder = given.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        copy(modules, tests, folder)
        command = [sys.executable, "-m", "mutmut", "run", "--max-children", str(given.jobs)]
        if given.sample:
            command += drawn(folder, modules, given.sample)
        elif given.again:
            command += [mutant.name for mutant in unnoticed(folder)[1]]
        if code := subprocess.run(command, cwd=folder, check=False).returncode:
            return code
        return 0 if show(folder) else 1


if __name__ == "__main__":
    sys.exit(main())
