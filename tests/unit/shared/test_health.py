"""What `/readyz` knows: asked at most every two seconds, by one thread at a time."""

import threading

import pytest

from local.sqlite.store import SqliteStore
from shared.http.health import LastLook
from tests.doubles import FakePublisher, FakeTime


class CountedPublisher(FakePublisher):
    """Counts how often it is asked, and answers when `go_on` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.pings = 0
        self.asked, self.go_on = threading.Event(), threading.Event()
        self.go_on.set()

    def ping(self) -> None:
        self.pings += 1
        self.asked.set()
        assert self.go_on.wait(30)
        super().ping()


@pytest.fixture
def queue() -> CountedPublisher:
    return CountedPublisher()


@pytest.fixture
def look(store: SqliteStore, queue: CountedPublisher, time: FakeTime) -> LastLook:
    return LastLook(store, queue, time.now)


def test_a_hundred_questions_at_once_reach_the_queue_once(
    look: LastLook, queue: CountedPublisher
) -> None:
    assert [look.reasons() for _ in range(100)] == [{}] * 100
    assert queue.pings == 1


def test_two_seconds_later_it_asks_again(
    look: LastLook, queue: CountedPublisher, time: FakeTime
) -> None:
    look.reasons()
    queue.broken = True
    time.advance(1.9)
    assert look.reasons() == {}
    time.advance(0.1)
    assert look.reasons() == {"queue": "told to"}


def test_a_clock_that_was_set_back_does_not_keep_an_old_answer(
    look: LastLook, queue: CountedPublisher, time: FakeTime
) -> None:
    look.reasons()
    time.advance(-3600)
    look.reasons()
    assert queue.pings == 2


def test_while_one_thread_asks_the_others_get_the_last_answer(
    look: LastLook, queue: CountedPublisher, time: FakeTime
) -> None:
    look.reasons()
    time.advance(2)
    queue.asked.clear()
    queue.go_on.clear()
    queue.broken = True
    asking = threading.Thread(target=look.reasons)
    asking.start()
    assert queue.asked.wait(30)
    assert look.reasons() == {}
    queue.go_on.set()
    asking.join(30)
    assert look.reasons() == {"queue": "told to"}
    assert queue.pings == 2


def test_until_the_first_answer_it_is_not_ready(look: LastLook, queue: CountedPublisher) -> None:
    queue.go_on.clear()
    asking = threading.Thread(target=look.reasons)
    asking.start()
    assert queue.asked.wait(30)
    assert look.reasons() == {"store": "not asked yet", "queue": "not asked yet"}
    queue.go_on.set()
    asking.join(30)
    assert look.reasons() == {}
