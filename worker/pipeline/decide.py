"""Decide what a claimed activation gets: care, a step from Gemini or the library, or a pause."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from shared.domain.activation import Activation, Answer, FallbackReason, Usage
from worker.gemini.port import (
    Gemini,
    GeminiError,
    ProcessEnds,
    StepRequest,
    Unavailable,
    reason_of,
)
from worker.pipeline.fallback_answers import FallbackAnswers

WRITE_SECONDS = 2.0
"""Kept free before the deadline, to write the result. From the deadline on the sweep writes."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Pause:
    """Release the claim until then: Gemini asked for a longer pause than a thread should wait."""

    until: datetime
    reason: FallbackReason
    usage: Usage


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
        return Answer(
            step=generated.step, source="gemini", model=generated.model, usage=generated.usage
        )

    def _without_gemini(
        self, activation: Activation, error: GeminiError, now: datetime, left: float
    ) -> Answer | Pause:
        """A pause if Gemini asked for a long one that ends before the deadline, else a fallback."""
        reason = reason_of(error)
        if reason != "no_api_key":
            log.warning(
                "gemini.failed",
                activation_id=activation.activation_id,
                reason=reason,
                error=str(error),
                alert=reason == "misconfigured",
            )
        pause = error.retry_after if isinstance(error, Unavailable) else None
        if pause is not None and self.max_sleep_seconds < pause < left:
            until = now + timedelta(seconds=pause)
            return Pause(until=until, reason=reason, usage=error.usage)
        return self.fallback.instead_of_gemini(activation, reason, error.usage)


def _request(activation: Activation) -> StepRequest:
    return StepRequest(
        mood=activation.mood,
        goal=activation.goal,
        language=activation.language,
        profile=activation.profile,
    )
