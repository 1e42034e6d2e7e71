"""An invalid answer is asked for once more, with the reason."""

import pytest

from shared.domain.activation import Usage
from tests.doubles import FakeTime, ScriptedGemini
from worker.gemini.port import Blocked, Generated, InvalidOutput, StepRequest, Unavailable
from worker.gemini.prompt import user_message
from worker.gemini.repairing import RepairingGemini

REQUEST = StepRequest(mood=2, goal="komma igång", language="sv")
ONE_CALL = Usage(gemini_calls=1, gemini_ms=7)


def repairing(inner: ScriptedGemini, time: FakeTime) -> RepairingGemini:
    return RepairingGemini(inner, again=inner, monotonic=time.monotonic)


def invalid() -> InvalidOutput:
    return InvalidOutput("/duration: less_than_equal", usage=ONE_CALL)


def test_the_model_is_told_what_was_wrong_and_both_calls_are_counted(time: FakeTime) -> None:
    inner = ScriptedGemini(invalid())
    generated = repairing(inner, time).generate(REQUEST, seconds=70)
    first, second = inner.requests
    assert first.complaint is None
    assert second.complaint == "/duration: less_than_equal"
    assert second.goal == first.goal
    assert generated.usage.gemini_calls == 2


def test_a_second_invalid_answer_is_the_last(time: FakeTime) -> None:
    inner = ScriptedGemini(invalid(), invalid(), invalid())
    with pytest.raises(InvalidOutput) as raised:
        repairing(inner, time).generate(REQUEST, seconds=70)
    assert len(inner.requests) == 2
    assert raised.value.usage.gemini_calls == 2


@pytest.mark.parametrize("error", [Blocked("SAFETY"), Unavailable("503")])
def test_only_an_invalid_answer_is_repaired(time: FakeTime, error: Exception) -> None:
    inner = ScriptedGemini(error)  # type: ignore[arg-type]  # both are GeneratorErrors
    with pytest.raises(type(error)):
        repairing(inner, time).generate(REQUEST, seconds=70)
    assert len(inner.requests) == 1


def test_the_second_call_gets_only_the_time_that_is_left(time: FakeTime) -> None:
    class Slow(ScriptedGemini):
        def generate(self, request: StepRequest, *, seconds: float) -> Generated:
            time.advance(30)
            return super().generate(request, seconds=seconds)

    inner = Slow(invalid())
    repairing(inner, time).generate(REQUEST, seconds=70)
    assert inner.seconds == [70, 40]


def test_when_the_time_is_over_nothing_is_repaired(time: FakeTime) -> None:
    class Slow(ScriptedGemini):
        def generate(self, request: StepRequest, *, seconds: float) -> Generated:
            time.advance(70)
            return super().generate(request, seconds=seconds)

    inner = Slow(invalid())
    with pytest.raises(InvalidOutput):
        repairing(inner, time).generate(REQUEST, seconds=70)
    assert len(inner.requests) == 1


def test_the_complaint_stands_behind_the_data_and_not_in_it() -> None:
    told = StepRequest(mood=2, goal="x", language="sv", complaint="/title: string_too_long")
    _, behind = user_message(told).split("</user_data>")
    assert "/title: string_too_long" in behind


def test_the_second_call_is_a_single_one_so_that_attempts_do_not_multiply(time: FakeTime) -> None:
    retried, once = ScriptedGemini(invalid()), ScriptedGemini(Unavailable("503"))
    repairing = RepairingGemini(retried, again=once, monotonic=time.monotonic)
    with pytest.raises(Unavailable):
        repairing.generate(REQUEST, seconds=70)
    assert (len(retried.requests), len(once.requests)) == (1, 1)
