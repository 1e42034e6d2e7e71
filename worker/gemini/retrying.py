"""Retries of calls to Gemini. No other layer retries: the SDKs' own retries are off."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    wait_random_exponential,
)

from shared.domain.activation import Usage
from shared.settings import Settings
from worker.gemini.port import Gemini, GeminiError, Generated, StepRequest, Unavailable

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """Full-jitter exponential backoff: between 0 and 1, 2, 4 … seconds, capped at `max_sleep`."""

    attempts: int
    attempt_seconds: float
    max_sleep_seconds: float

    @classmethod
    def of(cls, settings: Settings) -> "RetryPolicy":
        return cls(
            attempts=settings.gemini_max_attempts,
            attempt_seconds=settings.gemini_timeout_seconds,
            max_sleep_seconds=settings.gemini_max_sleep_seconds,
        )


class RetryingGemini:
    """Asks Gemini again while the allowed time lasts.

    Where Gemini asks for a pause longer than `max_sleep_seconds`, it raises at once: the caller
    releases the claim instead of blocking a thread. Usage is the sum of all attempts.
    """

    def __init__(
        self,
        inner: Gemini,
        policy: RetryPolicy,
        *,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._inner = inner
        self._policy = policy
        self._sleep = sleep
        self._monotonic = monotonic
        self._backoff = wait_random_exponential(multiplier=1, max=policy.max_sleep_seconds)

    def generate(self, request: StepRequest, *, seconds: float) -> Generated:
        end = self._monotonic() + seconds
        spent: list[Usage] = []

        def attempt() -> Generated:
            left = end - self._monotonic()
            if left <= 0:
                raise Unavailable("no time left", reason="timeout")
            try:
                generated = self._inner.generate(
                    request, seconds=min(left, self._policy.attempt_seconds)
                )
            except GeminiError as error:
                spent.append(error.usage)
                raise
            spent.append(generated.usage)
            return generated

        def give_up(state: RetryCallState) -> bool:
            return (
                state.attempt_number >= self._policy.attempts
                or (_retry_after(state) or 0) > self._policy.max_sleep_seconds
                or self._monotonic() + state.upcoming_sleep >= end
            )

        retrying = Retrying(
            retry=retry_if_exception_type(Unavailable),
            stop=give_up,
            wait=self._pause,
            sleep=self._sleep,
            before_sleep=_log_retry,
            reraise=True,
        )
        try:
            generated: Generated = retrying(attempt)
        except GeminiError as error:
            error.usage = _sum(spent)
            raise
        return Generated(step=generated.step, model=generated.model, usage=_sum(spent))

    def _pause(self, state: RetryCallState) -> float:
        asked_for = _retry_after(state)
        # Gemini may say "retry in 0 s": we never wait less than the backoff.
        return max(asked_for or 0.0, self._backoff(state))


def _retry_after(state: RetryCallState) -> float | None:
    error = state.outcome.exception() if state.outcome else None
    return error.retry_after if isinstance(error, Unavailable) else None


def _log_retry(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    log.warning(
        "gemini.retry",
        error=str(error),
        attempt=state.attempt_number,
        sleep_seconds=round(state.upcoming_sleep, 2),
    )


def _sum(spent: list[Usage]) -> Usage:
    total = Usage()
    for usage in spent:
        total = total.plus(usage)
    return total
