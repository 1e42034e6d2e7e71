"""Two models: after which answer of the first the second is asked, and how that ends."""

import pytest

from tests.doubles import FakeTime, ScriptedGemini
from tests.unit.gemini.clients import REQUEST, SlowGemini, a_client
from worker.gemini.port import (
    Blocked,
    CircuitOpen,
    GeminiError,
    InvalidOutput,
    KeyRefused,
    Misconfigured,
    ModelNotFound,
    Unavailable,
)


def quota(retry_after: float | None = 53) -> Unavailable:
    return Unavailable("429", reason="quota", retry_after=retry_after)


def overloaded(retry_after: float | None = None) -> Unavailable:
    return Unavailable("503", retry_after=retry_after)


def invalid() -> InvalidOutput:
    return InvalidOutput("/title")


def asked(
    time: FakeTime, first: list[GeminiError], second: list[GeminiError], *, attempts: int = 3
) -> str:
    """Which models were asked, in order: as "112"; then how it ended, if not with a step."""
    adapters = ScriptedGemini(*first, model="m1"), ScriptedGemini(*second, model="m2")
    try:
        answer = a_client(time, *adapters, attempts=attempts).generate(REQUEST, seconds=700)
    except GeminiError as error:
        listed = "".join((one.model or "")[1:] for one in error.attempts)
        return f"{listed} {type(error).__name__}"
    return "".join((one.model or "")[1:] for one in answer.attempts)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ([], [], "1"),
        ([quota()], [], "12"),
        ([quota(retry_after=2)], [], "12"),
        ([quota(retry_after=None)], [], "12"),
        ([quota(retry_after=86_400)], [], "12"),
        ([ModelNotFound("404")], [], "12"),
        ([overloaded()], [], "11"),
        ([overloaded(), overloaded()], [], "112"),
        ([overloaded(retry_after=30)], [], "12"),
        ([overloaded(), quota()], [], "112"),
        ([invalid()], [], "11"),
        ([invalid(), invalid()], [], "112"),
        ([overloaded(), invalid()], [], "112"),
        ([quota()], [invalid()], "122"),
        ([quota()], [overloaded()], "122"),
        ([quota()], [quota(retry_after=2)], "122"),
        ([quota()], [overloaded(), overloaded()], "122 Unavailable"),
        ([quota()], [ModelNotFound("404")], "12 Unavailable"),
        ([ModelNotFound("404")], [ModelNotFound("404")], "12 ModelNotFound"),
        ([Blocked("SAFETY")], [], "1 Blocked"),
        ([KeyRefused("API_KEY_INVALID")], [], "1 KeyRefused"),
        ([Misconfigured("400")], [], "1 Misconfigured"),
        ([quota()], [Blocked("SAFETY")], "12 Blocked"),
        ([quota()], [KeyRefused("API_KEY_INVALID")], "12 KeyRefused"),
    ],
)
def test_each_answer_leads_to_the_next_call(
    time: FakeTime, first: list[GeminiError], second: list[GeminiError], expected: str
) -> None:
    assert asked(time, first, second) == expected


def test_where_one_call_is_left_after_a_failure_it_is_the_second_models(time: FakeTime) -> None:
    assert asked(time, [overloaded()], [], attempts=2) == "12"
    assert asked(time, [invalid()], [], attempts=2) == "12"


def test_the_calls_of_both_models_together_are_capped(time: FakeTime) -> None:
    first, second = ScriptedGemini(), ScriptedGemini()
    for model in (first, second):
        model.plan(*[overloaded() for _ in range(9)])
    with pytest.raises(Unavailable):
        a_client(time, first, second, attempts=4).generate(REQUEST, seconds=700)
    assert (len(first.requests), len(second.requests)) == (2, 2)


def test_the_second_model_is_asked_without_a_pause(time: FakeTime) -> None:
    asked(time, [quota(retry_after=4)], [])
    assert sum(time.slept) == 0


def test_the_second_model_is_told_nothing_of_the_firsts_answer(time: FakeTime) -> None:
    second = ScriptedGemini()
    a_client(time, ScriptedGemini(invalid(), invalid()), second).generate(REQUEST, seconds=70)
    assert [request.complaint for request in second.requests] == [None]


def test_both_out_of_quota_end_in_the_shorter_pause(time: FakeTime) -> None:
    client = a_client(time, ScriptedGemini(quota(53)), ScriptedGemini(quota(30)))
    with pytest.raises(Unavailable) as raised:
        client.generate(REQUEST, seconds=70)
    assert (raised.value.reason, raised.value.retry_after) == ("quota", 30)


def test_the_pause_of_the_first_counts_from_its_answer_whatever_the_second_fails_with(
    time: FakeTime,
) -> None:
    second = SlowGemini(time, 10, invalid(), invalid())
    client = a_client(time, ScriptedGemini(quota(53)), second)
    with pytest.raises(Unavailable) as raised:
        client.generate(REQUEST, seconds=70)
    assert (raised.value.reason, raised.value.retry_after) == ("quota", 33)


def test_an_open_breaker_of_the_first_costs_the_second_no_call(time: FakeTime) -> None:
    first, second = ScriptedGemini(overloaded()), ScriptedGemini(model="m2")
    client = a_client(time, first, second, failures=1)
    client.generate(REQUEST, seconds=70)
    answer = client.generate(REQUEST, seconds=70)
    assert [one.model for one in answer.attempts] == ["m2"]
    assert len(first.requests) == 1


def test_a_second_model_with_an_open_breaker_is_passed_over(time: FakeTime) -> None:
    """The first one keeps the calls that are left, and its pause is slept."""
    first = ScriptedGemini(quota(), quota(retry_after=2))
    client = a_client(time, first, ScriptedGemini(overloaded()), failures=1)
    with pytest.raises(Unavailable):
        client.generate(REQUEST, seconds=70)
    answer = client.generate(REQUEST, seconds=70)
    assert [one.outcome for one in answer.attempts] == ["quota", "ok"]
    assert client.health().breakers == {"m1": "closed", "m2": "open"}
    assert time.slept[-1] == 2


def test_with_both_breakers_open_nobody_is_called(time: FakeTime) -> None:
    first, second = ScriptedGemini(overloaded()), ScriptedGemini(overloaded())
    client = a_client(time, first, second, failures=1)
    for _ in range(2):
        with pytest.raises(CircuitOpen):
            client.generate(REQUEST, seconds=70)
    assert (len(first.requests), len(second.requests)) == (1, 1)
    assert client.health().breakers == {"m1": "open", "m2": "open"}


def test_each_models_usage_is_its_own(time: FakeTime) -> None:
    second = ScriptedGemini(invalid(), model="m2")
    answer = a_client(time, ScriptedGemini(quota()), second).generate(REQUEST, seconds=70)
    assert {name: usage.prompt_tokens for name, usage in answer.usage_by_model.items()} == {
        "m1": 0,
        "m2": 10,
    }


def test_after_a_raised_flag_nobody_is_asked_and_no_pause_is_kept(time: FakeTime) -> None:
    """The first model's pause is not over, and would put off the care."""
    flagged = InvalidOutput("/title", person_may_be_at_risk=True)
    assert asked(time, [quota()], [flagged]) == "12 InvalidOutput"
