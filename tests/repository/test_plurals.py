"""A number before several things is written for several, and passes through `agreed`, which knows what one of them is.

Read off the source: in a formatted text, a value followed by a noun of `tradebot_ops.text.sentences`, or by any word in
`-s` where the value is surely a number.
"""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.paths import ROOT
from tradebot_ops.text.sentences import BETWEEN, SINGULAR

#: All that the judges, looks and signs of these rooms say is made to agree where they are called.
ROOMS = (
    "tradebot_ops/diagnostics/causes/",
    "tradebot_ops/diagnostics/signs.py",
    "tradebot_ops/diagnostics/topics/",
    "tradebot_ops/prodcheck/stages/",
)
#: Nouns that are verbs behind a name: a plural only where it is surely a number that is before them.
VERBS_TOO = {"answers", "changes", "mounts", "orders", "reads", "requests", "restarts", "runs", "times", "writes"}
#: Words in -s behind a number that have no plural, or are never one.
NO_PLURAL = {"looks", "ms", "series"}
#: In services, which count little: what is beyond a limit, one of many, or no number.
NEVER_ONE = {
    "services/api/dashboard/panels.py": {"{len(failed)} of {len(panels)} panels failed."},
    "services/api/middleware/body_limit.py": {"The body is larger than {limit} bytes."},
    "services/api/routes/job_history.py": {
        "{', '.join(unfinished)} jobs are not over; say succeeded, cancelled or dead"
    },
    "services/common/jobtypes.py": {"to be done in {count} parts"},
    "services/jobs/backtesting/causality.py": {"with {factor:g} times"},
    "services/jobs/backtesting/grid.py": {
        "{part!r} makes {count} values; at most {MOST_VALUES}",
        "{top} runs on {symbols} symbols are more than {MOST_LISTED} lines; ask for fewer",
        "{symbols} symbols",
    },
    "services/jobs/backtesting/strategy.py": {"target() gives {target.shape} values for {len(bars)} bars."},
    "services/jobs/exchange/budget.py": {"a budget of {points} points in {per_s} s allows nothing"},
    "services/jobs/exchange/download.py": {"{missing} bars missing until now"},
    "services/jobs/market/layout.py": {"{file} has {len(found)} symbols side by side: {', '.join(found[:5])}."},
    "services/jobs/market/quality.py": {"{b - a + 1} equal bars in a row"},
    "services/jobs/sweeping/folds.py": {
        "{bars} bars of {request.symbol}, {test} at a time, are {len(starts)} choices; {MOST_FOLDS} are allowed."
    },
    "services/jobs/sweeping/several.py": {"one of {len(self.ones)} symbols"},
    "services/worker/child.py": {
        "The result of {job_type.name} is {size} bytes long; at most {LARGEST_RESULT} are kept.",
        "Results of {count - len(results)} of {count} parts are gone.",
    },
    "services/worker/supervise.py": {
        "The job's process used {rss} bytes of memory; its limit is {limit} bytes (setting JOB_MEMORY_LIMIT)."
    },
}

FOLLOWING = re.compile(rf" (?:(?:{'|'.join(sorted(BETWEEN))}) )?([a-z]+s)\b")


def unagreed(source: str) -> list[str]:
    """The texts that count in the plural, and that nothing makes agree."""
    tree = ast.parse(source)
    safe = {id(node) for call in ast.walk(tree) if _agrees(call) for node in ast.walk(call)}
    found = [
        ast.unparse(text)[2:-1]
        for text in ast.walk(tree)
        if isinstance(text, ast.JoinedStr) and id(text) not in safe
        for value, after in _pairs(text)
        if _counts(value, after)
    ]
    return list(dict.fromkeys(found))


def unknown(source: str) -> set[str]:
    """Plurals behind what is surely a number, of which `agreed` does not know the singular."""
    texts = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.JoinedStr))
    words = (_noun(after) for text in texts for value, after in _pairs(text) if _is_number(value))
    return {word for word in words if word and word not in SINGULAR and word not in NO_PLURAL}


def _agrees(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and getattr(node.func, "id", "") == "agreed"


def _pairs(text: ast.JoinedStr) -> Iterator[tuple[ast.FormattedValue, str]]:
    for value, after in zip(text.values, text.values[1:], strict=False):
        if isinstance(value, ast.FormattedValue) and isinstance(after, ast.Constant):
            yield value, str(after.value)


def _counts(value: ast.FormattedValue, after: str) -> bool:
    noun = _noun(after)
    if noun not in SINGULAR or _is_constant(value.value):
        return False
    return _is_number(value) or noun not in VERBS_TOO


def _noun(after: str) -> str:
    found = FOLLOWING.match(after)
    return found[1] if found else ""


def _is_constant(value: ast.expr) -> bool:
    """`LIMIT` and `LIMIT.days` are what they are."""
    while isinstance(value, ast.Attribute):
        value = value.value
    return isinstance(value, ast.Name) and value.id.isupper()


def _is_number(value: ast.FormattedValue) -> bool:
    made = value.value
    spec = ast.unparse(value.format_spec)[2:-1] if value.format_spec else ""
    if "%" in spec or _is_constant(made):
        return False
    called = ast.unparse(made.func).rpartition(".")[2] if isinstance(made, ast.Call) else ""
    return bool(re.fullmatch(r",|,?\.0f|d|g", spec)) or called in {"len", "sum", "count", "round", "int"} or (
        isinstance(made, ast.BinOp) and isinstance(made.op, ast.Sub | ast.Mult | ast.FloorDiv)
    )  # fmt: skip


def sources() -> Iterator[tuple[str, str]]:
    for path in sorted(path for room in ("services", "tradebot_ops") for path in (ROOT / room).rglob("*.py")):
        yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")


def test_what_is_counted_agrees_with_its_number() -> None:
    found = {
        file: sorted(texts)
        for file, source in sources()
        if not file.startswith(ROOMS) and (texts := set(unagreed(source)) - NEVER_ONE.get(file, set()))
    }
    assert found == {}, "Write `agreed(f'…')`, of tradebot_ops.text.sentences; in a job `several(…)`."


def test_what_is_never_one_is_there() -> None:
    there = {file: set(unagreed((ROOT / file).read_text(encoding="utf-8"))) for file in NEVER_ONE}
    assert {file: texts - there[file] for file, texts in NEVER_ONE.items() if not texts <= there[file]} == {}


def test_agreed_knows_all_that_is_counted() -> None:
    found = {file: words for file, source in sources() if (words := unknown(source))}
    assert found == {}, "Add the noun to tradebot_ops/text/sentences.py."


@pytest.mark.parametrize(
    "line",
    [
        'f"{count} jobs were removed."',
        'f"{len(found)} older ones"',
        'Finding(Level.FAIL, "x", f"It ends in {left} days.")',
        'f"{rows} rows of {LIMIT} tables"',
        'f"runs {len(found)} times"',
    ],
)
def test_a_count_that_may_be_one_is_found(line: str) -> None:
    assert len(unagreed(line)) == 1


@pytest.mark.parametrize(
    "line",
    [
        'agreed(f"{count} jobs were removed.")',
        'lines.append(agreed(f"It ends in {left} days."))',
        'f"at most {MOST} jobs, {WARN.days} days"',
        'f"{share:.0%} of the jobs"',
        'f"{name} answers"',
        'f"{name} has jobs"',
    ],
)
def test_what_agrees_or_counts_nothing_is_not(line: str) -> None:
    assert unagreed(line) == []


@pytest.mark.parametrize(
    ("line", "words"), [('f"{len(x)} blobs"', {"blobs"}), ('f"{len(x)} jobs"', set()), ('f"{x} is"', set())]
)
def test_a_noun_that_nobody_knows(line: str, words: set[str]) -> None:
    assert unknown(line) == words
