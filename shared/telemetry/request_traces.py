"""The trace of an HTTP request: the caller's, if its `traceparent` is valid, else a new one."""

from collections.abc import Mapping

from flask import Flask, Response, g, request
from opentelemetry.context import attach, detach
from opentelemetry.trace import SpanKind, set_span_in_context

from shared.telemetry.traces import begin_span, context_of, mark_failed, unexported

NO_SPANS: Mapping[str, str] = {}


def install_request_traces(app: Flask, spans: Mapping[str, str] = NO_SPANS) -> None:
    """Install it first, so that all log lines of a request name its trace. `spans` has the span's
    name for each endpoint that gets one; other requests only log and pass on their trace."""

    @app.before_request
    def begin() -> None:
        parent = context_of(request.headers.get("traceparent"))
        name = spans.get(request.endpoint or "")
        if name:
            g.span = begin_span(name, SpanKind.SERVER, parent, _attributes())
        else:
            g.span = unexported(parent)
        g.trace_tokens = [attach(set_span_in_context(g.span))]

    @app.after_request
    def note_status(answer: Response) -> Response:
        g.span.set_attribute("http.response.status_code", answer.status_code)
        if answer.status_code >= 500:
            mark_failed(g.span, str(answer.status_code))
        return answer

    @app.teardown_request
    def end(_: BaseException | None) -> None:
        for token in reversed(g.pop("trace_tokens", [])):
            detach(token)
        if "span" in g:
            g.pop("span").end()


def continue_trace(traceparent: str | None) -> None:
    """The rest of the request continues the trace of the message that it carries.

    Where the message names none, it continues the request's own.
    """
    carried = context_of(traceparent)
    if carried:
        g.trace_tokens.append(attach(carried))


def _attributes() -> dict[str, str]:
    """The route, never the path: a caller can write anything into a path."""
    return {
        "http.request.method": request.method,
        "http.route": request.url_rule.rule if request.url_rule else "",
    }
