"""One call of one model, and all that is recorded of it: breaker, trace, metrics, history, cost."""

import threading
from dataclasses import dataclass
from datetime import datetime
from functools import reduce

import structlog
from opentelemetry.trace import Span, SpanKind

from shared.clock import Clock
from shared.domain.activation import Usage
from shared.domain.history import Attempt
from shared.telemetry.provider import telemetry
from shared.telemetry.traces import span
from worker.gemini.breaker import Breaker
from worker.gemini.port import (
    Gemini,
    GeminiError,
    Generated,
    KeyRefused,
    ModelNotFound,
    StepRequest,
    reason_of,
)

log = structlog.get_logger(__name__)

_THE_KEY = "the key"


@dataclass(frozen=True, kw_only=True)
class Model:
    """`adapter` makes one call of it; `breaker` knows whether to make it."""

    name: str
    adapter: Gemini
    breaker: Breaker


class Refusals:
    """What Gemini refuses until an operator acts: the key, a model's name. One per process.

    Each is logged when it changes, not for every activation.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._refused: set[str] = set()

    @property
    def of_the_key(self) -> bool:
        return _THE_KEY in self._refused

    def heard(self, model: str, answer: Generated | GeminiError) -> None:
        if isinstance(answer, KeyRefused) and self._is_news(_THE_KEY, refused=True):
            what = f"Gemini refused the key ({answer}), so the library answers"
            log.error("gemini.key_refused", what=what, alert=True)
        if isinstance(answer, ModelNotFound) and self._is_news(model, refused=True):
            log.error("gemini.model_not_found", model=model, error=str(answer), alert=True)
        if isinstance(answer, Generated):
            self._is_news(model, refused=False)
            if self._is_news(_THE_KEY, refused=False):
                log.warning("gemini.key_accepted", what="Gemini accepts the key again")

    def _is_news(self, what: str, *, refused: bool) -> bool:
        with self._lock:
            if (what in self._refused) == refused:
                return False
            self._refused ^= {what}
            return True


class Calls:
    """The calls of one claim. `attempts` lists them; what refused to be called has no entry."""

    def __init__(self, refusals: Refusals, clock: Clock) -> None:
        self.attempts: list[Attempt] = []
        self.usage_by_model: dict[str, Usage] = {}
        self._refusals = refusals
        self._clock = clock

    @property
    def usage(self) -> Usage:
        """The sum of all calls."""
        return reduce(Usage.plus, self.usage_by_model.values(), Usage())

    def make(self, model: Model, request: StepRequest, seconds: float) -> Generated:
        """Raises what the adapter raises, and CircuitOpen where no call was made.

        The span's attributes follow OpenTelemetry's conventions for generative AI, without those
        that hold prompts or answers. The request to Google carries no trace context.
        """
        attributes = {
            "gen_ai.operation.name": "generate_content",
            "gen_ai.provider.name": "gcp.gemini",
            "gen_ai.request.model": model.name,
        }
        with (
            model.breaker.around_a_call(),
            span("gemini", SpanKind.CLIENT, attributes=attributes) as traced,
        ):
            at = self._clock()
            try:
                generated = model.adapter.generate(request, seconds=seconds)
            except GeminiError as error:
                traced.set_attribute("innerjourney.reason", reason_of(error))
                self._record(traced, at, model.name, error)
                raise
            self._record(traced, at, model.name, generated)
            return generated

    def _record(
        self, traced: Span, at: datetime, asked: str, answer: Generated | GeminiError
    ) -> None:
        usage, model, outcome = answer.usage, asked, "ok"
        if isinstance(answer, Generated):
            model = answer.model
        else:
            outcome = reason_of(answer)
        traced.set_attribute("gen_ai.usage.input_tokens", usage.prompt_tokens)
        paid_output = usage.output_tokens + usage.thought_tokens
        traced.set_attribute("gen_ai.usage.output_tokens", paid_output)
        telemetry().metrics.called(usage, model=asked, outcome=outcome)
        self.attempts.append(Attempt(at=at, model=model, outcome=outcome, ms=usage.gemini_ms))
        self.usage_by_model[model] = self.usage_by_model.get(model, Usage()).plus(usage)
        self._refusals.heard(asked, answer)
