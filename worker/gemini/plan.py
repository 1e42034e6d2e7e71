"""Who is asked next: what each answer of a model leads to. Pure: no call, no clock, no sleep.

| answer | next call |
| --- | --- |
| a step | none |
| 5xx, a timeout, no connection | the same model, after a jittered pause; the second time, or with
  one call left: the next model, at once |
| 429, or a pause asked for that is too long to sleep | the next model, at once |
| an invalid step, but the person may be at risk | none: care is answered |
| an invalid step | the same model, at once, told what was wrong; the second time, or with one call
  left: the next model |
| no such model, or its breaker is open (no call) | the next model, at once |
| blocked, a refused key, a refused request | none: the next model would refuse it as well |

The next model is the first one behind it whose breaker is not open; nobody goes back. Where there
is none, the same model is asked again after 5xx, a timeout and 429, if the pause can be slept. A
longer pause is raised as Unavailable: the caller releases the claim until it ends.
"""

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.domain.activation import FallbackReason
from shared.settings import Settings
from worker.gemini.calls import Calls, Model
from worker.gemini.port import (
    CircuitOpen,
    GeminiError,
    InvalidOutput,
    ModelNotFound,
    StepRequest,
    Unavailable,
    reason_of,
)

MIN_DEADLINE_SECONDS = 10.0
"""Gemini answers 400 to less: "Manually set deadline 8s is too short. Minimum allowed deadline is
10s." (the header X-Server-Timeout of google-genai; quoted by ten projects in 2026)."""

GOES_ON = (Unavailable, InvalidOutput, ModelNotFound, CircuitOpen)
"""After these there may be a next call; after every other error there is none."""

PATIENCE: Mapping[FallbackReason, int] = {
    "unavailable": 2,
    "timeout": 2,
    "quota": 1,
    "invalid_output": 2,
    "misconfigured": 1,  # ModelNotFound
    "circuit_open": 1,
}
"""How often a model may fail in this way before the next one is asked."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Of one claim: its calls, the seconds of each, and the seconds that a pause may be slept."""

    attempts: int
    attempt_seconds: float
    max_sleep_seconds: float

    @classmethod
    def of(cls, settings: Settings) -> "Limits":
        return cls(
            attempts=settings.gemini_max_attempts,
            attempt_seconds=settings.gemini_timeout_seconds,
            max_sleep_seconds=settings.gemini_max_sleep_seconds,
        )

    @property
    def least_seconds(self) -> float:
        """With less time left no call is begun. Where calls are shorter than Gemini's own minimum,
        half of one: all of it is never left, since some of it has passed before the first call."""
        if self.attempt_seconds > MIN_DEADLINE_SECONDS:
            return MIN_DEADLINE_SECONDS
        return self.attempt_seconds / 2


class Plan:
    """One claim's next call: which model is asked, what, and after which pause."""

    def __init__(
        self, models: Sequence[Model], request: StepRequest, limits: Limits, calls: Calls
    ) -> None:
        self.goes_on = False
        self.model, *self._others = models
        self.request = self._unrepaired = request
        self.pause: float | None = None
        """Seconds, at least, before the next call; None: it is made at once."""
        self._limits = limits
        self._calls = calls
        self._failures: Counter[type[GeminiError]] = Counter()
        self._pauses: list[tuple[float, FallbackReason]] = []
        """When each pause that was asked for ends, and why it was asked for."""

    @property
    def calls_left(self) -> int:
        return self._limits.attempts - len(self._calls.attempts)

    def after(self, error: GeminiError, now: float) -> None:
        self._failures[type(error)] += 1
        self.pause = None
        if error.person_may_be_at_risk:
            return
        asked_for = error.retry_after if isinstance(error, Unavailable) else None
        if asked_for is not None:
            self._pauses.append((now + asked_for, reason_of(error)))
        too_long = (asked_for or 0.0) > self._limits.max_sleep_seconds
        is_worn_out = self._failures[type(error)] >= PATIENCE[reason_of(error)]
        # The last call is better spent on a model that has not failed yet.
        gives_way = too_long or is_worn_out or self.calls_left == 1
        if gives_way and self._turn_to_the_next_model():
            self.goes_on = True
        elif isinstance(error, InvalidOutput):
            self.request = dataclasses.replace(self._unrepaired, complaint=str(error))
            self.goes_on = not is_worn_out
        elif isinstance(error, Unavailable):
            self.pause = asked_for or 0.0
            self.goes_on = not too_long

    def _turn_to_the_next_model(self) -> bool:
        for place, model in enumerate(self._others, start=1):
            if not model.breaker.is_open:
                self.model, self._others = model, self._others[place:]
                self.request = self._unrepaired
                self._failures.clear()
                return True
        return False

    def asked_to_wait(self, error: GeminiError, now: float) -> Unavailable | None:
        """Where a model asked for a pause that is not over: it may be asked again after the
        shortest one, whatever the next model failed with. Care does not wait."""
        ahead = [pause for pause in self._pauses if pause[0] > now]
        if error.person_may_be_at_risk or not ahead:
            return None
        until, reason = min(ahead)
        return Unavailable(str(error), reason=reason, retry_after=until - now)
