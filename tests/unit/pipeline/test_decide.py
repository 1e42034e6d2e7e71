"""Care comes before everything else, and never costs a call."""

from dataclasses import replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from shared.domain.activation import Activation, Answer, FallbackReason, Usage
from tests.builders import FALLBACK, NOON, a_decider, an_activation
from tests.doubles import FakeTime, ScriptedGemini
from tests.unit.gemini.clients import a_client
from worker.gemini.port import (
    Blocked,
    GeminiError,
    Generated,
    InvalidOutput,
    KeyRefused,
    Misconfigured,
    ModelNotFound,
    StepRequest,
    Unavailable,
)
from worker.pipeline.decide import Pause
from worker.safety import caring_step

ONE_CALL = Usage(gemini_calls=1, prompt_tokens=3)
HEAVY = "jag orkar inte leva längre"


def with_risk(**flags: object) -> Activation:
    return with_profile(wellbeingFlags=flags)


def with_profile(**profile: object) -> Activation:
    return Activation.model_validate({**an_activation().model_dump(), "profile": profile})


@pytest.mark.parametrize(
    "activation",
    [
        an_activation(goal=HEAVY),
        with_risk(suicideRisk=True),
        with_risk(suicideRisk="high"),
        with_profile(focusArea=HEAVY),
    ],
    ids=["the goal", "the flag", "the level", "the profile"],
)
def test_a_signal_is_answered_with_care_and_nothing_is_sent_to_gemini(
    activation: Activation,
) -> None:
    gemini = ScriptedGemini()
    ended = a_decider(gemini).decide(activation, NOON)
    assert isinstance(ended, Answer)
    assert (ended.source, ended.fallback_reason, ended.model) == ("safety", None, None)
    assert ended.step == caring_step("sv")
    assert ended.usage.gemini_calls == 0
    assert gemini.requests == []


@pytest.mark.parametrize("reason", ["undeliverable", "deadline"])
def test_where_the_library_would_answer_care_comes_first_too(reason: FallbackReason) -> None:
    """A dead letter or a late activation may be the one that needs it most."""
    ended = FALLBACK.instead_of_gemini(an_activation(goal=HEAVY), reason)
    assert ended.source == "safety"


def test_care_speaks_the_users_language() -> None:
    ended = a_decider(ScriptedGemini()).decide(an_activation(goal=HEAVY, language="en-GB"), NOON)
    assert isinstance(ended, Answer)
    assert ended.step == caring_step("en")


# Care that Gemini gives the reason for


def test_where_the_model_says_that_the_person_may_be_at_risk_care_is_answered(
    time: FakeTime,
) -> None:
    class Worried(ScriptedGemini):
        def generate(self, request: StepRequest, *, seconds: float) -> Generated:
            generated = super().generate(request, seconds=seconds)
            return replace(generated, person_may_be_at_risk=True)

    ended = a_decider(a_client(time, Worried())).decide(an_activation(), NOON)
    assert isinstance(ended, Answer)
    assert (ended.source, ended.fallback_reason, ended.model) == ("safety", None, None)
    assert ended.step == caring_step("sv")
    assert ended.usage.gemini_calls == ended.usage_by_model["fake"].gemini_calls == 1
    assert [one.outcome for one in ended.attempts] == ["ok"]


def test_a_prompt_that_was_blocked_as_dangerous_is_answered_with_care(time: FakeTime) -> None:
    blocked = Blocked("prompt: SAFETY", person_may_be_at_risk=True, usage=ONE_CALL)
    ended = a_decider(a_client(time, ScriptedGemini(blocked))).decide(an_activation(), NOON)
    assert isinstance(ended, Answer)
    assert (ended.source, ended.fallback_reason, ended.model) == ("safety", None, None)
    assert ended.step == caring_step("sv")
    assert ended.usage == ONE_CALL
    assert [one.outcome for one in ended.attempts] == ["blocked"]


def test_a_flag_beside_an_invalid_step_is_answered_with_care_and_not_with_a_repair(
    time: FakeTime,
) -> None:
    flagged = InvalidOutput("/title: missing", person_may_be_at_risk=True, usage=ONE_CALL)
    ended = a_decider(a_client(time, ScriptedGemini(flagged))).decide(an_activation(), NOON)
    assert isinstance(ended, Answer)
    assert (ended.source, ended.fallback_reason, ended.model) == ("safety", None, None)
    assert ended.step == caring_step("sv")
    assert ended.usage == ONE_CALL
    assert [one.outcome for one in ended.attempts] == ["invalid_output"]


def test_a_prompt_that_was_blocked_for_something_else_gets_the_librarys_step() -> None:
    ended = a_decider(ScriptedGemini(Blocked("prompt: SAFETY"))).decide(an_activation(), NOON)
    assert isinstance(ended, Answer)
    assert (ended.source, ended.fallback_reason) == ("fallback", "blocked")


# What Gemini's failures lead to


def test_with_too_little_time_for_a_call_the_library_answers_for_the_deadline(
    time: FakeTime,
) -> None:
    gemini = ScriptedGemini()
    hurried = an_activation(time_to_answer=timedelta(seconds=11))
    with capture_logs() as logs:
        ended = a_decider(a_client(time, gemini)).decide(hurried, NOON)
    assert isinstance(ended, Answer)
    assert ended.fallback_reason == "deadline"
    assert (gemini.requests, logs) == ([], [])


@pytest.mark.parametrize(
    ("error", "alert"),
    [
        (Misconfigured("400"), True),
        (KeyRefused("API_KEY_INVALID"), False),  # the client told of these
        (ModelNotFound("404"), False),
        (Unavailable("503"), False),
    ],
)
def test_a_refused_request_asks_for_a_human_unless_the_client_has_asked(
    error: GeminiError, alert: bool
) -> None:
    with capture_logs() as logs:
        a_decider(ScriptedGemini(error)).decide(an_activation(), NOON)
    assert [(line["event"], line["alert"]) for line in logs] == [("gemini.failed", alert)]


def test_other_flags_are_no_signal() -> None:
    gemini = ScriptedGemini()
    a_decider(gemini).decide(with_risk(suicideRisk=False, depressionRisk=True), NOON)
    assert len(gemini.requests) == 1


def test_what_only_a_human_can_mend_asks_for_one() -> None:
    """A refused key, say: the line has the mark that deploy/alerts/ looks for."""
    gemini = ScriptedGemini(Misconfigured("403"), Unavailable("503"))
    with capture_logs() as logs:
        for _ in range(2):
            a_decider(gemini).decide(an_activation(), NOON)
    assert [line["alert"] for line in logs if line["event"] == "gemini.failed"] == [True, False]


def test_geminis_pause_is_counted_from_its_answer(time: FakeTime) -> None:
    """It came 20 s after the claim: counted from there, a retry would come 20 s too early."""

    def slowly() -> None:
        time.advance(20)
        raise Unavailable("429", reason="quota", retry_after=30)

    decider = replace(a_decider(ScriptedGemini(slowly)), monotonic=time.monotonic)
    ended = decider.decide(an_activation(), NOON)
    assert isinstance(ended, Pause)
    assert ended.until == NOON + timedelta(seconds=50)


def test_a_pause_that_ends_after_the_deadline_by_that_count_is_none(time: FakeTime) -> None:
    def slowly() -> None:
        time.advance(20)
        raise Unavailable("429", reason="quota", retry_after=290)

    decider = replace(a_decider(ScriptedGemini(slowly)), monotonic=time.monotonic)
    ended = decider.decide(an_activation(), NOON)
    assert isinstance(ended, Answer)
    assert ended.fallback_reason == "quota"
