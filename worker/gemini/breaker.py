"""A circuit breaker around one call to Gemini, one per process.

After several provider failures in a row it opens: calls are refused at once, so that users get
their fallback in milliseconds instead of after three timeouts, and a struggling Gemini gets no
retries from us. Half-open, one probe at a time finds out whether it is back.

`circuitbreaker` counts and keeps the time; it holds no lock during a call. (pybreaker does: it
would let one call through at a time, always.)
"""

import threading
from contextlib import suppress

import structlog
from circuitbreaker import STATE_CLOSED, STATE_HALF_OPEN, STATE_OPEN, CircuitBreaker

from worker.gemini.port import (
    CircuitOpen,
    Gemini,
    GeminiError,
    Generated,
    StepRequest,
    Unavailable,
    reason_of,
)

log = structlog.get_logger(__name__)


class BreakingGemini:
    """Does not call Gemini while it is known to fail."""

    def __init__(self, inner: Gemini, *, failures: int, recovery_seconds: float) -> None:
        self._inner = inner
        self._breaker = CircuitBreaker(
            failure_threshold=failures,
            recovery_timeout=recovery_seconds,
            expected_exception=_is_the_providers_fault,
        )
        self._probe = threading.Lock()
        self._said = STATE_CLOSED

    @property
    def state(self) -> str:
        """closed, open or half_open."""
        return str(self._breaker.state)

    def generate(self, request: StepRequest, *, seconds: float) -> Generated:
        """As the inner one's. Raises CircuitOpen, without a call, while it is open."""
        state = self.state
        if state == STATE_OPEN:
            raise CircuitOpen("the circuit breaker is open")
        if state == STATE_HALF_OPEN:
            return self._probing(request, seconds)
        return self._counted(request, seconds)

    def _probing(self, request: StepRequest, seconds: float) -> Generated:
        if not self._probe.acquire(blocking=False):
            raise CircuitOpen("the circuit breaker is half open, and probing already")
        try:
            return self._counted(request, seconds)
        finally:
            self._probe.release()

    def _counted(self, request: StepRequest, seconds: float) -> Generated:
        try:
            generated = self._inner.generate(request, seconds=seconds)
        except GeminiError as error:
            # A 429 says nothing of Gemini's health: it neither counts nor starts the count again.
            if reason_of(error) != "quota":
                self._count(error)
            raise
        self._count(None)
        return generated

    def _count(self, error: GeminiError | None) -> None:
        with suppress(GeminiError), self._breaker:
            if error is not None:
                raise error
        self._say_what_changed()

    def _say_what_changed(self) -> None:
        state = self.state
        if state != self._said:
            self._said = state
            log.warning("breaker.changed", state=state, alert=state == STATE_OPEN)


def _is_the_providers_fault(kind: type[Exception], _: Exception) -> bool:
    """Not a refused prompt, a bad answer or our own misconfiguration."""
    return issubclass(kind, Unavailable)
