"""One call of one model, and all that is recorded of it: breaker, trace, metrics, history, cost."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta

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
    ProcessEnds,
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


Hears = Callable[["Calls"], None]

_hears: ContextVar[Hears | None] = ContextVar("hears_of_calls", default=None)


@contextmanager
def telling_of_calls(hears: Hears) -> Iterator[None]:
    """In this block `hears` is told of the claim's Calls before the first of them is made."""
    token = _hears.set(hears)
    try:
        yield
    finally:
        _hears.reset(token)


class Calls:
    """The calls of one claim. `attempts` lists them, and `usage` is their sum; what refused to be
    called has no entry.

    `usage_by_model` is what the claim's thread has yet to enter in the ledger. A call that is under
    way when the claim is given back is entered then (`cut`), and not again when it returns.
    """

    def __init__(self, refusals: Refusals, clock: Clock) -> None:
        self.attempts: list[Attempt] = []
        self.usage = Usage()
        self.usage_by_model: dict[str, Usage] = {}
        self._refusals = refusals
        self._clock = clock
        self._lock = threading.Lock()
        self._under_way: Attempt | None = None
        self._stopped = False
        self._cut = False
        hears = _hears.get()
        if hears is not None:
            hears(self)

    def stop(self) -> tuple[Usage, tuple[Attempt, ...]]:
        """Begin no further call. Returns what was spent, with the call that is under way: it is
        paid for, and its tokens are unknown."""
        with self._lock:
            self._stopped = True
            call = self._under_way
            if call is None:
                return self.usage, tuple(self.attempts)
            lasted = max(self._clock() - call.at, timedelta()) // timedelta(milliseconds=1)
            self._under_way = call.model_copy(update={"ms": lasted})
            return self.usage.plus(_paid(self._under_way)), (*self.attempts, self._under_way)

    def cut(self) -> dict[str, Usage]:
        """What the caller must enter in the ledger. Nothing where no call is under way any more:
        then the claim's thread enters all of it."""
        with self._lock:
            call = self._under_way
            if call is None or self._cut:
                return {}
            self._cut = True
            self._add(str(call.model), _paid(call))
            spent, self.usage_by_model = self.usage_by_model, {}
            return spent

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
            self._begin(model.name)
            try:
                generated = model.adapter.generate(request, seconds=seconds)
            except GeminiError as error:
                traced.set_attribute("innerjourney.reason", reason_of(error))
                self._record(traced, model.name, error)
                raise
            self._record(traced, model.name, generated)
            return generated

    def _begin(self, model: str) -> None:
        with self._lock:
            if self._stopped:
                raise ProcessEnds("the claim was given back")
            self._under_way = Attempt(at=self._clock(), model=model, outcome="shutdown", ms=0)

    def _end(self, usage: Usage, model: str, outcome: str) -> None:
        with self._lock:
            begun, self._under_way = self._under_way, None
            assert begun is not None
            ended = {"model": model, "outcome": outcome, "ms": usage.gemini_ms}
            self.attempts.append(begun.model_copy(update=ended))
            self.usage = self.usage.plus(usage)
            if not self._cut:
                self._add(model, usage)

    def _add(self, model: str, usage: Usage) -> None:
        self.usage_by_model[model] = self.usage_by_model.get(model, Usage()).plus(usage)

    def _record(self, traced: Span, asked: str, answer: Generated | GeminiError) -> None:
        usage, model, outcome = answer.usage, asked, "ok"
        if isinstance(answer, Generated):
            model = answer.model
        else:
            outcome = reason_of(answer)
        traced.set_attribute("gen_ai.usage.input_tokens", usage.prompt_tokens)
        paid_output = usage.output_tokens + usage.thought_tokens
        traced.set_attribute("gen_ai.usage.output_tokens", paid_output)
        telemetry().metrics.called(usage, model=asked, outcome=outcome)
        self._end(usage, model, outcome)
        self._refusals.heard(asked, answer)


def _paid(cut: Attempt) -> Usage:
    return Usage(gemini_calls=1, gemini_ms=cut.ms)
