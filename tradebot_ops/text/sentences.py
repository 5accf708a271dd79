"""Sentences made of the words of other programs, and of numbers."""

import re
from functools import cache


def ended(text: str) -> str:
    """The text with a full stop, unless it ends like a sentence already."""
    text = text.rstrip()
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def shortened(text: str, longest: int) -> str:
    """The text on one line and no longer than that, with a sign where something was left out."""
    text = " ".join(text.split())
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


#: Verbs of our sentences whose form depends on the number, as they follow several things and one.
_VERBS = {
    "are": "is",
    "were": "was",
    "have": "has",
    "do": "does",
    "wait": "waits",
    "keep": "keeps",
    "hold": "holds",
    "belong": "belongs",
    "differ": "differs",
    "fail": "fails",
    "lie": "lies",
    "run": "runs",
    "share": "shares",
    "stay": "stays",
    "work": "works",
}
#: The things that our sentences count.
_NOUNS = """
    alert answer backup bar bit block byte candle cause change channel character check choice client column
    command connection container day difference error evaluation exception extension failure fault figure file
    finding firing heartbeat hour image inode job key letter line login metric minute month mount notification one
    order package page panel part password path place point port problem processor project question read replica
    request requirement restart revision route row rule run sample schedule second secret service session setting
    silence slot source superuser symbol system table target time token value warning week weekday worker write
    year
    """.split()  # noqa: SIM905 - a word a line would be two screens of them
_IRREGULAR = {
    "addresses": "address",
    "canaries": "canary",
    "copies": "copy",
    "entries": "entry",
    "families": "family",
    "indexes": "index",
    "processes": "process",
    "queries": "query",
    "retries": "retry",
    "severities": "severity",
}
SINGULAR = {f"{noun}s": noun for noun in _NOUNS} | _IRREGULAR
#: Words that may stand between a number and what it counts.
BETWEEN = frozenset(
    ("critical", "daily", "default", "equal", "failed", "file", "idle", "key", "large", "older", "other", "required")
)
#: Verbs, too: `worker 1 restarts` is about one worker, `with 1 restarts` about one restart.
_VERBS_TOO = frozenset(("answers", "changes", "orders", "reads", "requests", "restarts", "runs", "writes"))
_COUNTING = frozenset(("after", "and", "by", "cancels", "had", "has", "of", "only", "or", "than", "with"))


def agreed(text: str) -> str:
    """The text, which is written for several, with what follows a 1 made singular: `1 jobs were` is `1 job was`,
    `1 jobs of sweep are` is `1 job of sweep is`."""
    return _one().sub(_singular, text) if "1 " in text else text


@cache
def _one() -> re.Pattern[str]:
    """Compiled where it is needed: most commands have no such sentence."""
    return re.compile(
        rf"(?<![\w.,/-])1 ((?:(?:{'|'.join(sorted(BETWEEN))}) )?)({'|'.join(sorted(SINGULAR))})\b"
        rf"(?:( of [\w-]+)? ({'|'.join(_VERBS)})\b)?"
    )


def _singular(found: re.Match[str]) -> str:
    between, noun, of, verb = found.groups(default="")
    before = re.search(r"([A-Za-z]+) $", found.string[: found.start()])
    if noun in _VERBS_TOO and before and before[1].lower() not in _COUNTING:
        return found[0]
    return f"1 {between}{SINGULAR[noun]}{of}" + (f" {_VERBS[verb]}" if verb else "")
