"""A task at an interval: at once, from start to start, whatever it raises, until it is stopped."""

import threading

from structlog.testing import capture_logs

from shared.periodic import Periodic
from tests.doubles import FakeTime


class FakeEvent(threading.Event):
    """Waiting only moves the clock; set after so many waits."""

    def __init__(self, time: FakeTime, waits: int) -> None:
        super().__init__()
        self._time = time
        self._waits = waits

    def wait(self, timeout: float | None = None) -> bool:
        self._time.sleep(timeout or 0)
        if len(self._time.slept) == self._waits:
            self.set()
        return self.is_set()


def run(periodic: Periodic) -> None:
    periodic.start()
    periodic._thread.join(30)
    assert not periodic.runs


def test_it_calls_at_once_and_then_at_the_interval(time: FakeTime) -> None:
    called: list[float] = []
    stopping = FakeEvent(time, waits=3)
    run(
        Periodic(
            "sweep",
            60,
            lambda: called.append(time.passed),
            stopping=stopping,
            monotonic=time.monotonic,
        )
    )
    assert called == [0, 60, 120]


def test_the_interval_counts_from_start_to_start(time: FakeTime) -> None:
    called: list[float] = []
    durations = iter([50, 70, 0])

    def work() -> None:
        called.append(time.passed)
        time.advance(next(durations))

    run(Periodic("sweep", 60, work, stopping=FakeEvent(time, 3), monotonic=time.monotonic))
    assert called == [0, 60, 130]


def test_an_error_is_logged_and_the_next_call_comes(time: FakeTime) -> None:
    def fail() -> None:
        raise ValueError("what a user wrote")

    with capture_logs() as logs:
        run(Periodic("sweep", 60, fail, stopping=FakeEvent(time, 2), monotonic=time.monotonic))
    line = {"event": "periodic.failed", "task": "sweep", "error": "ValueError"}
    assert logs == [{**line, "log_level": "warning"}] * 2


def test_after_a_stop_it_runs_until_the_call_that_is_under_way_is_over() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        go_on.wait(30)

    periodic = Periodic("sweep", 3600, work)
    periodic.start()
    assert begun.wait(30)
    periodic.stop()
    assert periodic.runs
    go_on.set()
    periodic._thread.join(30)
    assert not periodic.runs
