"""Rewrite the addresses of others and the paths of files that a service gets to where these are on this host. Pure.

Three forms are rewritten, in environment values and command words alike: another service's authority
``service:port``, an own listening address ``0.0.0.0:port``, and the target path of a mount or secret.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

#: What may stand before and after a token: nothing that would make it part of a longer name or number.
_BEFORE, _AFTER = r"(?<![\w.-])", r"(?![\w.-])"
_EVERYWHERE = "0.0.0.0"  # noqa: S104 - a token to look for, nothing is bound


@dataclass(frozen=True)
class Places:
    """Where things are: ``services`` maps (service, port) to an authority, ``own`` a port to a listening address,
    ``paths`` a target path to a host path."""

    services: Mapping[tuple[str, int], str] = field(default_factory=dict)
    own: Mapping[int, str] = field(default_factory=dict)
    paths: Mapping[str, str] = field(default_factory=dict)


def localise(text: str, places: Places) -> str:
    """``text`` with every token rewritten once; unknown services and ports stay as they are."""
    pattern = _pattern(places)
    if pattern is None:
        return text

    def replacement(match: re.Match[str]) -> str:
        if path := match["path"]:
            return places.paths[path].rstrip("/") or ("" if match.string[match.end() :][:1] == "/" else "/")
        host, port = match["host"], int(match["port"])
        known = places.own.get(port) if host == _EVERYWHERE else places.services.get((host, port))
        return known or match[0]

    return pattern.sub(replacement, text)


def referred_ports(texts: Iterable[str], services: Iterable[str]) -> frozenset[tuple[str, int]]:
    """Every ``service:port`` the texts name."""
    names = _alternatives(services)
    if not names:
        return frozenset()
    pattern = re.compile(rf"{_BEFORE}({names}):(\d{{1,5}}){_AFTER}")
    return frozenset((host, int(port)) for text in texts for host, port in pattern.findall(text))


def own_ports(texts: Iterable[str]) -> frozenset[int]:
    """Every port the texts listen on as ``0.0.0.0:port``."""
    pattern = re.compile(rf"{_BEFORE}{re.escape(_EVERYWHERE)}:(\d{{1,5}}){_AFTER}")
    return frozenset(int(port) for text in texts for port in pattern.findall(text))


def _pattern(places: Places) -> re.Pattern[str] | None:
    hosts = {host for host, _ in places.services} | ({_EVERYWHERE} if places.own else set())
    parts = []
    if hosts:
        parts.append(rf"{_BEFORE}(?P<host>{_alternatives(hosts)}):(?P<port>\d{{1,5}}){_AFTER}")
    else:
        parts.append(r"(?P<host>(?!))(?P<port>(?!))")
    if targets := [target for target in places.paths if target != "/"]:
        parts.append(rf"(?<![\w./-])(?P<path>{_alternatives(targets)})(?![\w.-])")
    else:
        parts.append(r"(?P<path>(?!))")
    return re.compile("|".join(parts)) if hosts or targets else None


def _alternatives(words: Iterable[str]) -> str:
    """Longest first, so that ``/data/x`` wins over ``/data`` and ``redis-exporter`` over ``redis``."""
    return "|".join(re.escape(word) for word in sorted(words, key=lambda word: (-len(word), word)))
