"""The slot: one running job, nobody fetches while it is taken or closed."""

import threading

from services.worker.consumer import Slot


def test_one_at_a_time() -> None:
    slot = Slot()
    assert slot.take(0.0)
    assert not slot.take(0.01)
    assert not slot.wait_free(0.01)
    slot.free()
    assert slot.wait_free(0.0)
    assert slot.take(0.0)


def test_taking_wakes_up_as_soon_as_the_slot_is_free() -> None:
    slot, taken = Slot(), threading.Event()
    slot.take(0.0)
    waiter = threading.Thread(target=lambda: slot.take(30) and taken.set())
    waiter.start()
    slot.free()
    assert taken.wait(5)
    waiter.join()


def test_a_closed_slot_is_never_given() -> None:
    slot = Slot()
    slot.close()
    assert not slot.take(0.01)
    assert slot.wait_free(0.0)
