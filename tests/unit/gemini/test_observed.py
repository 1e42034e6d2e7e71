"""What is traced and counted of Gemini: each call, what it cost, and nothing that was said."""

import pytest

from shared.domain.activation import Usage
from shared.domain.profile import Profile
from tests.doubles import FakeTime, ScriptedGemini
from tests.support.recorded_telemetry import Recorded
from worker.gemini.observed import TimedGemini, TracedGemini
from worker.gemini.port import (
    Blocked,
    Gemini,
    GeminiError,
    InvalidOutput,
    Misconfigured,
    StepRequest,
    Unavailable,
)
from worker.gemini.retrying import RetryingGemini, RetryPolicy

CANARY = "secret-canary"
PAID = Usage(gemini_calls=1, prompt_tokens=7)


def ask(gemini: Gemini) -> None:
    profile = Profile.model_validate({"focusArea": CANARY})
    request = StepRequest(mood=2, goal=CANARY, language="sv", profile=profile)
    gemini.generate(request, seconds=10)


def test_a_call_counts_its_tokens_by_direction(recorded: Recorded) -> None:
    ask(TracedGemini(ScriptedGemini(), "gemini-x"))
    assert sorted(recorded.points("innerjourney.gemini.tokens"), key=str) == [
        ({"model": "gemini-x", "direction": "input"}, 10),
        ({"model": "gemini-x", "direction": "output"}, 20),
    ]


@pytest.mark.parametrize(
    ("error", "kind", "outcome"),
    [
        (Unavailable("429", reason="quota", usage=PAID), "Unavailable", "quota"),
        (Unavailable("ReadTimeout", reason="timeout", usage=PAID), "Unavailable", "timeout"),
        (Blocked("prompt: SAFETY", usage=PAID), "Blocked", "blocked"),
        (InvalidOutput("/duration", usage=PAID), "InvalidOutput", "invalid_output"),
        (Misconfigured("403", usage=PAID), "Misconfigured", "misconfigured"),
    ],
)
def test_a_call_that_fails_is_counted_and_traced_by_why(
    recorded: Recorded, error: GeminiError, kind: str, outcome: str
) -> None:
    with pytest.raises(type(error)):
        ask(TracedGemini(ScriptedGemini(error), "gemini-x"))
    called = {"model": "gemini-x", "outcome": outcome}
    assert recorded.points("innerjourney.gemini.calls") == [(called, 1)]
    attributes = recorded.one("gemini").attributes or {}
    assert (attributes["error.type"], attributes["innerjourney.reason"]) == (kind, outcome)
    assert attributes["gen_ai.usage.input_tokens"] == 7


def test_each_attempt_is_a_span_of_its_own(recorded: Recorded) -> None:
    time = FakeTime()
    traced = TracedGemini(ScriptedGemini(Unavailable("503"), Unavailable("503")), "gemini-x")
    policy = RetryPolicy(attempts=3, attempt_seconds=5, max_sleep_seconds=1)
    ask(RetryingGemini(traced, policy, sleep=time.sleep, monotonic=time.monotonic))
    assert [span.name for span in recorded.spans] == ["gemini"] * 3


def test_the_time_of_a_claim_with_gemini_is_measured(recorded: Recorded) -> None:
    time = FakeTime()
    inner = ScriptedGemini(lambda: time.advance(2.5))
    ask(TimedGemini(inner, monotonic=time.monotonic))
    assert recorded.points("innerjourney.generation.duration") == [({"outcome": "ok"}, 2.5)]


def test_a_claim_that_ends_without_a_step_is_measured_by_why(recorded: Recorded) -> None:
    with pytest.raises(Blocked):
        ask(TimedGemini(ScriptedGemini(Blocked("SAFETY")), monotonic=lambda: 0.0))
    assert recorded.points("innerjourney.generation.duration") == [({"outcome": "blocked"}, 0)]


def test_nothing_that_was_asked_or_answered_is_recorded(recorded: Recorded) -> None:
    ask(TimedGemini(TracedGemini(ScriptedGemini(), "gemini-x")))
    assert "gemini-x" in recorded.everything
    assert CANARY not in recorded.everything
    assert "Ett glas vatten" not in recorded.everything


def test_without_telemetry_it_generates_all_the_same() -> None:
    inner = ScriptedGemini()
    ask(TimedGemini(TracedGemini(inner, "gemini-x")))
    assert len(inner.requests) == 1
