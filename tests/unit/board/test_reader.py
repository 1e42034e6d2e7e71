"""The board is read seldom and little, and is right all the same."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from local.sqlite.database import Database
from local.sqlite.store import SqliteStore
from shared.domain.activation import Activation
from shared.domain.summary import Summary
from shared.errors import StoreUnavailable
from shared.ports import ActivationStore
from tests.builders import LEASE, NOON, an_activation, an_answer
from tests.doubles import FakeTime, StoreWithFaults
from tests.support.stored_documents import UNREADABLE, change_document
from worker.board import reader as board_reader
from worker.board.reader import FRESH, BoardReader
from worker.gemini.port import Health
from worker.gemini.prices import Prices


class Watched(StoreWithFaults):
    """Notes how many activations each look has read."""

    def __init__(self, store: SqliteStore) -> None:
        super().__init__(store)
        self.read: list[int] = []

    def recent(self, since: datetime, *, limit: int) -> list[Summary]:
        found = super().recent(since, limit=limit)
        self.read.append(len(found))
        return found


Made = Callable[[str], Activation]


@pytest.fixture
def watched(store: SqliteStore) -> Watched:
    return Watched(store)


def a_reader(store: ActivationStore, time: FakeTime) -> BoardReader:
    return BoardReader(
        store,
        clock=time.now,
        health=lambda: Health(key="ok"),
        prices=Prices({}, {}),
        model="m",
        lease=LEASE,
    )


@pytest.fixture
def reader(watched: Watched, time: FakeTime) -> BoardReader:
    return a_reader(watched, time)


@pytest.fixture
def made(store: SqliteStore, time: FakeTime) -> Made:
    """Write a new activation, by the test's clock."""

    def make(activation_id: str) -> Activation:
        return store.create(an_activation(activation_id, now=time.now())).activation

    return make


def later(time: FakeTime, duration: timedelta = FRESH) -> None:
    time.advance(duration.total_seconds())


def complete(store: SqliteStore, time: FakeTime, activation_id: str) -> None:
    found = store.get(activation_id)
    assert found is not None
    store.replace(found.activation.completed(an_answer(), now=time.now()), found.version)


def test_many_watchers_share_one_look(reader: BoardReader, watched: Watched) -> None:
    assert len({id(reader.board()) for _ in range(9)}) == 1
    assert len(watched.read) == 1


def test_a_moment_later_it_looks_again(reader: BoardReader, made: Made, time: FakeTime) -> None:
    assert reader.board().accepted == 0
    made("a")
    later(time)
    assert reader.board().accepted == 1


def test_a_clock_that_was_set_back_does_not_freeze_it(
    reader: BoardReader, made: Made, time: FakeTime
) -> None:
    reader.board()
    made("a")
    time.advance(-3600)
    assert reader.board().now == time.now()


def test_what_waits_is_shown_until_it_is_done(
    reader: BoardReader, made: Made, store: SqliteStore, time: FakeTime
) -> None:
    made("a")
    reader.board()
    later(time, timedelta(minutes=2))
    assert reader.board().waiting.oldest_seconds == 120
    complete(store, time, "a")
    later(time)
    assert (reader.board().waiting.count, reader.board().states) == (0, {"completed": 1})


def test_what_was_erased_is_gone_at_the_next_look(
    reader: BoardReader, made: Made, store: SqliteStore, time: FakeTime
) -> None:
    made("a")
    complete(store, time, "a")
    reader.board()
    store.delete("a")
    later(time)
    assert reader.board().accepted == 0


def test_at_midnight_utc_a_new_day_begins(reader: BoardReader, made: Made, time: FakeTime) -> None:
    time.advance(11 * 3600 + 59 * 60)  # it was noon
    made("yesterdays")
    assert reader.board().accepted == 1
    time.advance(60)
    shown = reader.board()
    assert (shown.accepted, shown.since.hour, shown.waiting.count) == (0, 0, 1)


def test_of_too_many_the_newest_are_shown_and_it_says_so(
    reader: BoardReader, made: Made, time: FakeTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(board_reader, "MOST", 3)
    for name in "abcd":
        made(name)
        time.advance(1)
    shown = reader.board()
    assert (shown.accepted, shown.cut, shown.since) == (3, True, NOON + timedelta(seconds=1))
    made("e")
    later(time)
    assert (reader.board().accepted, reader.board().cut) == (3, True)


def test_exactly_as_many_as_are_read_are_not_cut(
    reader: BoardReader, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(board_reader, "MOST", 3)
    for name in "abc":
        made(name)
    assert (reader.board().accepted, reader.board().cut) == (3, False)


def test_a_store_that_is_away_is_asked_once_for_all_watchers(
    reader: BoardReader, watched: Watched, time: FakeTime
) -> None:
    watched.raises.append(StoreUnavailable("told to"))
    for _ in range(3):
        with pytest.raises(StoreUnavailable, match="told to"):
            reader.board()
    later(time)
    assert reader.board().accepted == 0


def test_an_unreadable_document_hides_no_other(
    reader: BoardReader, made: Made, database: Database
) -> None:
    for number in range(51):
        made(f"a{number}")
    change_document(database, "a0", UNREADABLE["status is a number"])
    assert reader.board().states == {"queued": 50}
