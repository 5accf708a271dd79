"""State kept from one command to the next: frozen records, one JSON file each, and the files named here alone.

A key that a record does not know is ignored, one that is missing has its default: versions come and go.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Protocol, Self

from tradebot_ops.shapes import fields, flag, listed, moment, named, text, whole


class Record(Protocol):
    """A frozen dataclass that is kept as one JSON object in the file ``FILE``."""

    FILE: ClassVar[str]

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Self:
        """The record in an object; all defaults for an empty one. Raises ``ShapeError``."""

    def content(self) -> dict[str, Any]:
        """The object that ``of`` reads."""


@dataclass(frozen=True)
class DesiredReplicas:
    """Replicas set by `scale`, by service; they outrank the settings until the next `scale`."""

    FILE: ClassVar[str] = "desired.json"
    replicas: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Self:
        return cls(**fields(content, {"replicas": named(whole)}))

    def content(self) -> dict[str, Any]:
        return {"replicas": dict(self.replicas)}


@dataclass(frozen=True)
class UsedEngines:
    """Engines that `up` has put the project on, the last one first, until `down --volumes` on each."""

    FILE: ClassVar[str] = "engines.json"
    engines: tuple[str, ...] = ()

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Self:
        return cls(**fields(content, {"engines": listed(text)}))

    def content(self) -> dict[str, Any]:
        return {"engines": list(self.engines)}

    def with_last(self, name: str) -> Self:
        return type(self)((name, *self.without(name).engines))

    def without(self, name: str) -> Self:
        return type(self)(tuple(each for each in self.engines if each != name))


@dataclass(frozen=True)
class WatchedBot:
    """The kind of bot that the last `up` had watched; empty for none."""

    FILE: ClassVar[str] = "bot.json"
    adapter: str = ""

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Self:
        return cls(**fields(content, {"adapter": text}))

    def content(self) -> dict[str, Any]:
        return {"adapter": self.adapter}


@dataclass(frozen=True)
class HaltDrill:
    """When (ISO 8601) a halt last stopped the bot as it should, and when one did that last cancelled resting orders."""

    FILE: ClassVar[str] = "halt-drill.json"
    adapter: str = ""
    halted_at: str = ""
    cancelled_at: str = ""

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Self:
        return cls(**fields(content, {"adapter": text, "halted_at": moment, "cancelled_at": moment}))

    def content(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value}


@dataclass(frozen=True)
class ChosenProfiles:
    """The profiles of the last `up`; None before the first."""

    FILE: ClassVar[str] = "profiles.json"
    profiles: tuple[str, ...] | None = None

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Self:
        return cls(**fields(content, {"profiles": listed(text)}))

    def content(self) -> dict[str, Any]:
        return {} if self.profiles is None else {"profiles": list(self.profiles)}


@dataclass(frozen=True)
class Absence:
    """Why a service cannot run here, and what to do about it."""

    message: str = "It cannot run here."
    hint: str = "tradebot up"

    @classmethod
    def of(cls, value: Any) -> Self:
        return cls(**fields(value, {"message": text, "hint": text}))


@dataclass(frozen=True)
class UnavailableServices:
    """Services that the last `up` could not run on this host, by name."""

    FILE: ClassVar[str] = "unavailable.json"
    services: Mapping[str, Absence] = field(default_factory=dict)

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Self:
        return cls(named(Absence.of)(content))

    def content(self) -> dict[str, Any]:
        return {name: asdict(absence) for name, absence in self.services.items()}


@dataclass(frozen=True)
class StandInImages:
    """Images in place of official ones, by the variable that names the image. Kept for the host, not a project."""

    FILE: ClassVar[str] = "images.json"
    tags: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Self:
        return cls(named(text)(content))

    def content(self) -> dict[str, Any]:
        return dict(self.tags)


@dataclass(frozen=True)
class Scaling:
    """One `scale`: when (ISO 8601), by whom, how many replicas before and after, and whether `up` keeps them."""

    at: str = ""
    by: str = ""
    service: str = ""
    before: int = 0
    after: int = 0
    kept: bool = False

    @classmethod
    def of(cls, value: Any) -> Self:
        shapes = {"at": text, "by": text, "service": text, "from": whole, "to": whole, "kept": flag}
        keys = {"from": "before", "to": "after"}
        return cls(**{keys.get(key, key): item for key, item in fields(value, shapes).items()})

    def content(self) -> dict[str, Any]:
        return {
            "at": self.at,
            "by": self.by,
            "service": self.service,
            "from": self.before,
            "to": self.after,
            "kept": self.kept,
        }


@dataclass(frozen=True)
class ScaleHistory:
    """The last scalings, newest last."""

    FILE: ClassVar[str] = "scalings.json"
    scalings: tuple[Scaling, ...] = ()

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Self:
        return cls(**fields(content, {"scalings": listed(Scaling.of)}))

    def content(self) -> dict[str, Any]:
        return {"scalings": [scaling.content() for scaling in self.scalings]}


@dataclass(frozen=True)
class WorkersTold:
    """The number of workers that was last written to Redis; None when that is not sure."""

    FILE: ClassVar[str] = "workers-told.json"
    workers: int | None = None

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Self:
        return cls(**fields(content, {"workers": whole}))

    def content(self) -> dict[str, Any]:
        return {} if self.workers is None else {"workers": self.workers}


@dataclass(frozen=True)
class ChannelTests:
    """When a channel last took a test: ``receiver/kind`` -> moment in ISO format."""

    FILE: ClassVar[str] = "channel-tests.json"
    taken: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Self:
        return cls(named(text)(content))

    def content(self) -> dict[str, Any]:
        return dict(self.taken)


@dataclass(frozen=True)
class MountedFiles:
    """The files behind each content hash in force: hash -> path -> digest."""

    FILE: ClassVar[str] = "mounted.json"
    digests: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Self:
        return cls(named(named(text))(content))

    def content(self) -> dict[str, Any]:
        return dict(self.digests)


@dataclass(frozen=True)
class Descriptions:
    """The description behind each spec hash that replicas may have: hash -> key of the compose file -> value."""

    FILE: ClassVar[str] = "descriptions.json"
    keys: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Self:
        return cls(named(named(text))(content))

    def content(self) -> dict[str, Any]:
        return dict(self.keys)


@dataclass(frozen=True)
class RememberedPorts:
    """Ports of this host that the local engine chose: replica -> port inside -> port here."""

    FILE: ClassVar[str] = "ports.json"
    ports: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Self:
        return cls(named(named(whole))(content))

    def content(self) -> dict[str, Any]:
        return dict(self.ports)

    def having(self, owner: str, ports: Mapping[str, int]) -> Self:
        """The same with these ports of a replica (or service) added or changed."""
        return type(self)({**self.ports, owner: {**self.ports.get(owner, {}), **ports}})


@dataclass(frozen=True)
class MovedPorts(RememberedPorts):
    """Published ports that moved in Docker because the default was taken: service -> port inside -> port here."""

    FILE: ClassVar[str] = "docker-ports.json"


@dataclass(frozen=True)
class ReloadedContainers:
    """The mounted contents that running containers have read since they were made: container id -> content hash."""

    FILE: ClassVar[str] = "docker-reloaded.json"
    hashes: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Self:
        return cls(named(text)(content))

    def content(self) -> dict[str, Any]:
        return dict(self.hashes)


@dataclass(frozen=True)
class Attestation:
    """A person's word: for what, whose, when (ISO 8601), and what they added."""

    name: str = ""
    by: str = ""
    at: str = ""
    note: str = ""

    @property
    def moment(self) -> datetime:
        return datetime.fromisoformat(self.at)

    @classmethod
    def of(cls, value: Any) -> Self:
        """Raises ``ShapeError``, also where the time is none."""
        return cls(**fields(value, {"name": text, "by": text, "at": moment, "note": text}))

    def content(self) -> dict[str, Any]:
        return {"name": self.name, "by": self.by, "at": self.at, "note": self.note}


@dataclass(frozen=True)
class Attestations:
    """Attestations by people, the latest of each."""

    FILE: ClassVar[str] = "attestations.json"
    attestations: tuple[Attestation, ...] = ()

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Self:
        return cls(**fields(content, {"attestations": listed(Attestation.of)}))

    def content(self) -> dict[str, Any]:
        return {"attestations": [each.content() for each in self.attestations]}


@dataclass(frozen=True)
class Optimization:
    """One `optimize apply`: when (ISO 8601), by whom, settings before (absent: not in the file) and after.

    ``desired`` is the number of workers that `scale` had stored until then, if it had.
    """

    at: str = ""
    by: str = ""
    before: Mapping[str, str] = field(default_factory=dict)
    after: Mapping[str, str] = field(default_factory=dict)
    desired: int | None = None

    @classmethod
    def of(cls, value: Any) -> Self:
        shapes = {"at": text, "by": text, "before": named(text), "after": named(text), "desired": whole}
        return cls(**fields(value, shapes))

    def content(self) -> dict[str, Any]:
        made = {"at": self.at, "by": self.by, "before": dict(self.before), "after": dict(self.after)}
        return made if self.desired is None else {**made, "desired": self.desired}


@dataclass(frozen=True)
class Optimizations:
    """Those that were not reverted, newest last."""

    FILE: ClassVar[str] = "optimizations.json"
    optimizations: tuple[Optimization, ...] = ()

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Self:
        return cls(**fields(content, {"optimizations": listed(Optimization.of)}))

    def content(self) -> dict[str, Any]:
        return {"optimizations": [each.content() for each in self.optimizations]}
