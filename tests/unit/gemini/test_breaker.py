"""The circuit breaker: opens on provider failures, probes, closes."""

import threading

import pytest

from tests.doubles import ScriptedGemini
from tests.support.eventually import eventually
from worker.gemini.breaker import BreakingGemini
from worker.gemini.port import (
    Blocked,
    CircuitOpen,
    GeminiError,
    InvalidOutput,
    Misconfigured,
    ProcessEnds,
    StepRequest,
    Unavailable,
    reason_of,
)
from worker.gemini.retrying import RetryingGemini, RetryPolicy

REQUEST = StepRequest(mood=2, goal="komma igång", language="sv")
FAILURES = 5
LONG, SHORT = 3600.0, 0.05


def call(breaking: BreakingGemini, times: int = 1) -> list[str]:
    """What each call ended in."""
    ended = []
    for _ in range(times):
        try:
            breaking.generate(REQUEST, seconds=5)
            ended.append("step")
        except GeminiError as error:
            ended.append(reason_of(error))
    return ended


def failing(times: int) -> ScriptedGemini:
    return ScriptedGemini(*[Unavailable("503") for _ in range(times)])


def breaker(inner: ScriptedGemini, recovery_seconds: float = LONG) -> BreakingGemini:
    return BreakingGemini(inner, failures=FAILURES, recovery_seconds=recovery_seconds)


def test_after_so_many_failures_in_a_row_nothing_is_asked_any_more() -> None:
    inner = failing(100)
    assert call(breaker(inner), 9) == ["unavailable"] * FAILURES + ["circuit_open"] * 4
    assert len(inner.requests) == FAILURES


def test_a_success_in_between_starts_the_count_again() -> None:
    inner = ScriptedGemini(*[Unavailable("503")] * 4, lambda: None, *[Unavailable("503")] * 4)
    breaking = breaker(inner)
    call(breaking, 9)
    assert breaking.state == "closed"


@pytest.mark.parametrize(
    "error",
    [
        Blocked("SAFETY"),
        InvalidOutput("no JSON"),
        Misconfigured("403"),
        Unavailable("429", reason="quota", retry_after=3),
    ],
    ids=["blocked", "invalid", "misconfigured", "quota"],
)
def test_what_is_not_the_providers_fault_never_opens_it(error: GeminiError) -> None:
    inner = ScriptedGemini(*[error] * 50)
    breaking = breaker(inner)
    call(breaking, 50)
    assert breaking.state == "closed"
    assert len(inner.requests) == 50


def test_when_the_probe_succeeds_it_closes() -> None:
    inner = failing(FAILURES)
    breaking = breaker(inner, SHORT)
    call(breaking, FAILURES)
    eventually(lambda: breaking.state == "half_open")
    assert call(breaking) == ["step"]
    assert breaking.state == "closed"


def test_when_the_probe_fails_it_opens_again_after_that_one_call() -> None:
    inner = failing(FAILURES + 1)
    breaking = breaker(inner, 1.0)
    call(breaking, FAILURES)
    eventually(lambda: breaking.state == "half_open")
    assert call(breaking, 3) == ["unavailable", "circuit_open", "circuit_open"]
    assert len(inner.requests) == FAILURES + 1


def test_half_open_one_probe_at_a_time_is_let_through() -> None:
    held, probing = threading.Event(), threading.Event()

    def slow() -> None:
        probing.set()
        held.wait(30)

    inner = ScriptedGemini(*[Unavailable("503")] * FAILURES, slow)
    breaking = breaker(inner, SHORT)
    call(breaking, FAILURES)
    eventually(lambda: breaking.state == "half_open")
    probe = threading.Thread(target=call, args=(breaking,))
    probe.start()
    assert probing.wait(30)
    with pytest.raises(CircuitOpen):
        breaking.generate(REQUEST, seconds=5)
    held.set()
    probe.join()
    assert breaking.state == "closed"


def test_it_holds_no_call_back_while_another_one_runs() -> None:
    both_there = threading.Barrier(2, timeout=30)

    def together() -> None:
        both_there.wait()

    inner = ScriptedGemini(together, together)
    breaking = breaker(inner)
    callers = [threading.Thread(target=call, args=(breaking,)) for _ in range(2)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert not both_there.broken
    assert len(inner.requests) == 2


def test_under_sustained_failure_hardly_any_call_is_a_retry() -> None:
    """Of 1,000 activations while Gemini is down: five calls, then none."""
    inner = failing(10_000)
    call(breaker(inner), 1000)
    assert len(inner.requests) == FAILURES


def quota() -> Unavailable:
    return Unavailable("429", reason="quota", retry_after=3)


def test_a_quota_between_failures_does_not_start_the_count_again() -> None:
    inner = ScriptedGemini(*[Unavailable("503")] * 4, quota(), Unavailable("503"))
    breaking = breaker(inner)
    call(breaking, 6)
    assert breaking.state == "open"


def test_a_quota_as_the_answer_to_a_probe_does_not_close_it() -> None:
    inner = ScriptedGemini(*[Unavailable("503")] * FAILURES, quota())
    breaking = breaker(inner, SHORT)
    call(breaking, FAILURES)
    eventually(lambda: breaking.state == "half_open")
    assert call(breaking) == ["quota"]
    assert breaking.state == "half_open"


def test_once_the_claims_were_given_back_gemini_is_called_no_more() -> None:
    given_back = threading.Event()
    inner = ScriptedGemini()
    gemini = BreakingGemini(inner, failures=3, recovery_seconds=30, given_back=given_back)
    given_back.set()
    policy = RetryPolicy(attempts=3, attempt_seconds=20, max_sleep_seconds=5)
    with pytest.raises(ProcessEnds):
        RetryingGemini(gemini, policy).generate(REQUEST, seconds=60)
    assert inner.requests == []
