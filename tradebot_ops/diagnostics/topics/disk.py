"""Room on the disk: of the engine, of the stores, of Prometheus."""

from tradebot_ops.diagnostics.topic import Problem, Topic, View, doubtful, look, wrong
from tradebot_ops.facts import host
from tradebot_ops.facts.metrics import prometheus
from tradebot_ops.facts.stores import storage
from tradebot_ops.text.quantities import human_bytes

TOPIC = Topic("disk", "Disk", order=80)
LITTLE, SCARCE = 0.2, 0.1
DAYS, FEW_DAYS = 14, 3


@look(asks=(host.disk,))
def data_root(disk: host.Disk) -> View:
    inodes = f", {disk.inodes_free / disk.inodes:.0%} of the inodes" if disk.inodes else ""
    problems = _short(disk.free / disk.total, disk.path)
    if disk.inodes and disk.inodes_free / disk.inodes < SCARCE:
        problems = (*problems, wrong(f"{disk.path} has few inodes left.", "tradebot prune"))
    return View(
        ((disk.path, f"{human_bytes(disk.free)} free of {human_bytes(disk.total)}{inodes}"),), problems=problems
    )


@look(asks=(storage.redis_folder,))
def redis(folder: storage.Folder) -> View:
    return _store(folder)


@look(asks=(storage.postgres_folder,))
def postgres(folder: storage.Folder) -> View:
    return _store(folder)


@look(asks=(host.days_until_full,))
def course(days: float | None) -> View:
    if days is None:
        return View((("full at this rate", "not within sight"),))
    say = wrong if days < FEW_DAYS else doubtful
    problems = (say(f"The disk is full in {days:.0f} days at this rate.", "tradebot prune"),) if days < DAYS else ()
    return View((("full at this rate", f"in {days:.0f} days"),), problems=problems)


@look(asks=(prometheus.storage,))
def metrics(found: prometheus.Storage) -> View:
    used = "not known" if found.used is None else human_bytes(int(found.used))
    return View((("Prometheus", f"{used}, kept for {found.retention_time}"),))


def _store(folder: storage.Folder) -> View:
    problems = _short(folder.free / folder.size, folder.path) if folder.size else ()
    return View(((folder.service, f"{human_bytes(folder.free)} free at {folder.path}"),), problems=problems)


def _short(share: float, path: str) -> tuple[Problem, ...]:
    if share >= LITTLE:
        return ()
    say = wrong if share < SCARCE else doubtful
    return (say(f"{path} has {share:.0%} of its space left.", "tradebot prune"),)
