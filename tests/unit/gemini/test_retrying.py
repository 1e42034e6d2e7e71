"""The one layer of retries: which errors, how often, how long."""

import pytest

from shared.domain.activation import Usage
from tests.doubles import FakeTime, ScriptedGemini
from worker.gemini.port import (
    Blocked,
    GeminiError,
    InvalidOutput,
    Misconfigured,
    StepRequest,
    Unavailable,
)
from worker.gemini.retrying import RetryingGemini, RetryPolicy

REQUEST = StepRequest(mood=2, goal="komma igång", language="sv")
ONE_CALL = Usage(gemini_calls=1, gemini_ms=7)
POLICY = RetryPolicy(attempts=3, attempt_seconds=20, max_sleep_seconds=5)


def retrying(inner: ScriptedGemini, time: FakeTime) -> RetryingGemini:
    return RetryingGemini(inner, POLICY, sleep=time.sleep, monotonic=time.monotonic)


def unavailable(retry_after: float | None = None) -> Unavailable:
    return Unavailable("503", retry_after=retry_after, usage=ONE_CALL)


def test_a_passing_failure_is_tried_again_and_every_call_is_counted(time: FakeTime) -> None:
    inner = ScriptedGemini(unavailable(), unavailable())
    generated = retrying(inner, time).generate(REQUEST, seconds=70)
    assert len(inner.requests) == 3
    assert generated.usage.gemini_calls == 3
    assert generated.usage.gemini_ms == 7 + 7 + 30


def test_after_the_last_attempt_the_error_is_raised_with_what_was_spent(time: FakeTime) -> None:
    inner = ScriptedGemini(*[unavailable() for _ in range(9)])
    with pytest.raises(Unavailable) as raised:
        retrying(inner, time).generate(REQUEST, seconds=70)
    assert len(inner.requests) == 3
    assert raised.value.usage.gemini_calls == 3


@pytest.mark.parametrize("error", [Blocked("x"), InvalidOutput("x"), Misconfigured("x")])
def test_what_would_fail_again_is_not_tried_again(time: FakeTime, error: GeminiError) -> None:
    inner = ScriptedGemini(error)
    with pytest.raises(type(error)):
        retrying(inner, time).generate(REQUEST, seconds=70)
    assert len(inner.requests) == 1
    assert time.slept == []


def test_the_pauses_are_jittered_and_bounded_by_the_doubling_backoff(time: FakeTime) -> None:
    for _ in range(200):
        inner = ScriptedGemini(unavailable(), unavailable())
        retrying(inner, time).generate(REQUEST, seconds=70)
    first, second = time.slept[::2], time.slept[1::2]
    assert all(0 <= pause <= 1 for pause in first)
    assert all(0 <= pause <= 2 for pause in second)
    # Full jitter: small and large ones both occur.
    assert min(second) < 0.5
    assert max(second) > 1.5


def test_a_pause_that_was_asked_for_is_kept_to_the_second(time: FakeTime) -> None:
    inner = ScriptedGemini(unavailable(retry_after=4.5))
    retrying(inner, time).generate(REQUEST, seconds=70)
    assert time.slept == [4.5]


def test_a_pause_longer_than_a_thread_may_be_held_is_handed_back_at_once(time: FakeTime) -> None:
    inner = ScriptedGemini(unavailable(retry_after=53))
    with pytest.raises(Unavailable) as raised:
        retrying(inner, time).generate(REQUEST, seconds=70)
    assert raised.value.retry_after == 53
    assert len(inner.requests) == 1
    assert time.slept == []


def test_each_attempt_gets_its_timeout_and_the_last_one_only_what_is_left(time: FakeTime) -> None:
    inner = ScriptedGemini(
        *[unavailable(retry_after=5), unavailable(retry_after=5)],
    )
    retrying(inner, time).generate(REQUEST, seconds=25)
    assert inner.seconds == [20, 20, 15]


def test_no_attempt_begins_when_the_time_is_over(time: FakeTime) -> None:
    inner = ScriptedGemini(*[unavailable(retry_after=5) for _ in range(9)])
    with pytest.raises(Unavailable):
        retrying(inner, time).generate(REQUEST, seconds=8)
    assert len(inner.requests) == 2
    assert time.passed == 5


def test_a_pause_of_nothing_is_no_reason_to_drop_the_backoff(time: FakeTime) -> None:
    for _ in range(50):
        inner = ScriptedGemini(unavailable(retry_after=0), unavailable(retry_after=0))
        retrying(inner, time).generate(REQUEST, seconds=70)
    assert sum(time.slept) > 1
