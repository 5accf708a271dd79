"""Settings and secrets as written: whether each is known, well formed and more than a placeholder.

Values of secrets are compared here and go nowhere.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tradebot_ops.context import Ops
from tradebot_ops.errors import OpsError
from tradebot_ops.facts.fact import fact
from tradebot_ops.settings import STACK_SETTINGS
from tradebot_ops.settings.declared import memory_limits
from tradebot_ops.text.suggest import did_you_mean

#: What a description asks for: ``${NAME…``, and with ``:?`` or ``?`` what cannot be done without.
_VARIABLE = re.compile(r"(?<!\$)\$(?:\{([A-Za-z_]\w*)(:?\?)?|([A-Za-z_]\w*))")
#: What Docker and Compose themselves read from the same file.
_THEIRS = ("COMPOSE_", "DOCKER_", "TRADEBOT_")
_SECRET_NAME = re.compile(r"PASSW|SECRET|TOKEN|(^|_)KEY($|_)|CREDENTIAL", re.IGNORECASE)
#: What examples write where a value of one's own belongs, and words that everybody tries first as a password.
_ANYWHERE = re.compile(
    r"<[^<>]*>|(change|replace|fill)[-_ ]?(me|this|it|in)\w*|to[-_]?do|x{3,}|\*{3,}|your[-_ ].+|(my|a)[-_ ]secret.*",
    re.IGNORECASE,
)
_AS_SECRET = re.compile(
    r"(admin|password|passwd|secret|example|test|default|root|postgres|redis|grafana|tradebot|guest|letmein|qwerty"
    r"|[0-9]{1,8})\W*",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Written:
    """A setting as it was written. ``unknown``: nothing reads it, and ``meant`` is a question about another name;
    ``problem`` says what is wrong with the value."""

    name: str
    origin: str
    unknown: bool = False
    meant: str = ""
    problem: str = ""


@dataclass(frozen=True)
class Settings:
    """``missing`` are variables that the description cannot do without, ``secrets`` those without a file."""

    written: tuple[Written, ...]
    missing: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()


@fact()
def written(ops: Ops) -> Settings:
    """Every setting of files, and the declared ones that the environment holds."""
    used = _variables(ops)
    known = _known(ops, used)
    checks = {setting.name: setting.check for setting in STACK_SETTINGS}
    found = []
    for name, value in sorted(ops.settings.stack.items()):
        if value.origin in {"default", "--env"} or (value.origin == "environment" and name not in checks):
            continue
        unknown = name not in known and not name.startswith(_THEIRS)
        meant = did_you_mean(name, known) if unknown else ""
        found.append(Written(name, value.origin, unknown, meant, _problem(checks.get(name), value.text)))
    missing = [name for name, needed in used.items() if needed and not _given(ops, name)]
    return Settings(tuple(found), tuple(sorted(missing)), _secrets_without_file(ops))


def known_names(ops: Ops) -> set[str]:
    """Names that may be set: something reads them."""
    return _known(ops, _variables(ops))


def _problem(check: object, text: str) -> str:
    if not callable(check):
        return ""
    try:
        check(text)
    except ValueError as error:
        return str(error)
    return ""


def _variables(ops: Ops) -> Mapping[str, bool]:
    """Names that the description uses, and whether it needs each."""
    found: dict[str, bool] = {}
    for file in ops.source.files:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
        for line in (line for line in lines if not line.lstrip().startswith("#")):
            for braced, needed, bare in _VARIABLE.findall(line):
                name = braced or bare
                found[name] = found.get(name, False) or bool(needed)
    return found


def _known(ops: Ops, used: Mapping[str, bool]) -> set[str]:
    """Names that something reads."""
    derived = memory_limits({setting.name: "1048576" for setting in STACK_SETTINGS})
    return {setting.name for setting in STACK_SETTINGS} | derived.keys() | used.keys() | ops.stand_ins.keys()


def _given(ops: Ops, name: str) -> bool:
    value = ops.settings.stack.get(name)
    return value is not None and bool(value.text)


def _secrets_without_file(ops: Ops) -> tuple[str, ...]:
    """Nothing where the description cannot be read: that is reported by itself."""
    try:
        return tuple(sorted(name for name, secret in ops.stack.secrets.items() if not secret.file.is_file()))
    except OpsError:
        return ()


@dataclass(frozen=True)
class Placeholders:
    """``found`` are names with the place of each; ``looked`` is how many values were compared."""

    found: tuple[str, ...]
    looked: int


@fact()
def placeholders(ops: Ops) -> Placeholders:
    """Settings that were written, and every secret that has a file."""
    values = list(_values(ops))
    return Placeholders(tuple(where for where, secret, text in values if _is_placeholder(text, secret)), len(values))


def _values(ops: Ops) -> Iterator[tuple[str, bool, str]]:
    declared = {setting.name for setting in STACK_SETTINGS}
    for name, value in sorted(ops.settings.stack.items()):
        if value.origin not in {"default", "--env"} and (value.origin != "environment" or name in declared):
            yield f"{name} ({value.origin})", bool(_SECRET_NAME.search(name)), value.text
    folder, derived = ops.state.secrets, _derived_secrets(ops)
    for file in sorted(folder.iterdir()) if folder.is_dir() else ():
        text = file.read_text(encoding="utf-8", errors="replace").strip()
        if text or file.name not in derived:
            yield f"secret {file.name}", True, text


def _derived_secrets(ops: Ops) -> frozenset[str]:
    """Those that nobody types: an empty one is not needed here, such as the certificate of a stack without TLS."""
    try:
        return frozenset(name for name, secret in ops.stack.secrets.items() if secret.derive)
    except OpsError:
        return frozenset()


def _is_placeholder(text: str, secret: bool) -> bool:
    stripped = text.strip()
    return bool(_ANYWHERE.fullmatch(stripped)) or (secret and (not stripped or bool(_AS_SECRET.fullmatch(stripped))))
