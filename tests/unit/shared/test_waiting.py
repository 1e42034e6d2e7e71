"""Waiting for a change by reading, with a clock that the test owns."""

import itertools
import re
from threading import Event

import pytest

from shared.google import waiting
from shared.google.waiting import wait_until_changed
from shared.ports import Stored
from tests.builders import an_activation
from tests.doubles import FakeTime


class Reads:
    """Answers version 1 until `changes_at`, then version 2, or None where it is erased."""

    def __init__(
        self, time: FakeTime, *, changes_at: float = float("inf"), erased: bool = False
    ) -> None:
        self._time = time
        self._changes_at = changes_at
        self._erased = erased
        self.at: list[float] = []

    def __call__(self) -> Stored | None:
        self.at.append(self._time.passed)
        changed = self._time.passed >= self._changes_at
        if changed and self._erased:
            return None
        now = self._time.now()
        version = "2" if changed else "1"
        return Stored(activation=an_activation(), version=version, written_at=now, read_at=now)


def wait(reads: Reads, time: FakeTime, seconds: float, seen: str = "1") -> Stored | None:
    return wait_until_changed(
        reads, seen=seen, seconds=seconds, sleep=time.sleep, monotonic=time.monotonic
    )


def test_a_wait_of_30_s_reads_as_often_as_the_docstring_says(time: FakeTime) -> None:
    said = re.search(r"wait of 30 s is (\d+) reads", " ".join((waiting.__doc__ or "").split()))
    assert said
    reads = Reads(time)
    wait(reads, time, 30)
    assert len(reads.at) == int(said[1])


def test_what_has_changed_already_is_returned_at_the_first_look(time: FakeTime) -> None:
    found = wait(Reads(time), time, 30, seen="0")
    assert found is not None
    assert found.version == "1"
    assert time.slept == [0.1]


@pytest.mark.parametrize("changes_at", [0.04, 1, 7.3, 29.9])
def test_a_change_ends_the_wait_within_a_second(time: FakeTime, changes_at: float) -> None:
    found = wait(Reads(time, changes_at=changes_at), time, 30)
    assert found is not None
    assert found.version == "2"
    assert changes_at <= time.passed < changes_at + 1


def test_an_answer_of_the_library_is_seen_within_100_ms(time: FakeTime) -> None:
    wait(Reads(time, changes_at=0.01), time, 30)
    assert time.passed == pytest.approx(0.1)


def test_being_told_to_stop_ends_the_wait_with_what_is_there(time: FakeTime) -> None:
    stop = Event()

    def sleep(seconds: float) -> None:
        time.sleep(seconds)
        if time.passed > 2:
            stop.set()

    found = wait_until_changed(
        Reads(time), seen="1", seconds=30, stop=stop, sleep=sleep, monotonic=time.monotonic
    )
    assert found is not None
    assert 2 < time.passed < 3


def test_who_sleeps_is_woken_up_to_stop(time: FakeTime) -> None:
    stop = Event()
    stop.set()
    reads = Reads(time)
    wait_until_changed(reads, seen="1", seconds=3600, stop=stop)
    assert len(reads.at) == 1


def test_an_erasure_ends_the_wait_with_none(time: FakeTime) -> None:
    assert wait(Reads(time, changes_at=1, erased=True), time, 30) is None
    assert time.passed < 2


@pytest.mark.parametrize("seconds", [0.01, 0.5, 2.5, 30])
def test_without_a_change_it_ends_on_time(time: FakeTime, seconds: float) -> None:
    wait(Reads(time), time, seconds)
    assert time.passed == pytest.approx(seconds)


def test_without_a_change_it_returns_what_is_there(time: FakeTime) -> None:
    found = wait(Reads(time), time, 3)
    assert found is not None
    assert found.version == "1"


def test_it_looks_once_more_at_the_very_end(time: FakeTime) -> None:
    reads = Reads(time)
    wait(reads, time, 3)
    assert reads.at[-1] == pytest.approx(3)


@pytest.mark.parametrize("seconds", [0, -1])
def test_no_time_left_is_one_look(time: FakeTime, seconds: float) -> None:
    reads = Reads(time)
    wait(reads, time, seconds)
    assert reads.at == [0]


def test_pauses_never_shrink_before_the_last_one(time: FakeTime) -> None:
    wait(Reads(time), time, 30)
    assert time.slept[:-1] == sorted(time.slept[:-1])


def test_no_pause_is_longer_than_a_second(time: FakeTime) -> None:
    wait(Reads(time), time, 30)
    assert max(time.slept) == 1


def test_while_gemini_writes_a_look_comes_after_a_tenth_of_the_wait(time: FakeTime) -> None:
    reads = Reads(time)
    wait(reads, time, 8)
    late = [b - a for a, b in itertools.pairwise(reads.at[:-1]) if a >= 4]
    assert late
    assert all(0.4 <= pause <= 0.8 for pause in late)
