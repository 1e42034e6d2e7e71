"""A circuit breaker around the calls of one model, one per process and model.

After several failures in a row it opens and refuses calls at once. The next model or the library
then answers in milliseconds instead of after three timeouts, and we don't burden a struggling
Gemini with retries. When it is half-open it lets one probe through at a time, to see whether the
model works.

The library `circuitbreaker` counts failures and keeps the time. It has no lock, so its counting
stands under ours; no lock is held during a call.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import structlog
from circuitbreaker import STATE_CLOSED, STATE_HALF_OPEN, STATE_OPEN, CircuitBreaker

from worker.gemini.port import CircuitOpen, GeminiError, Unavailable

log = structlog.get_logger(__name__)


class Breaker:
    """`failures` in a row open it; `recovery_seconds` later it is half-open."""

    def __init__(self, model: str, *, failures: int, recovery_seconds: float) -> None:
        self._model = model
        self._breaker = CircuitBreaker(
            failure_threshold=failures,
            recovery_timeout=recovery_seconds,
            expected_exception=Unavailable,
        )
        self._lock = threading.Lock()
        self._probing = False
        self._changes = 0

    @property
    def state(self) -> str:
        """closed, open or half_open."""
        return str(self._breaker.state)

    @property
    def is_open(self) -> bool:
        return bool(self.state == STATE_OPEN)

    @contextmanager
    def around_a_call(self) -> Iterator[None]:
        """The block makes the call. Raises CircuitOpen instead of entering it."""
        began_after = self._enter()
        outcome: Exception | None = None
        try:
            yield
        except Exception as error:
            outcome = error
            raise
        finally:
            self._leave(began_after, outcome)

    def _enter(self) -> int:
        """How often the state had changed when the call began."""
        with self._lock:
            state = self.state
            if state == STATE_OPEN or (state == STATE_HALF_OPEN and self._probing):
                raise CircuitOpen(f"the circuit breaker of {self._model} is {state}")
            self._probing = state == STATE_HALF_OPEN
            return self._changes

    def _leave(self, began_after: int, outcome: Exception | None) -> None:
        """Count what came of a call, unless the state has changed since it began: a late result
        tells how the model was then, and must neither close the breaker nor open it again."""
        with self._lock:
            if began_after != self._changes:
                return
            self._probing = False
            was_closed = self.state == STATE_CLOSED
            self._count(outcome)
            state = self.state
            changed = was_closed != (state == STATE_CLOSED)
            self._changes += changed
        if changed:
            opened = state == STATE_OPEN
            log.warning("breaker.changed", model=self._model, state=state, alert=opened)

    def _count(self, outcome: Exception | None) -> None:
        """Only Unavailable is a failure: not a refused prompt, an invalid answer or our mistake. A
        429 says nothing about the model's health: it neither counts nor resets the count."""
        if isinstance(outcome, Unavailable) and outcome.reason == "quota":
            return
        with suppress(GeminiError), self._breaker:
            if isinstance(outcome, GeminiError):
                raise outcome
