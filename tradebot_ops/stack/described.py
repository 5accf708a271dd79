"""The settings together with the description: its name for the project, and names that neither of them reads."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from tradebot_ops.errors import OpsError
from tradebot_ops.settings import STACK_SETTINGS, Settings
from tradebot_ops.settings.read import PROJECT_NAME, PROJECT_NAME_HINT
from tradebot_ops.stack.problems import Code, Place, Problems
from tradebot_ops.stack.source import find
from tradebot_ops.text.interpolate import BadTemplateError, MissingVariableError, expand
from tradebot_ops.text.suggest import did_you_mean

#: What may be read from the environment under our own prefix; hooks find the last ones there.
OWN = frozenset(
    f"TRADEBOT_{name}"
    for name in (
        "PROJECT", "FILE", "ENV_FILE", "ENV", "ENGINE", "HOST", "CONTEXT", "PROFILES", "OUTPUT", "TIMEOUT", "YES",
        "STATE", "BACKUPS", "SECRETS", "UID", "GID", "RUNTIME", "DEBIAN_MIRROR",
        "HOOK", "AUDIT", "COMMAND", "ARGUMENTS", "ACTOR", "RESULT", "ERROR", "RECORDED_AT", "REPLICA",
    )
)  # fmt: skip
_PREFIX = "TRADEBOT_"
#: A name that is less alike was hardly meant to be the other one.
_MISSPELT = 0.8
_NAME = re.compile(r"^name:[ \t]+(?P<quote>[\"']?)(?P<text>.+?)(?P=quote)[ \t]*(?:[ \t]#.*)?$", re.MULTILINE)
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def completed(settings: Settings) -> Settings:
    """The settings with the project's name as the description has it, unless one was chosen, and with a warning for
    each name that is spelt almost like one that is read.

    Raises ``OpsError`` TB-0814 or TB-0815 for what cannot name a project. Nothing else that is wrong with the
    description is raised here: not every command reads it.
    """
    texts = dict(_texts(settings))
    named = settings if settings.project_chosen else _named(settings, texts)
    return replace(named, warnings=(*settings.warnings, *misspelt(settings, [*texts.values()])))


def _texts(settings: Settings) -> Iterator[tuple[Path, str]]:
    try:
        files: Sequence[Path] = find([str(file) for file in settings.files], settings.cwd).files
    except OpsError:
        return
    for file in files:
        try:
            yield file, file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue


def _named(settings: Settings, texts: dict[Path, str]) -> Settings:
    """The last file that gives a name wins, as Compose merges them."""
    for file, text in reversed(texts.items()):
        if match := _NAME.search(text):
            place = Place(file, text.count("\n", 0, match.start()) + 1, "name")
            return replace(settings, project=_project(match["text"], settings, place))
    return settings


def _project(written: str, settings: Settings, place: Place) -> str:
    """With its variables replaced, and made to fit as Compose does it: in lower case, without what no name may have."""
    problems = Problems()
    try:
        text = expand(written, {name: value.text for name, value in settings.stack.items()}).text
        name = re.sub(r"[^a-z0-9_-]", "", text.lower()).lstrip("_-")
        if PROJECT_NAME.fullmatch(name):
            return name
        problems.add(Code.VALUE, place, f"is {text!r}, which cannot name a project", PROJECT_NAME_HINT)
    except (MissingVariableError, BadTemplateError) as error:
        problems.add(Code.VARIABLE, place, str(error), "Write a name there, or give one with -p.")
    problems.raise_if_any()
    raise AssertionError(written)


def misspelt(settings: Settings, descriptions: Sequence[str]) -> tuple[str, ...]:
    """A sentence for each name in .env, in ``[settings]`` or behind our own prefix that nothing reads, but which is
    almost one that something does."""
    declared = {setting.name for setting in STACK_SETTINGS}
    written = {name: value.origin for name, value in settings.stack.items() if value.origin != "default"}
    own = {name: origin for name, origin in written.items() if name.startswith(_PREFIX) and name not in OWN}
    others = {name: origin for name, origin in written.items() if origin != "environment" and name not in declared}
    if not own and not others:
        return ()
    mentioned: set[str] = {word for text in descriptions for word in _WORD.findall(text)}
    read = frozenset(declared | {word for word in mentioned if word.isupper()})
    suspects = [(name, origin, OWN) for name, origin in own.items()]
    suspects += [(name, origin, read) for name, origin in others.items() if not name.startswith(_PREFIX)]
    found = ((name, origin, did_you_mean(name, known, _MISSPELT)) for name, origin, known in suspects)
    return tuple(
        f"{name} ({origin}) is read by nothing. {meant}"
        for name, origin, meant in found
        if meant and name not in mentioned
    )
