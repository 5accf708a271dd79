"""Asked once for all who want it within five seconds; kept, or forgotten, while the store is away."""

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from services.api.collectors import kept
from services.api.collectors.kept import KEEP_S, Kept


class Store:
    def __init__(self) -> None:
        self.asked, self.away, self.now = 0, False, 100.0

    def ask(self) -> int:
        self.asked += 1
        if self.away:
            raise ConnectionError
        return self.asked


@pytest.mark.parametrize("forget", [False, True])
def test_an_answer_is_good_for_a_while_and_outlives_an_outage_unless_forgotten(
    forget: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store()
    monkeypatch.setattr(kept, "time", SimpleNamespace(monotonic=lambda: store.now))
    known = Kept(store.ask, ConnectionError, forget=forget)
    assert known.get() == 1
    store.now += KEEP_S
    assert (known.get(), store.asked) == (1, 1)
    store.now, store.away = store.now + 0.1, True
    assert known.get() == (None if forget else 1)
    assert (known.get(), store.asked) == (None if forget else 1, 2), "a store that is away is not asked by everybody"
    store.now, store.away = store.now + KEEP_S + 0.1, False
    assert known.get() == 3


def test_nothing_is_known_before_the_first_answer() -> None:
    store = Store()
    store.away = True
    assert Kept(store.ask, ConnectionError).get() is None


def test_another_error_is_not_hidden() -> None:
    store = Store()
    store.away = True
    known = Kept(store.ask, KeyError)
    with pytest.raises(ConnectionError):
        known.get()


def test_of_many_threads_one_asks() -> None:
    store = Store()
    known = Kept(store.ask, ConnectionError)
    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(lambda _: known.get(), range(100))) == {1}
    assert store.asked == 1
