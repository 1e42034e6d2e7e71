"""The one client of Gemini: one loop, one deadline, one sum of usage, one list of attempts.

`generate` makes the calls of one claim, at most `Limits.attempts` of them, of all models together;
plan.py says which model is asked next. No other layer retries: the SDKs' own retries are off.
"""

import dataclasses
import threading
import time
from collections.abc import Callable, Sequence

import structlog
from tenacity import RetryCallState, Retrying, sleep_using_event, wait_random_exponential

from shared.clock import Clock, utc_now
from shared.telemetry.provider import telemetry
from worker.gemini.calls import Calls, Model, Refusals
from worker.gemini.plan import GOES_ON, Limits, Plan
from worker.gemini.port import (
    GeminiError,
    Generated,
    Health,
    NoTimeLeft,
    ProcessEnds,
    StepRequest,
    reason_of,
)

log = structlog.get_logger(__name__)


class GeminiClient:
    """Built once for a process; its claims share the models' breakers."""

    def __init__(
        self,
        models: Sequence[Model],
        limits: Limits,
        *,
        given_back: threading.Event | None = None,
        clock: Clock = utc_now,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        """`models` in the order in which they are asked. `given_back` is set when this process has
        given its claims back (shared/drain.py): it ends a pause, and nobody is called any more."""
        self._models = models
        self._limits = limits
        self._given_back = given_back or threading.Event()
        self._clock = clock
        self._monotonic = monotonic
        self._sleep = sleep or sleep_using_event(self._given_back)
        self._refusals = Refusals()

    def health(self) -> Health:
        return Health(
            key="refused" if self._refusals.of_the_key else "ok",
            breakers={model.name: model.breaker.state for model in self._models},
        )

    def generate(self, request: StepRequest, *, seconds: float) -> Generated:
        """Raises what the last call raised, NoTimeLeft or ProcessEnds; with what all calls cost."""
        started = self._monotonic()
        calls = Calls(self._refusals, self._clock)
        outcome = "ok"
        try:
            generated = self._generate(request, calls, started + seconds)
        except GeminiError as error:
            outcome = reason_of(error)
            error.usage, error.usage_by_model = calls.usage, calls.usage_by_model
            error.attempts = tuple(calls.attempts)
            raise
        finally:
            telemetry().metrics.generated(self._monotonic() - started, outcome=outcome)
        return dataclasses.replace(
            generated,
            usage=calls.usage,
            usage_by_model=calls.usage_by_model,
            attempts=tuple(calls.attempts),
        )

    def _generate(self, request: StepRequest, calls: Calls, end: float) -> Generated:
        """The loop. `plan` says who is asked next; tenacity asks, and sleeps between."""
        limits = self._limits
        plan = Plan(self._models, request, limits, calls)
        backoff = wait_random_exponential(multiplier=1, max=limits.max_sleep_seconds)

        def ask() -> Generated:
            plan.goes_on = False
            if self._given_back.is_set():
                raise ProcessEnds("the claim was given back")
            left = end - self._monotonic()
            if not calls.attempts and left < limits.least_seconds:
                raise NoTimeLeft(f"{left:.1f} s are too few for a call")
            try:
                seconds = min(left, limits.attempt_seconds)
                return calls.make(plan.model, plan.request, seconds)
            except GOES_ON as error:
                plan.after(error, self._monotonic())
                raise

        def pause(state: RetryCallState) -> float:
            # Gemini may say "retry in 0 s": we never wait less than the backoff.
            return 0.0 if plan.pause is None else max(plan.pause, backoff(state))

        def is_over(state: RetryCallState) -> bool:
            begins = self._monotonic() + state.upcoming_sleep
            return plan.calls_left < 1 or begins + limits.least_seconds > end

        retrying = Retrying(
            retry=lambda _: plan.goes_on,
            wait=pause,
            stop=is_over,
            sleep=self._sleep,
            before_sleep=lambda state: _log_next(state, plan),
            reraise=True,
        )
        try:
            generated: Generated = retrying(ask)
        except GOES_ON as error:
            pause_first = plan.asked_to_wait(error, self._monotonic())
            if pause_first is None:
                raise
            raise pause_first from error
        return generated


def _log_next(state: RetryCallState, plan: Plan) -> None:
    log.warning(
        "gemini.retry",
        error=str(state.outcome.exception() if state.outcome else None),
        model=plan.model.name,
        repair=plan.request.complaint is not None,
        calls_left=plan.calls_left,
        sleep_seconds=round(state.upcoming_sleep, 2),
    )
