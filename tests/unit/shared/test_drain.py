"""The end of a process: which step comes when, and that none outlasts the grace."""

import os
import signal
import threading
import time

import pytest

from shared import drain
from shared.drain import (
    EXPORT_AFTER_SECONDS,
    GIVE_BACK_AFTER_SECONDS,
    GRACE_SECONDS,
    Drain,
    StopSignals,
)
from shared.telemetry.export import END_SECONDS

CLOUD_RUN_KILLS_AFTER_SECONDS = 10


def recording(order: list[str]) -> Drain:
    return Drain(
        end_waits=lambda: order.append("waits end"),
        give_back=lambda: order.append("given back"),
        export_rest=lambda: order.append("exported"),
    )


def test_what_is_finished_in_time_is_not_given_back() -> None:
    order: list[str] = []
    recording(order).run(lambda _: True)
    assert order == ["waits end", "exported"]


def test_what_is_not_finished_in_time_is_given_back_before_the_rest_is_exported() -> None:
    order: list[str] = []

    def never(seconds: float) -> bool:
        order.append("time to finish" if seconds else "no time")
        return False

    recording(order).run(never)
    assert order == ["waits end", "time to finish", "given back", "time to finish", "exported"]


def test_work_has_its_time_to_finish_first() -> None:
    given: list[float] = []

    def never(seconds: float) -> bool:
        given.append(seconds)
        return False

    Drain().run(never)
    first, second = given
    assert first == GIVE_BACK_AFTER_SECONDS
    assert second <= EXPORT_AFTER_SECONDS


def test_a_step_that_hangs_does_not_outlast_the_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drain, "GRACE_SECONDS", 0.1)
    released = threading.Event()
    try:
        Drain(give_back=released.wait, export_rest=released.wait).run(lambda _: False)
        assert not released.is_set()
    finally:
        released.set()


def test_the_steps_come_in_this_order_and_end_before_cloud_run_kills() -> None:
    assert GIVE_BACK_AFTER_SECONDS < EXPORT_AFTER_SECONDS < GRACE_SECONDS
    assert GRACE_SECONDS < CLOUD_RUN_KILLS_AFTER_SECONDS


def test_the_export_of_the_rest_has_the_time_that_it_may_take() -> None:
    assert EXPORT_AFTER_SECONDS + END_SECONDS <= GRACE_SECONDS


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_noted_and_wakes_the_main_thread_each_time(number: int) -> None:
    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}
    woken: list[float] = []
    try:
        signals = StopSignals(wake=lambda: woken.append(time.monotonic()))
        for _ in range(2):
            os.kill(os.getpid(), number)
        assert signals.came
        assert len(woken) == 2
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
