"""What is traced, counted and told of Gemini's calls, and nothing that was said in them."""

import pytest
from structlog.testing import capture_logs

from shared.domain.activation import Usage
from shared.domain.profile import Profile
from tests.doubles import FakeTime, ScriptedGemini
from tests.support.recorded_telemetry import Recorded
from tests.unit.gemini.clients import REQUEST, SlowGemini, a_client
from worker.gemini.client import GeminiClient
from worker.gemini.port import (
    Blocked,
    Gemini,
    GeminiError,
    InvalidOutput,
    KeyRefused,
    Misconfigured,
    ModelNotFound,
    StepRequest,
    Unavailable,
)

CANARY = "secret-canary"
PAID = Usage(gemini_calls=1, prompt_tokens=7)


def ask(gemini: Gemini) -> None:
    profile = Profile.model_validate({"focusArea": CANARY})
    request = StepRequest(mood=2, goal=CANARY, language="sv", profile=profile)
    gemini.generate(request, seconds=30)


# Traces and metrics


def test_a_call_counts_its_tokens_by_direction(recorded: Recorded, time: FakeTime) -> None:
    ask(a_client(time, ScriptedGemini()))
    assert sorted(recorded.points("innerjourney.gemini.tokens"), key=str) == [
        ({"model": "m1", "direction": "input"}, 10),
        ({"model": "m1", "direction": "output"}, 20),
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
    recorded: Recorded, time: FakeTime, error: GeminiError, kind: str, outcome: str
) -> None:
    with pytest.raises(type(error)):
        ask(a_client(time, ScriptedGemini(error), attempts=1))
    called = {"model": "m1", "outcome": outcome}
    assert recorded.points("innerjourney.gemini.calls") == [(called, 1)]
    attributes = recorded.one("gemini").attributes or {}
    assert (attributes["error.type"], attributes["innerjourney.reason"]) == (kind, outcome)
    assert attributes["gen_ai.usage.input_tokens"] == 7


def test_each_attempt_is_a_span_of_its_own_with_the_model_that_it_asks(
    recorded: Recorded, time: FakeTime
) -> None:
    quota = Unavailable("429", reason="quota")
    ask(a_client(time, ScriptedGemini(Unavailable("503"), quota), ScriptedGemini()))
    asked = [
        (span.name, (span.attributes or {})["gen_ai.request.model"]) for span in recorded.spans
    ]
    assert asked == [("gemini", "m1"), ("gemini", "m1"), ("gemini", "m2")]


def test_the_time_of_a_claim_with_gemini_is_measured(recorded: Recorded, time: FakeTime) -> None:
    ask(a_client(time, SlowGemini(time, 2.5)))
    assert recorded.points("innerjourney.generation.duration") == [({"outcome": "ok"}, 2.5)]


def test_a_claim_that_ends_without_a_step_is_measured_by_why(
    recorded: Recorded, time: FakeTime
) -> None:
    with pytest.raises(Blocked):
        ask(a_client(time, ScriptedGemini(Blocked("SAFETY"))))
    assert recorded.points("innerjourney.generation.duration") == [({"outcome": "blocked"}, 0)]


def test_nothing_that_was_asked_or_answered_is_recorded(recorded: Recorded, time: FakeTime) -> None:
    with capture_logs() as logs:
        ask(a_client(time, ScriptedGemini(InvalidOutput("/title"))))
    said = f"{recorded.everything} {logs}"
    assert "m1" in said
    assert CANARY not in said
    assert "Ett glas vatten" not in said


def test_without_telemetry_it_generates_all_the_same(time: FakeTime) -> None:
    inner = ScriptedGemini()
    ask(a_client(time, inner))
    assert len(inner.requests) == 1


# What an operator is told


def told(client: GeminiClient, claims: int) -> list[tuple[str, bool]]:
    """The lines on the key and the models' names, and whether each raises an alert."""
    with capture_logs() as logs:
        for _ in range(claims):
            try:
                client.generate(REQUEST, seconds=70)
            except GeminiError:
                continue
    lines = [line for line in logs if line["event"] not in ("gemini.retry", "breaker.changed")]
    return [(line["event"], line.get("alert", False)) for line in lines]


def refused() -> KeyRefused:
    return KeyRefused("API_KEY_INVALID")


def test_a_refused_key_is_told_once_and_not_for_each_activation(time: FakeTime) -> None:
    client = a_client(time, ScriptedGemini(*[refused() for _ in range(3)]), ScriptedGemini())
    assert told(client, 3) == [("gemini.key_refused", True)]
    assert client.health().key == "refused"


def test_the_line_says_it_in_plain_words_and_with_googles_reason(time: FakeTime) -> None:
    with capture_logs() as logs, pytest.raises(KeyRefused):
        ask(a_client(time, ScriptedGemini(refused())))
    assert logs[0]["what"] == "Gemini refused the key (API_KEY_INVALID), so the library answers"


@pytest.mark.parametrize("error", [Unavailable("503"), Blocked("SAFETY"), Misconfigured("400")])
def test_another_failure_does_not_end_it(time: FakeTime, error: GeminiError) -> None:
    client = a_client(time, ScriptedGemini(refused(), error), attempts=1)
    assert told(client, 2) == [("gemini.key_refused", True)]
    assert client.health().key == "refused"


def test_it_is_over_when_a_call_succeeds_and_is_told_again_when_it_comes_back(
    time: FakeTime,
) -> None:
    client = a_client(time, ScriptedGemini(refused(), lambda: None, refused()))
    assert told(client, 2) == [("gemini.key_refused", True), ("gemini.key_accepted", False)]
    assert client.health().key == "ok"
    assert told(client, 1) == [("gemini.key_refused", True)]


def test_a_model_that_is_gone_is_told_once(time: FakeTime) -> None:
    gone = [ModelNotFound("404") for _ in range(3)]
    client = a_client(time, ScriptedGemini(*gone), ScriptedGemini())
    assert told(client, 3) == [("gemini.model_not_found", True)]
