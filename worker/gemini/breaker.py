"""A circuit breaker around each call to Gemini, one per process.

After several failures of Gemini in a row it opens and refuses calls at once. Users then get their
fallback in milliseconds instead of after three timeouts, and we don't burden a struggling Gemini
with retries. When it is half-open it lets one probe through at a time, to see whether Gemini works.

The library `circuitbreaker` counts failures and keeps the time. It holds no lock during a call;
pybreaker does, so that only one call could run at a time.
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
    ProcessEnds,
    StepRequest,
    Unavailable,
    reason_of,
)

log = structlog.get_logger(__name__)


class BreakingGemini:
    """Refuses calls while Gemini is known to fail."""

    def __init__(
        self,
        inner: Gemini,
        *,
        failures: int,
        recovery_seconds: float,
        given_back: threading.Event | None = None,
    ) -> None:
        """`given_back` is set when this process has given its claims back (shared/drain.py)."""
        self._inner = inner
        self._given_back = given_back or threading.Event()
        self._breaker = CircuitBreaker(
            failure_threshold=failures,
            recovery_timeout=recovery_seconds,
            expected_exception=_is_geminis_failure,
        )
        self._probe = threading.Lock()
        self._logged_state = STATE_CLOSED

    @property
    def state(self) -> str:
        """closed, open or half_open."""
        return str(self._breaker.state)

    def generate(self, request: StepRequest, *, seconds: float) -> Generated:
        """Raises what `inner` raises; while the breaker is open CircuitOpen, without a call."""
        if self._given_back.is_set():
            raise ProcessEnds("the claim was given back")
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
            # A 429 says nothing about Gemini's health: it neither counts nor resets the count.
            if reason_of(error) != "quota":
                self._count(error)
            raise
        self._count(None)
        return generated

    def _count(self, error: GeminiError | None) -> None:
        with suppress(GeminiError), self._breaker:
            if error is not None:
                raise error
        self._log_change()

    def _log_change(self) -> None:
        state = self.state
        if state != self._logged_state:
            self._logged_state = state
            log.warning("breaker.changed", state=state, alert=state == STATE_OPEN)


def _is_geminis_failure(kind: type[Exception], _: Exception) -> bool:
    """Only Unavailable counts: not a refused prompt, an invalid answer or our misconfiguration."""
    return issubclass(kind, Unavailable)
