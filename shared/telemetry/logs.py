"""Logs: one JSON object a line in production, one readable line in local runs.

What is logged is chosen by name at each call (ids, states, counts, milliseconds). Nothing personal:
no goal, profile, prompt, answer, token or key, and no exception text that could quote one.
"""

import logging
import sys

import structlog
from opentelemetry.trace import format_span_id, format_trace_id, get_current_span
from structlog.types import EventDict, Processor, WrappedLogger

from shared.domain.activation import is_activation_id

TALKATIVE = ("google", "urllib3", "httpcore", "httpx", "httpx2", "google_genai", "opentelemetry")
"""Libraries whose DEBUG lines may hold addresses, headers or whole requests with their goals."""


LEDGER = "ledger"
"""The logger of what is added up later (calls paid for, answers given). `level` never hides it."""


def configure_logging(level: str, *, json: bool, project: str | None = None) -> None:
    """Send our logs and those of the libraries through one formatter to standard error.

    `project` is the Google Cloud project whose traces the lines name.
    """
    before: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        # What is not written is not put together either.
        processors=[
            structlog.stdlib.filter_by_level,
            *before,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=before,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *(_json_chain(project) if json else _console_chain()),
            ],
        )
    )
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger(LEDGER).setLevel(logging.INFO)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)


def log_activation(activation_id: str) -> None:
    """From here to the end of the request, or of the pulled message, each log line carries the id.

    Give it none that only stands in a path, where a caller can write anything: one that was found.
    What can't be an id is left out. Where neither ends it (an item of the sweep), use
    `bound_contextvars` instead.
    """
    if is_activation_id(activation_id):
        structlog.contextvars.bind_contextvars(activation_id=activation_id)


def _json_chain(project: str | None) -> list[Processor]:
    return [
        _trace_for_cloud_logging(project),
        structlog.processors.format_exc_info,
        _as_cloud_logging_reads_it,
        structlog.processors.JSONRenderer(ensure_ascii=False),
    ]


def _console_chain() -> list[Processor]:
    colours = sys.stderr.isatty()
    return [
        _trace_for_people,
        structlog.dev.ConsoleRenderer(
            colors=colours,
            # The default formatter would print the values of local variables, goals among them.
            exception_formatter=structlog.dev.plain_traceback,
        ),
    ]


def _as_cloud_logging_reads_it(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Cloud Logging reads `severity` and `message` (page: Structured logging)."""
    event["severity"] = event.pop("level", "info").upper()
    event["message"] = event.pop("event", "")
    return event


def _trace_for_cloud_logging(project: str | None) -> Processor:
    """Cloud Logging's special fields (page: Structured logging) show a line beside its span. They
    need the project's name; where it is not known, the line has the bare trace id to search by."""

    def add(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        current = get_current_span().get_span_context()
        if not current.is_valid:
            return event
        trace_id = format_trace_id(current.trace_id)
        if project:
            event["logging.googleapis.com/trace"] = f"projects/{project}/traces/{trace_id}"
            event["logging.googleapis.com/spanId"] = format_span_id(current.span_id)
            event["logging.googleapis.com/trace_sampled"] = current.trace_flags.sampled
        else:
            event["trace_id"] = trace_id
        return event

    return add


def _trace_for_people(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """The first eight digits of the trace id: enough to tell the requests on a terminal apart."""
    current = get_current_span().get_span_context()
    if current.is_valid:
        event["trace"] = format_trace_id(current.trace_id)[:8]
    return event
