"""Values for tests, with defaults: a test names only what it is about."""

import json
from datetime import datetime, timedelta, timezone
from typing import Any

from shared.domain.acceptance import accepted
from shared.domain.activation import Activation, Answer
from shared.domain.history import Attempt
from shared.domain.step import Step
from worker.fallback import load_library
from worker.gemini.port import Gemini
from worker.pipeline.decide import Decider
from worker.pipeline.fallback_answers import FallbackAnswers

NOON = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=timezone.utc)
LEASE = timedelta(seconds=90)
MAX_ATTEMPTS = 5
PAUSED = Attempt(at=NOON, outcome="quota", ms=400)
FALLBACK = FallbackAnswers(load_library())


def step_fields(**changes: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "title": "Ett glas vatten",
        "description": "Drick ett glas vatten långsamt.",
        "duration": 2,
        "activation_type": "physical",
        "category_id": "inner_child",
        "prompt": "Hur smakade det?",
        "log_type": "text",
        "prerequisite": "Ett glas",
        "repetitions": 1,
        "questions": ["Vad märkte du?"],
        "ai_assessment": False,
        "coach_approval_required": False,
        "net_enabled": False,
        "introduction_message": "Vi börjar smått.",
        "preparation_message": "Gå till kranen.",
    }
    return {**fields, **changes}


def a_step(**changes: Any) -> Step:
    return Step.model_validate_json(json.dumps(step_fields(**changes)))


def an_answer(**changes: Any) -> Answer:
    fields: dict[str, Any] = {"step": a_step(), "source": "gemini", "model": "fake"}
    return Answer(**{**fields, **changes})


def a_decider(gemini: Gemini) -> Decider:
    return Decider(
        gemini=gemini,
        fallback=FALLBACK,
        max_attempts=MAX_ATTEMPTS,
        max_sleep_seconds=5,
        budget_seconds=70,
        monotonic=lambda: 0.0,
    )


def an_activation(activation_id: str = "a1", **changes: Any) -> Activation:
    fields: dict[str, Any] = {
        "activation_id": activation_id,
        "user_id": "anna",
        "mood": 2,
        "goal": "komma igång",
        "language": "sv",
        "profile": None,
        "now": NOON,
        "time_to_answer": timedelta(seconds=300),
        "time_to_live": timedelta(days=30),
    }
    return accepted(**{**fields, **changes})
