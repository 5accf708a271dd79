"""What counts as hanging: the part that has not ticked for too long, unless it rests."""

from services.worker.consumer import Slot
from services.worker.heartbeat import CONSUMER, JOB, MESSAGE, Liveness
from tests.waiting import until


def test_the_part_that_stands_still_for_longest_is_named() -> None:
    liveness = Liveness(stall_s=0.05)
    liveness.tick(JOB)
    until(lambda: liveness.stalled() == CONSUMER, "the consumer stands still", 5)
    liveness.tick(CONSUMER)
    until(lambda: liveness.stalled() == JOB, "the job stands still", 5)
    liveness.rest(JOB)
    liveness.tick(CONSUMER)
    assert Liveness().stalled() is None


def test_a_slot_asked_for_room_shows_that_the_consumer_moves() -> None:
    liveness = Liveness(stall_s=0.05)
    slot = Slot(liveness=liveness)
    until(liveness.stalled, "nobody asks for room", 5)
    slot.close()
    until(lambda: not slot.reserve(0.0) and liveness.stalled() is None, "somebody asked for room", 5)


def test_a_message_that_nobody_takes_and_a_job_that_nobody_watches_are_seen() -> None:
    liveness = Liveness(stall_s=0.05)
    slot = Slot(liveness=liveness)

    def stalled() -> str | None:
        liveness.tick(CONSUMER)
        return liveness.stalled()

    assert slot.reserve(0.0)
    until(lambda: stalled() == MESSAGE, "nobody takes the message", 5)
    assert slot.enter()
    until(lambda: stalled() == JOB, "nobody watches the job", 5)
    slot.leave()
    assert stalled() is None
