"""Spans and the W3C trace context that ties them together, from the browser to Gemini.

The context is OpenTelemetry's current span. Without a collector there is a span as well, so that
logs and messages can name its trace; nobody exports it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry.context import Context, attach, detach
from opentelemetry.trace import (
    Span,
    SpanKind,
    Status,
    StatusCode,
    get_current_span,
    set_span_in_context,
    use_span,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from shared.telemetry.provider import telemetry, without_export

ACTIVATION_ID = "innerjourney.activation_id"
LONGEST_TRACEPARENT = 512
_PROPAGATOR = TraceContextTextMapPropagator()

Attributes = Mapping[str, str | int | bool]


def context_of(traceparent: str | None) -> Context:
    """The caller's context. An invalid header gives an empty one, and a span a new trace from it.

    `tracestate` and baggage are dropped: a caller can write anything there.
    """
    if not traceparent or len(traceparent) > LONGEST_TRACEPARENT:
        return Context()
    return _PROPAGATOR.extract({"traceparent": traceparent}, Context())


@contextmanager
def trace_of(traceparent: str | None) -> Iterator[None]:
    """The block continues this trace, or begins a new one where `traceparent` names none."""
    token = attach(context_of(traceparent))
    try:
        yield
    finally:
        detach(token)


def traceparent_of(span: Span) -> str | None:
    """The header that makes what follows a child of this span. None where the span has no id, as
    with OTEL_SDK_DISABLED=true, which OpenTelemetry's own SDK reads."""
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier, set_span_in_context(span, Context()))
    return carrier.get("traceparent")


def current_traceparent() -> str | None:
    return traceparent_of(get_current_span())


def unexported(parent: Context) -> Span:
    """A span in the parent's trace, or in a new one, that the collector never gets."""
    return without_export().tracer.start_span("request", context=parent)


def begin_span(
    name: str,
    kind: SpanKind,
    parent: Context | None,
    attributes: Attributes | None = None,
) -> Span:
    """The caller ends it. Without a `parent` it is a child of the current span."""
    return telemetry().tracer.start_span(name, context=parent, kind=kind, attributes=attributes)


@contextmanager
def span(
    name: str,
    kind: SpanKind = SpanKind.INTERNAL,
    *,
    parent: Context | None = None,
    attributes: Attributes | None = None,
) -> Iterator[Span]:
    """The current span of the block. Of an error only the class is recorded: OpenTelemetry itself
    would copy the message and the traceback, which may quote a goal."""
    begun = begin_span(name, kind, parent, attributes)
    with use_span(begun, end_on_exit=True, record_exception=False, set_status_on_exception=False):
        try:
            yield begun
        except Exception as error:
            mark_failed(begun, type(error).__name__)
            raise


def mark_failed(failed: Span, error_type: str) -> None:
    failed.set_attribute("error.type", error_type)
    failed.set_status(Status(StatusCode.ERROR))
