"""Twenty attempts to make user text an instruction. What Gemini makes of a text can't be tested
here; what can is that the text never leaves its place, and that the result is always a step."""

import json
from pathlib import Path
from typing import Any

import pytest

from shared.domain.profile import Profile
from shared.domain.step import Step
from shared.settings import Settings
from tests.builders import NOON, an_activation, step_fields
from tests.fake_gemini import FakeGemini, texts
from worker.fallback import load_library
from worker.gemini.prompt import SYSTEM_INSTRUCTION
from worker.pipeline.decide import Decider
from worker.pipeline.fallback_answers import FallbackAnswers
from worker.wiring import build_gemini

ATTEMPTS: list[str] = json.loads(
    Path(__file__).with_name("injections.json").read_text(encoding="utf-8")
)
OPENING, CLOSING = "<user_data>\n", "\n</user_data>"

OBEYED = [
    ("a poem", "Roses are red"),
    ("the prompt itself", SYSTEM_INSTRUCTION),
    ("a step with HTML", json.dumps(step_fields(title="<script>alert(1)</script>"))),
    ("a step that breaks the schema", json.dumps(step_fields(duration=99_999))),
    ("200 questions", json.dumps(step_fields(questions=["?"] * 200))),
]
"""What a model might write if an attempt worked."""


def test_there_are_twenty() -> None:
    assert len(set(ATTEMPTS)) == len(ATTEMPTS) == 20


@pytest.fixture(params=["google-generativeai", "google-genai"])
def settings(request: pytest.FixtureRequest) -> Settings:
    return Settings(gemini_sdk=request.param, gemini_api_key="k")


def answerer(settings: Settings, gemini: FakeGemini) -> Decider:
    reachable = settings.model_copy(update={"gemini_api_endpoint": gemini.url})
    return Decider(
        gemini=build_gemini(reachable),
        fallback=FallbackAnswers(load_library()),
        max_attempts=5,
        max_sleep_seconds=5,
        budget_seconds=70,
    )


def data_of(text: str) -> dict[str, Any]:
    assert text.startswith(OPENING)
    assert text.endswith(CLOSING)
    data: dict[str, Any] = json.loads(text.removeprefix(OPENING).removesuffix(CLOSING))
    return data


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=range(len(ATTEMPTS)))
def test_the_text_stays_data_between_its_delimiters(settings: Settings, attempt: str) -> None:
    profile = Profile(focus_area=attempt[:200])
    activation = an_activation(goal=attempt, profile=profile)
    with FakeGemini() as gemini:
        ended = answerer(settings, gemini).decide(activation, NOON)
    (call,) = gemini.calls
    assert call.system_text == SYSTEM_INSTRUCTION
    assert len(call.body["contents"]) == 1
    assert call.user_text.count("<") == call.user_text.count(">") == 2
    data = data_of(call.user_text)
    assert data["goal"] == attempt
    assert data["profile"] == {"focus_area": profile.focus_area}  # which has lost its zero widths
    assert getattr(ended, "source", None) == "gemini"


@pytest.mark.parametrize("written", [o[1] for o in OBEYED], ids=[o[0] for o in OBEYED])
def test_whatever_a_model_writes_the_result_is_a_valid_and_harmless_step(
    settings: Settings, written: str
) -> None:
    with FakeGemini(default=texts(written)) as gemini:
        ended = answerer(settings, gemini).decide(an_activation(goal=ATTEMPTS[0]), NOON)
    step = getattr(ended, "step", None)
    assert isinstance(step, Step)
    assert Step.model_validate(step.model_dump()) == step
    assert "<" not in step.model_dump_json()
