"""Sentences made of the words of other programs, and of numbers."""

import re


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
}
#: The things that our sentences count.
_NOUNS = (
    "alert",
    "answer",
    "backup",
    "candle",
    "cause",
    "change",
    "channel",
    "check",
    "command",
    "container",
    "difference",
    "error",
    "fault",
    "firing",
    "file",
    "image",
    "job",
    "key",
    "line",
    "metric",
    "order",
    "package",
    "panel",
    "part",
    "password",
    "path",
    "place",
    "port",
    "problem",
    "project",
    "query",
    "question",
    "replica",
    "request",
    "restart",
    "rule",
    "secret",
    "service",
    "setting",
    "session",
    "source",
    "table",
    "target",
    "time",
    "token",
    "value",
    "warning",
    "worker",
)
_IRREGULAR = {"addresses": "address", "processes": "process", "queries": "query", "entries": "entry"}
_SINGULAR = {f"{noun}s": noun for noun in _NOUNS} | _IRREGULAR
_ONE = re.compile(rf"(?<![\w.,/])1 ({'|'.join(_SINGULAR)})\b(?:( of [\w-]+)? ({'|'.join(_VERBS)})\b)?")


def agreed(text: str) -> str:
    """The text, which is written for several, with what follows a 1 made singular: `1 jobs were` is `1 job was`,
    `1 jobs of sweep are` is `1 job of sweep is`."""

    def singular(found: re.Match[str]) -> str:
        noun, of, verb = found.groups(default="")
        return f"1 {_SINGULAR[noun]}{of}" + (f" {_VERBS[verb]}" if verb else "")

    return _ONE.sub(singular, text)
