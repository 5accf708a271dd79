"""The engine's output while it pulls or builds an image, and what its last lines mean to the operator."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from docker.auth import INDEX_NAME, resolve_repository_name

from tradebot_ops.docker.errors import DISK_FULL, DISK_FULL_HINT
from tradebot_ops.errors import DiskFull, ImageMissing, OpsError, Unavailable

BUILD_FAILED = "error: "
#: The engine paints what a build writes to stderr red, for a terminal that this might not be.
COLOURS = re.compile("\x1b\\[[0-9;]*m")
STEP = re.compile(r"Step \d+/\d+ : ")

OFFLINE_HINT = (
    "Build every image from Debian packages with `tradebot images build --from debian`, carry them here with "
    "`tradebot images save` and `load`, or run without Docker: tradebot --engine local up"
)

#: What registries answer instead of an image, in lower case, and what helps. Docker Hub says of a name that it does
#: not have that it may need a login.
REFUSALS = (
    (("toomanyrequests", "rate limit"), "Wait, or raise the limit with an account: {login}"),
    (("no matching manifest",), "It is not made for this processor; name another image in compose.yaml."),
    (("manifest unknown", "not found"), "Look how its name and tag are spelled: in .env, else in compose.yaml."),
    (
        ("denied", "unauthorized", "no basic auth", "incorrect username"),
        "Look how its name is spelled, or log in: {login}",
    ),
)


def pull_line(message: Mapping[str, Any]) -> str:
    """A line worth showing of a pull: not the hundred per layer that only move a bar."""
    if message.get("progressDetail"):
        return ""
    return " ".join(str(part) for part in (message.get("id", ""), message.get("status", "")) if part)


def build_lines(messages: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for message in messages:
        if "error" in message:
            yield BUILD_FAILED + str(message["error"]).strip()
            return
        text = COLOURS.sub("", str(message.get("stream", "")))
        yield from (line for line in text.splitlines() if line.strip())


def build_failure(tag: str, lines: Sequence[str]) -> OpsError:
    last = lines[-1].removeprefix(BUILD_FAILED) if lines else "the engine ended the build without a word"
    if any(DISK_FULL in line.lower() for line in last_step(lines)):
        return disk_full(f"{tag} cannot be built", lines[-15:])
    offline = any(word in last for word in ("pull access denied", "no such host", "registry", "manifest"))
    return OpsError(
        f"The image {tag} cannot be built: {last.rstrip('.')}.",
        code="TB-0101",
        hint=OFFLINE_HINT if offline else "The lines above are the end of the build's output.",
        detail=tuple(lines[-15:]),
    )


def last_step(lines: Sequence[str]) -> Sequence[str]:
    """Output of the build since its last step began: the program that met the full disk reports it, not the engine."""
    begins = [number for number, line in enumerate(lines) if STEP.match(line)]
    return lines[begins[-1] :] if begins else lines


def disk_full(what: str, lines: Sequence[str]) -> OpsError:
    return DiskFull(f"Docker's disk is full: {what}.", code="TB-0802", hint=DISK_FULL_HINT, detail=tuple(lines))


def not_made_yet(tag: str) -> OpsError:
    return ImageMissing(
        f"The image {tag} is not on this engine, and no registry is asked for it: it is made on site.",
        code="TB-0826",
        hint=OFFLINE_HINT,
    )


def not_pulled(tag: str, text: str) -> OpsError:
    """Why the engine has not got the image: its disk is full, the registry refuses, or none answers."""
    if DISK_FULL in text.lower():
        return disk_full(f"{tag} cannot be pulled", (text,))
    advice = next((advice for words, advice in REFUSALS if any(word in text.lower() for word in words)), None)
    if advice is None:
        return _unreachable(tag, text)
    registry, _ = resolve_repository_name(tag)
    login = "docker login" if registry == INDEX_NAME else f"docker login {registry}"
    return Unavailable(
        f"The image {tag} is not on this engine, and its registry refused it: {text.rstrip('.')}.",
        code="TB-0831",
        hint=advice.format(login=login),
    )


def _unreachable(tag: str, text: str) -> OpsError:
    return ImageMissing(
        f"The image {tag} is not on this engine and no registry gave it.",
        code="TB-0826",
        hint=OFFLINE_HINT,
        detail=(text,),
    )
