"""Workers: who is heard, who is at work, and how much memory it takes."""

from collections.abc import Sequence

from tradebot_ops.diagnostics.topic import Topic, View, doubtful, look, wrong
from tradebot_ops.facts.work import queue, workers
from tradebot_ops.model import Table
from tradebot_ops.text.lists import few
from tradebot_ops.text.quantities import human_bytes, quantity

TOPIC = Topic("workers", "Workers", order=20)
NEARLY_FULL, FULL = 0.8, 0.95
MEMORY = "worker_memory_bytes"


@look(asks=(workers.replicas, workers.beats))
def heartbeats(replicas: Sequence[workers.Worker], beats: Sequence[workers.Beat]) -> View:
    by_name = {beat.name: beat for beat in beats}
    rows, problems = [], []
    if not replicas:
        problems.append(wrong("No worker runs.", "tradebot up worker"))
    for replica in replicas:
        beat = next((by_name[name] for name in replica.names if name in by_name), None)
        if beat is None:
            rows.append((replica.label, "silent", ""))
            problems.append(wrong(f"{replica.label} has no heartbeat.", "tradebot logs worker --tail 50"))
            continue
        rows.append((replica.label, beat.state, quantity(beat.age, "s")))
        if not beat.fresh:
            message = f"{replica.label} was last heard {quantity(beat.age, 's')} ago."
            problems.append(wrong(message, "tradebot restart worker"))
    known = {name for replica in replicas for name in replica.names}
    ghosts = [beat.name for beat in beats if beat.name not in known]
    if ghosts:
        problems.append(doubtful(f"Heartbeats of workers that nobody runs: {few(ghosts)}.", "tradebot status"))
    return View(table=Table(("worker", "state", "heartbeat"), tuple(rows)), problems=tuple(problems))


@look(asks=(workers.shown, workers.memory_limit))
def memory(shown: Sequence[workers.Shown], limit: int | None) -> View:
    rows, problems = [], []
    for each in shown:
        used = each.value(MEMORY)
        if each.unreadable:
            problems.append(wrong(f"{each.label} shows no metrics: {each.unreadable.rstrip('.')}.",
                                  "tradebot metrics worker --all"))  # fmt: skip
        if used is None:
            continue
        share = used / limit if limit else 0.0
        rows.append((each.label, human_bytes(int(used)), human_bytes(limit) if limit else "none"))
        if share > NEARLY_FULL:
            say = wrong if share > FULL else doubtful
            problems.append(say(f"{each.label} uses {share:.0%} of its memory limit.", "tradebot optimize plan"))
    return View(table=Table(("worker", "memory", "limit"), tuple(rows)), problems=tuple(problems))


@look(asks=(queue.lost,))
def lost_jobs(lost: Sequence[queue.Lost]) -> View:
    rows = tuple((each.id[:8], each.type, each.worker, quantity(each.since, "s")) for each in lost[:10])
    message = f"{len(lost)} jobs belong to workers that are gone, and nobody took them over."
    problems = (wrong(message, "tradebot restart worker"),) if lost else ()
    return View(table=Table(("lost job", "type", "worker", "lease over for"), rows), problems=problems)
