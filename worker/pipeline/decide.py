"""Decide what a claimed activation gets: care, a step from Gemini or the library, or a pause."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from shared.domain.activation import Activation, Answer, FallbackReason, Usage
from shared.domain.history import Attempt
from worker.gemini.port import (
    Gemini,
    GeminiError,
    Generated,
    KeyRefused,
    ModelNotFound,
    ProcessEnds,
    StepRequest,
    Unavailable,
    reason_of,
)
from worker.pipeline.fallback_answers import FallbackAnswers

WRITE_SECONDS = 2.0
"""Kept free before the deadline, to write the result. From the deadline on the sweep writes."""

log = structlog.get_logger(__name__)


NOT_ASKED: tuple[FallbackReason, ...] = ("no_api_key", "deadline")
"""Then Gemini did not fail: it was not asked."""


@dataclass(frozen=True, kw_only=True)
class Pause:
    """Release the claim until then: Gemini asked for a longer pause than a thread should wait."""

    until: datetime
    reason: FallbackReason
    usage: Usage
    usage_by_model: Mapping[str, Usage]
    attempts: tuple[Attempt, ...]


@dataclass(frozen=True, kw_only=True)
class Decider:
    gemini: Gemini
    fallback: FallbackAnswers
    max_attempts: int
    max_sleep_seconds: float
    budget_seconds: float
    monotonic: Callable[[], float] = time.monotonic

    def decide(self, activation: Activation, now: datetime) -> Answer | Pause:
        """Raises nothing when Gemini fails, and ProcessEnds when this process gave the claim back.

        `now` is the store's time of the claim.
        """
        caring = self.fallback.in_crisis(activation)
        if caring is not None:
            return caring
        if activation.attempt > self.max_attempts:
            return self.fallback.instead_of_gemini(activation, "undeliverable")
        left = (activation.deadline - now).total_seconds() - WRITE_SECONDS
        if left <= 0:
            return self.fallback.instead_of_gemini(activation, "deadline")
        started = self.monotonic()
        try:
            generated = self.gemini.generate(
                _request(activation), seconds=min(left, self.budget_seconds)
            )
        except ProcessEnds:
            raise
        except GeminiError as error:
            # Gemini counts its pause from its answer, which may have taken a while.
            passed = self.monotonic() - started
            later = now + timedelta(seconds=passed)
            return self._without_gemini(activation, error, later, left - passed)
        if generated.person_may_be_at_risk:
            answer = self.fallback.with_care(activation)
        else:
            answer = Answer(step=generated.step, source="gemini", model=generated.model)
        return answer.model_copy(update=_spent(generated))

    def _without_gemini(
        self, activation: Activation, error: GeminiError, now: datetime, left: float
    ) -> Answer | Pause:
        """A pause if Gemini asked for a long one that ends before the deadline, else a fallback;
        care where it said, or blocked because, the person may be at risk."""
        reason = reason_of(error)
        if reason not in NOT_ASKED:
            _log_failure(activation, error)
        pause = error.retry_after if isinstance(error, Unavailable) else None
        if pause is not None and self.max_sleep_seconds < pause < left:
            until = now + timedelta(seconds=pause)
            return Pause(until=until, reason=reason, **_spent(error))
        if error.person_may_be_at_risk:
            answer = self.fallback.with_care(activation)
        else:
            answer = self.fallback.instead_of_gemini(activation, reason)
        return answer.model_copy(update=_spent(error))


def _log_failure(activation: Activation, error: GeminiError) -> None:
    # The client tells an operator of these two, once and not for each activation.
    is_told = isinstance(error, (KeyRefused, ModelNotFound))
    reason = reason_of(error)
    log.warning(
        "gemini.failed",
        activation_id=activation.activation_id,
        reason=reason,
        error=str(error),
        alert=reason == "misconfigured" and not is_told,
    )


def _spent(by: Generated | GeminiError) -> dict[str, Any]:
    return {"usage": by.usage, "usage_by_model": by.usage_by_model, "attempts": by.attempts}


def _request(activation: Activation) -> StepRequest:
    return StepRequest(
        mood=activation.mood,
        goal=activation.goal,
        language=activation.language,
        profile=activation.profile,
    )
