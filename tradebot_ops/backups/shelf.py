"""Where the backups of a project lie: one folder each, under its name only once it is whole.

A backup is written into a draft, a folder whose name begins with a dot, and gets its name as the last step, after all
of it is on the disk: what was killed, or ran out of disk, is never taken for a backup.
"""

import contextlib
import hashlib
import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tradebot_ops.backups.manifest import FORMAT, Manifest
from tradebot_ops.errors import OpsError
from tradebot_ops.private_folder import PrivateFolder, make_private, sync, writable
from tradebot_ops.shapes import ShapeError, fields, moment, seconds, text

MANIFEST, DUMP, CONFIG, SUMS = "manifest.json", "postgres.dump", "config.tar", "SHA256SUMS"
PROVED, REFUTED = "restored.json", "refuted.json"
_ID = re.compile(r"(?P<second>\d{8}T\d{6}Z)(?:-(?P<number>\d+))?")
_DRAFT = ".unfinished"


@dataclass(frozen=True)
class Proof:
    """A restore into an empty database that gave all the manifest counts: when (ISO 8601), and in how many seconds."""

    at: str
    seconds: float

    @property
    def moment(self) -> datetime:
        return datetime.fromisoformat(self.at)


class AtFault(OpsError):  # noqa: N818 - like all kinds, named for what is the case
    """A backup is damaged, does not restore, or is not what was backed up."""


@dataclass(frozen=True)
class Refutation:
    """A verification that found the backup at fault: when (ISO 8601; None where the record does not say), and why, as
    a sentence.
    """

    at: str | None
    why: str

    @property
    def moment(self) -> datetime | None:
        return datetime.fromisoformat(self.at) if self.at else None


@dataclass(frozen=True)
class Backup:
    """One backup; without a manifest it is damaged, and ``fault`` says how. The last verification decides: it left a
    ``proof`` or a ``refutation``.
    """

    id: str
    folder: Path
    manifest: Manifest | None
    proof: Proof | None = None
    fault: str = ""
    refutation: Refutation | None = None

    @property
    def usable(self) -> bool:
        """Whether nothing is known against it."""
        return self.manifest is not None and self.refutation is None

    @property
    def dump(self) -> Path:
        return self.folder / DUMP

    @property
    def at(self) -> datetime:
        """Of the snapshot; of a damaged one what its name says."""
        return self.manifest.moment if self.manifest else _moment(self.id)

    @property
    def order(self) -> tuple[datetime, str, int]:
        """Sorts backups by their age, the oldest first; those of one second by their number."""
        return (self.at, *_second_and_number(self.id))

    @property
    def size(self) -> int:
        return sum(path.stat().st_size for path in self.folder.iterdir() if path.is_file())

    @property
    def damage(self) -> str:
        """A sentence for one that is not usable."""
        if self.refutation:
            return f"The last verification of the backup {self.id} failed: {self.refutation.why}"
        return f"The backup {self.id} is damaged: {self.fault}"

    def damaged_files(self) -> tuple[str, ...]:
        """Every file that is not as it was written, as a sentence; each is read whole."""
        try:
            lines = (self.folder / SUMS).read_text(encoding="ascii").splitlines()
        except (OSError, UnicodeDecodeError):
            return (f"{SUMS} cannot be read.",)
        found = []
        for line in lines:
            digest, _, name = line.partition("  ")
            path = self.folder / name
            try:
                if sha256(path) != digest:
                    found.append(f"{name} is not as it was written.")
            except OSError as error:
                found.append(f"{name} cannot be read: {error.strerror}.")
        missing = {MANIFEST, DUMP} - {line.partition("  ")[2] for line in lines}
        return (*found, *(f"{SUMS} does not name {name}." for name in sorted(missing)))

    def remember(self, proof: Proof) -> None:
        private = PrivateFolder(self.folder)
        private.write_json(PROVED, {"at": proof.at, "seconds": round(proof.seconds, 3)})
        private.remove(REFUTED)

    def refute(self, refutation: Refutation) -> None:
        """It counts for nothing until a verification succeeds, whatever was proved before."""
        private = PrivateFolder(self.folder)
        private.write_json(REFUTED, {"at": refutation.at, "why": refutation.why})
        private.remove(PROVED)


class Shelf:
    """The backups of one project, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def all(self) -> tuple[Backup, ...]:
        """Every backup, the oldest first, damaged ones too."""
        try:
            names = sorted(path.name for path in self.folder.iterdir() if _ID.fullmatch(path.name))
        except (FileNotFoundError, NotADirectoryError):
            return ()
        except OSError as error:
            raise _unusable(self.folder, error) from None
        return tuple(sorted((read(self.folder / name) for name in names), key=lambda each: each.order))

    def get(self, name: str, *, refuted_too: bool = False) -> Backup:
        """By its id, ``latest``, or the path of a backup that lies elsewhere. Raises ``OpsError`` TB-0130.

        The latest is the newest against which nothing is known; ``refuted_too``: the newest that has a manifest.
        """
        if "/" in name and (Path(name) / MANIFEST).is_file():
            return read(Path(name).resolve())
        known = {each.id: each for each in self.all()}
        whole = [each for each in known.values() if each.manifest]
        if name == "latest" and whole:
            return _latest(whole, self.folder, refuted_too=refuted_too)
        if name not in known:
            raise OpsError(
                f"There is no backup {name} in {self.folder}." if known else f"There is no backup in {self.folder}.",
                code="TB-0130",
                hint="tradebot backup list" if known else "tradebot backup",
            )
        return known[name]

    @contextlib.contextmanager
    def draft(self, at: datetime) -> Iterator["Draft"]:
        """A folder to write a backup into; what is not finished in it is removed, also what was left by a kill."""
        with writable(self.folder):
            make_private(self.folder)
            for left in self.folder.glob(f".*{_DRAFT}"):
                shutil.rmtree(left)
            made = Draft(self.folder, self._free_id(at))
            make_private(made.folder)
        try:
            yield made
        finally:
            shutil.rmtree(made.folder, ignore_errors=True)

    def remove(self, backup: Backup) -> None:
        """Under a draft's name first: one that is removed by half is no backup any more."""
        going = self.folder / f".{backup.id}{_DRAFT}"
        with writable(backup.folder):
            backup.folder.rename(going)
            shutil.rmtree(going)

    def _free_id(self, at: datetime) -> str:
        """Two in one second, or a clock that was set back: the later one gets the next number.

        Never a number that was free only because an older backup was cleared away: it would pass for the oldest.
        """
        second = at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
        taken = [number for stamp, number in (_second_and_number(each.id) for each in self.all()) if stamp == second]
        return f"{second}-{max(taken) + 1}" if taken else second


class Draft:
    """A backup that is being written."""

    def __init__(self, shelf: Path, identity: str) -> None:
        self.id = identity
        self.folder = shelf / f".{identity}{_DRAFT}"
        self._shelf = shelf
        self._sums: dict[str, str] = {}

    def keep(self, name: str) -> None:
        """Put a file that is whole on the disk, and sum it up."""
        path = self.folder / name
        with writable(path):
            path.chmod(0o600)
            with ThreadPoolExecutor(max_workers=1) as pool:
                written = pool.submit(sync, path)
                self._sums[name] = sha256(path)
                written.result()

    def finish(self, manifest: Manifest) -> Backup:
        """Keep what was not kept yet, write the checksums, and give the backup its name."""
        private = PrivateFolder(self.folder)
        private.write_json(MANIFEST, manifest.content())
        for name in {path.name for path in self.folder.iterdir()} - self._sums.keys():
            self.keep(name)
        with writable(self.folder):
            private.write(SUMS, "".join(f"{self._sums[name]}  {name}\n" for name in sorted(self._sums)))
            self.folder.rename(self._shelf / self.id)
            sync(self._shelf)
        return read(self._shelf / self.id)


def read(folder: Path) -> Backup:
    """A backup by its manifest; one that cannot be read is damaged, which is no error here."""
    private = PrivateFolder(folder)
    try:
        manifest = private.read_as(MANIFEST, _manifest)
    except OpsError as error:
        return Backup(folder.name, folder, None, fault=error.message)
    refutation = _refutation(private)
    try:
        proof = None if refutation else private.read_as(PROVED, _proof)
    except OpsError:
        proof = None  # then it was not proved
    return Backup(folder.name, folder, manifest, proof, refutation=refutation)


def refuted_since(shelf: Shelf, backup: Backup) -> tuple[str, ...]:
    """A sentence for this backup and each newer one whose last verification failed."""
    known = shelf.all()
    here = [number for number, each in enumerate(known) if each.folder == backup.folder]
    return tuple(each.damage for each in known[here[0] :] if each.refutation) if here else ()


def sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _manifest(content: dict[str, Any]) -> Manifest:
    if isinstance(content.get("format"), int) and content["format"] > FORMAT:
        raise ValueError(f"of form {content['format']}, and this release reads up to {FORMAT}")
    return Manifest.of(content)


def _latest(whole: list[Backup], folder: Path, *, refuted_too: bool) -> Backup:
    usable = [each for each in whole if each.usable or refuted_too]
    if not usable:
        raise OpsError(
            f"No backup in {folder} is fit for use: the last verification of each of them failed.",
            code="TB-0130",
            hint="tradebot backup list; verify one again: tradebot backup verify BACKUP",
        )
    return usable[-1]


def _refutation(private: PrivateFolder) -> Refutation | None:
    """A record that cannot be read is one all the same."""
    try:
        return private.read_as(REFUTED, _refuted)
    except OpsError as error:
        return Refutation(None, error.message)


def _refuted(content: dict[str, Any]) -> Refutation | None:
    if not content:
        return None
    found = fields(content, {"at": _time, "why": text})
    return Refutation(found.get("at"), found.get("why", "The record does not say why."))


def _time(value: Any) -> str | None:
    try:
        return moment(value)
    except ShapeError:
        return None


def _proof(content: dict[str, Any]) -> Proof | None:
    if not content:
        return None
    proof = Proof(**fields(content, {"at": text, "seconds": seconds}))
    return proof if proof.moment.tzinfo else None


def _second_and_number(identity: str) -> tuple[str, int]:
    """Of an id; a folder under another name that was named by its path has none."""
    matched = _ID.fullmatch(identity)
    return (matched["second"], int(matched["number"] or 1)) if matched else (identity, 1)


def _moment(identity: str) -> datetime:
    try:
        return datetime.strptime(identity[:16], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)


def _unusable(folder: Path, error: OSError) -> OpsError:
    return OpsError(
        f"The backups in {folder} cannot be read: {error.strerror}.",
        code="TB-0844",
        hint="Check who owns the folder, or name another one: TRADEBOT_BACKUPS=/path tradebot …",
    )
