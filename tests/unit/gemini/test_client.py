"""One model and its client: which errors are tried again, how often, for how long, at what cost."""

import threading
from datetime import timedelta

import pytest

from shared.domain.activation import Usage
from tests.builders import NOON
from tests.doubles import FakeTime, ScriptedGemini
from tests.unit.gemini.clients import REQUEST, SlowGemini, a_client
from worker.gemini.plan import MIN_DEADLINE_SECONDS
from worker.gemini.port import (
    Blocked,
    CircuitOpen,
    GeminiError,
    InvalidOutput,
    KeyRefused,
    Misconfigured,
    ModelNotFound,
    NoTimeLeft,
    ProcessEnds,
    Unavailable,
    reason_of,
)

ONE_CALL = Usage(gemini_calls=1, prompt_tokens=3, gemini_ms=7)


def unavailable(retry_after: float | None = None) -> Unavailable:
    return Unavailable("503", retry_after=retry_after, usage=ONE_CALL)


def invalid() -> InvalidOutput:
    return InvalidOutput("/duration: less_than_equal", usage=ONE_CALL)


# Which errors, and how often


def test_a_passing_failure_is_tried_again(time: FakeTime) -> None:
    inner = ScriptedGemini(unavailable(), unavailable())
    a_client(time, inner).generate(REQUEST, seconds=70)
    assert len(inner.requests) == 3


def test_after_the_last_attempt_the_error_is_raised(time: FakeTime) -> None:
    inner = ScriptedGemini(*[unavailable() for _ in range(9)])
    with pytest.raises(Unavailable):
        a_client(time, inner).generate(REQUEST, seconds=70)
    assert len(inner.requests) == 3


@pytest.mark.parametrize(
    "error", [Blocked("x"), Misconfigured("400"), KeyRefused("x"), ModelNotFound("x")]
)
def test_what_would_fail_again_is_not_tried_again(time: FakeTime, error: GeminiError) -> None:
    inner = ScriptedGemini(error)
    with pytest.raises(type(error)):
        a_client(time, inner).generate(REQUEST, seconds=70)
    assert len(inner.requests) == 1
    assert time.slept == []


def test_the_model_is_told_what_was_wrong_with_its_answer(time: FakeTime) -> None:
    inner = ScriptedGemini(invalid())
    a_client(time, inner).generate(REQUEST, seconds=70)
    first, second = inner.requests
    assert (first.complaint, second.complaint) == (None, "/duration: less_than_equal")
    assert second.goal == first.goal


def test_a_second_invalid_answer_is_the_last(time: FakeTime) -> None:
    inner = ScriptedGemini(*[invalid() for _ in range(9)])
    with pytest.raises(InvalidOutput):
        a_client(time, inner, attempts=9).generate(REQUEST, seconds=700)
    assert len(inner.requests) == 2


def test_the_repair_is_one_of_the_attempts(time: FakeTime) -> None:
    inner = ScriptedGemini(unavailable(), unavailable(), invalid())
    with pytest.raises(InvalidOutput):
        a_client(time, inner).generate(REQUEST, seconds=70)
    assert len(inner.requests) == 3


def test_a_failed_repair_is_tried_again_as_a_repair(time: FakeTime) -> None:
    inner = ScriptedGemini(invalid(), unavailable())
    a_client(time, inner).generate(REQUEST, seconds=70)
    assert [request.complaint is None for request in inner.requests] == [True, False, False]


# Pauses


def test_the_pauses_are_jittered_and_bounded_by_the_doubling_backoff(time: FakeTime) -> None:
    for _ in range(200):
        inner = ScriptedGemini(unavailable(), unavailable())
        a_client(time, inner).generate(REQUEST, seconds=70)
    first, second = time.slept[::2], time.slept[1::2]
    assert all(0 <= pause <= 1 for pause in first)
    assert all(0 <= pause <= 2 for pause in second)
    # Full jitter: small and large ones both occur.
    assert min(second) < 0.5
    assert max(second) > 1.5


def test_a_pause_that_was_asked_for_is_kept_to_the_second(time: FakeTime) -> None:
    inner = ScriptedGemini(unavailable(retry_after=4.5))
    a_client(time, inner).generate(REQUEST, seconds=70)
    assert time.slept == [4.5]


def test_a_pause_longer_than_a_thread_may_be_held_is_handed_back_at_once(time: FakeTime) -> None:
    inner = ScriptedGemini(unavailable(retry_after=53))
    with pytest.raises(Unavailable) as raised:
        a_client(time, inner).generate(REQUEST, seconds=70)
    assert raised.value.retry_after == 53
    assert len(inner.requests) == 1
    assert time.slept == []


def test_a_pause_of_nothing_is_no_reason_to_drop_the_backoff(time: FakeTime) -> None:
    for _ in range(50):
        inner = ScriptedGemini(unavailable(retry_after=0), unavailable(retry_after=0))
        a_client(time, inner).generate(REQUEST, seconds=70)
    assert sum(time.slept) > 1


# Time


def test_each_attempt_gets_its_timeout_and_the_last_one_only_what_is_left(time: FakeTime) -> None:
    inner = ScriptedGemini(unavailable(retry_after=5), unavailable(retry_after=5))
    a_client(time, inner).generate(REQUEST, seconds=25)
    assert inner.seconds == [20, 20, 15]


def test_a_repair_gets_an_attempts_time_and_not_all_that_is_left(time: FakeTime) -> None:
    inner = ScriptedGemini(invalid())
    a_client(time, inner).generate(REQUEST, seconds=70)
    assert inner.seconds == [20, 20]


@pytest.mark.parametrize("error", [unavailable(), invalid()], ids=["a retry", "a repair"])
def test_no_call_begins_with_less_time_than_gemini_accepts(
    time: FakeTime, error: GeminiError
) -> None:
    inner = SlowGemini(time, 20, error)
    with pytest.raises(type(error)):
        a_client(time, inner).generate(REQUEST, seconds=20 + MIN_DEADLINE_SECONDS - 0.1)
    assert len(inner.requests) == 1


@pytest.mark.parametrize("seconds", [-3.0, 0.0, 9.9])
def test_with_too_little_time_for_one_call_the_deadline_is_the_reason(
    time: FakeTime, seconds: float
) -> None:
    inner = ScriptedGemini()
    with pytest.raises(NoTimeLeft) as raised:
        a_client(time, inner).generate(REQUEST, seconds=seconds)
    assert reason_of(raised.value) == "deadline"
    assert inner.requests == []


@pytest.mark.parametrize("attempt_seconds", [2, 4, MIN_DEADLINE_SECONDS])
def test_a_shorter_timeout_lowers_the_floor_to_half_of_it(
    time: FakeTime, attempt_seconds: float
) -> None:
    """With one attempt the budget is one timeout, and a little of it has always passed."""
    inner = ScriptedGemini()
    client = a_client(time, inner, attempt_seconds=attempt_seconds)
    client.generate(REQUEST, seconds=attempt_seconds - 0.001)
    assert inner.seconds == [attempt_seconds - 0.001]
    with pytest.raises(NoTimeLeft):
        client.generate(REQUEST, seconds=attempt_seconds / 2 - 0.001)


# A process that ends


def test_once_the_claims_were_given_back_nobody_is_called(time: FakeTime) -> None:
    given_back = threading.Event()
    given_back.set()
    inner = ScriptedGemini()
    with pytest.raises(ProcessEnds):
        a_client(time, inner, given_back=given_back).generate(REQUEST, seconds=60)
    assert inner.requests == []


@pytest.mark.parametrize("error", [unavailable(), invalid()], ids=["a retry", "a repair"])
def test_no_retry_goes_on_after_the_claims_were_given_back(
    time: FakeTime, error: GeminiError
) -> None:
    given_back = threading.Event()

    def given_back_meanwhile() -> None:
        given_back.set()
        raise error

    inner = ScriptedGemini(given_back_meanwhile)
    with pytest.raises(ProcessEnds) as raised:
        a_client(time, inner, given_back=given_back).generate(REQUEST, seconds=60)
    assert len(inner.requests) == 1
    assert raised.value.usage.gemini_calls == 1


# What it cost


def test_the_usage_is_the_sum_of_all_calls(time: FakeTime) -> None:
    inner = ScriptedGemini(unavailable(), invalid())
    generated = a_client(time, inner).generate(REQUEST, seconds=70)
    assert (generated.usage.gemini_calls, generated.usage.gemini_ms) == (3, 7 + 7 + 30)
    assert generated.usage.prompt_tokens == 3 + 3 + 10


def test_an_error_says_what_was_spent_on_the_way_to_it(time: FakeTime) -> None:
    inner = ScriptedGemini(*[unavailable() for _ in range(3)])
    with pytest.raises(Unavailable) as raised:
        a_client(time, inner).generate(REQUEST, seconds=70)
    assert raised.value.usage == ONE_CALL.plus(ONE_CALL).plus(ONE_CALL)
    assert raised.value.usage_by_model == {"m1": raised.value.usage}


def test_each_call_is_listed_with_its_time_model_outcome_and_duration(time: FakeTime) -> None:
    inner = ScriptedGemini(unavailable(retry_after=4), invalid(), model="m1-001")
    generated = a_client(time, inner).generate(REQUEST, seconds=70)
    later = NOON + timedelta(seconds=4)
    assert [(one.at, one.model, one.outcome, one.ms) for one in generated.attempts] == [
        (NOON, "m1", "unavailable", 7),
        (later, "m1", "invalid_output", 7),
        (later, "m1-001", "ok", 30),  # as it names itself
    ]


def test_a_call_that_the_breaker_refused_is_none(time: FakeTime) -> None:
    client = a_client(time, ScriptedGemini(unavailable(), unavailable()), failures=1)
    with pytest.raises(CircuitOpen) as raised:
        client.generate(REQUEST, seconds=70)
    assert [one.outcome for one in raised.value.attempts] == ["unavailable"]
    with pytest.raises(CircuitOpen) as again:
        client.generate(REQUEST, seconds=70)
    assert (again.value.attempts, again.value.usage) == ((), Usage())
