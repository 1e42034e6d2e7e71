"""Telemetry of Gemini: a span and counts for each call, and how long each claim took in all."""

import time
from collections.abc import Callable

from opentelemetry.trace import Span, SpanKind

from shared.domain.activation import Usage
from shared.telemetry.provider import telemetry
from shared.telemetry.traces import span
from worker.gemini.port import (
    Gemini,
    GeminiError,
    Generated,
    StepRequest,
    reason_of,
    state_of,
)


class TracedGemini:
    """The innermost layer: it records each attempt as a span `gemini` and in the metrics.

    Attributes follow OpenTelemetry's conventions for generative AI, without those that hold prompts
    or answers. The request to Google carries no trace context.
    """

    def __init__(self, inner: Gemini, model: str) -> None:
        self._inner = inner
        self._model = model

    def generate(self, request: StepRequest, *, seconds: float) -> Generated:
        attributes = {
            "gen_ai.operation.name": "generate_content",
            "gen_ai.provider.name": "gcp.gemini",
            "gen_ai.request.model": self._model,
        }
        with span("gemini", SpanKind.CLIENT, attributes=attributes) as gemini:
            try:
                generated = self._inner.generate(request, seconds=seconds)
            except GeminiError as error:
                gemini.set_attribute("innerjourney.reason", reason_of(error))
                self._count(gemini, error.usage, reason_of(error))
                raise
            self._count(gemini, generated.usage, "ok")
            return generated

    def _count(self, gemini: Span, usage: Usage, outcome: str) -> None:
        gemini.set_attribute("gen_ai.usage.input_tokens", usage.prompt_tokens)
        paid_output = usage.output_tokens + usage.thought_tokens
        gemini.set_attribute("gen_ai.usage.output_tokens", paid_output)
        telemetry().metrics.called(usage, model=self._model, outcome=outcome)


class TimedGemini:
    """The outermost layer: it measures a claim's time with Gemini, retries and pauses included."""

    def __init__(self, inner: Gemini, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._inner = inner
        self._monotonic = monotonic

    @property
    def state(self) -> str:
        """The breaker's state."""
        return state_of(self._inner)

    def generate(self, request: StepRequest, *, seconds: float) -> Generated:
        started = self._monotonic()
        outcome = "ok"
        try:
            return self._inner.generate(request, seconds=seconds)
        except GeminiError as error:
            outcome = reason_of(error)
            raise
        finally:
            telemetry().metrics.generated(self._monotonic() - started, outcome=outcome)
