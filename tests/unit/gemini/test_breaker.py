"""The circuit breaker: opens when a model keeps failing, probes, closes; late results are stale."""

import threading
from contextlib import suppress

import pytest
from structlog.testing import capture_logs

from tests.support.eventually import eventually
from worker.gemini.breaker import Breaker
from worker.gemini.port import (
    Blocked,
    CircuitOpen,
    GeminiError,
    InvalidOutput,
    Misconfigured,
    Unavailable,
    reason_of,
)

FAILURES = 5
LONG, SHORT = 3600.0, 0.05

OVERLOADED = Unavailable("503")
QUOTA = Unavailable("429", reason="quota", retry_after=3)
NO_FAILURES = [Blocked("SAFETY"), InvalidOutput("no JSON"), Misconfigured("400"), None]
"""Gemini answered; None is a step."""


def a_breaker(recovery_seconds: float = LONG) -> Breaker:
    return Breaker("m", failures=FAILURES, recovery_seconds=recovery_seconds)


def call(breaker: Breaker, *outcomes: GeminiError | None) -> list[str]:
    """What each call ended in."""
    ended = []
    for outcome in outcomes:
        try:
            with breaker.around_a_call():
                if outcome is not None:
                    raise outcome
            ended.append("step")
        except GeminiError as error:
            ended.append(reason_of(error))
    return ended


def half_open() -> Breaker:
    breaker = a_breaker(SHORT)
    call(breaker, *[OVERLOADED] * FAILURES)
    eventually(lambda: breaker.state == "half_open")
    return breaker


def test_after_so_many_failures_in_a_row_no_call_is_made_any_more() -> None:
    ended = call(a_breaker(), *[OVERLOADED] * 9)
    assert ended == ["unavailable"] * FAILURES + ["circuit_open"] * 4


def test_a_success_in_between_starts_the_count_again() -> None:
    breaker = a_breaker()
    call(breaker, *[OVERLOADED] * 4, None, *[OVERLOADED] * 4)
    assert breaker.state == "closed"


@pytest.mark.parametrize("error", [*NO_FAILURES[:3], QUOTA], ids=str)
def test_what_is_not_the_models_fault_never_opens_it(error: GeminiError) -> None:
    breaker = a_breaker()
    call(breaker, *[error] * 50)
    assert breaker.state == "closed"


def test_a_quota_between_failures_does_not_start_the_count_again() -> None:
    breaker = a_breaker()
    call(breaker, *[OVERLOADED] * 4, QUOTA, OVERLOADED)
    assert breaker.state == "open"


# Half open


def test_when_the_probe_succeeds_it_closes() -> None:
    breaker = half_open()
    assert call(breaker, None) == ["step"]
    assert breaker.state == "closed"


def test_when_the_probe_fails_it_opens_again_after_that_one_call() -> None:
    breaker = a_breaker(1.0)
    call(breaker, *[OVERLOADED] * FAILURES)
    eventually(lambda: breaker.state == "half_open")
    assert call(breaker, *[OVERLOADED] * 3) == ["unavailable", "circuit_open", "circuit_open"]


def test_a_quota_as_the_answer_to_a_probe_leaves_it_half_open_for_the_next_one() -> None:
    breaker = half_open()
    assert call(breaker, QUOTA) == ["quota"]
    assert breaker.state == "half_open"
    assert call(breaker, None) == ["step"]


def test_half_open_one_probe_at_a_time_is_let_through() -> None:
    breaker = half_open()
    with breaker.around_a_call(), pytest.raises(CircuitOpen), breaker.around_a_call():
        pass
    assert breaker.state == "closed"


# Late results


@pytest.mark.parametrize("late", NO_FAILURES, ids=str)
def test_a_late_result_of_a_call_that_began_before_it_opened_does_not_close_it(
    late: GeminiError | None,
) -> None:
    breaker = a_breaker()
    with suppress(GeminiError), breaker.around_a_call():
        call(breaker, *[OVERLOADED] * FAILURES)
        if late is not None:
            raise late
    assert breaker.state == "open"


def test_a_late_success_does_not_close_it_while_it_probes() -> None:
    breaker = a_breaker(SHORT)
    with breaker.around_a_call():
        call(breaker, *[OVERLOADED] * FAILURES)
        eventually(lambda: breaker.state == "half_open")
    assert breaker.state == "half_open"


def test_a_late_failure_does_not_count_once_it_has_closed_again() -> None:
    breaker = a_breaker(SHORT)
    with suppress(GeminiError), breaker.around_a_call():
        call(breaker, *[OVERLOADED] * FAILURES)
        eventually(lambda: breaker.state == "half_open")
        call(breaker, None, *[OVERLOADED] * (FAILURES - 1))
        raise OVERLOADED
    assert breaker.state == "closed"


# Threads


def test_it_holds_no_call_back_while_another_one_runs() -> None:
    breaker = a_breaker()
    both_there = threading.Barrier(2, timeout=30)

    def together() -> None:
        with breaker.around_a_call():
            both_there.wait()

    callers = [threading.Thread(target=together) for _ in range(2)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert not both_there.broken


def test_failures_of_many_threads_are_all_counted() -> None:
    threads, each = 8, 200
    breaker = Breaker("m", failures=threads * each, recovery_seconds=LONG)
    callers = [
        threading.Thread(target=call, args=(breaker, *[Unavailable("503")] * each))
        for _ in range(threads)
    ]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert breaker.state == "open"


# What is told


def test_each_change_is_logged_with_its_model_and_an_open_one_asks_for_a_human() -> None:
    with capture_logs() as logs:
        breaker = half_open()
        call(breaker, None)
    assert [(one["event"], one["model"], one["state"], one["alert"]) for one in logs] == [
        ("breaker.changed", "m", "open", True),
        ("breaker.changed", "m", "closed", False),
    ]
