"""Where a trace begins, how it goes on, and what a span says of an error."""

from collections.abc import Iterator

import pytest
from opentelemetry.trace import SpanKind, format_span_id, format_trace_id, get_current_span
from structlog.testing import capture_logs

from shared.domain.messages import Message
from shared.errors import PublishFailed
from shared.telemetry.provider import install, without_export
from shared.telemetry.traced_publisher import TracedPublisher
from shared.telemetry.traces import (
    begin_span,
    context_of,
    current_traceparent,
    span,
    traceparent_of,
    unexported,
)
from tests.doubles import FakePublisher
from tests.support.recorded_telemetry import Recorded

TRACE_ID, SPAN_ID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE_ID}-{SPAN_ID}-01"
CANARY = "secret-canary"

INVALID = [
    None,
    "",
    "nonsense",
    f"00-{'0' * 32}-{SPAN_ID}-01",
    f"00-{TRACE_ID}-{'0' * 16}-01",
    f"ff-{TRACE_ID}-{SPAN_ID}-01",
    f"00-{TRACE_ID}-{SPAN_ID}-01-more",
    f"00-{TRACE_ID.upper()}-{SPAN_ID}-01",
    TRACEPARENT + "-" + "x" * 600,
]


def test_without_a_collector_the_callers_trace_goes_on_with_its_mark() -> None:
    with span("process", parent=context_of(TRACEPARENT)):
        _, trace, _, flags = str(current_traceparent()).split("-")
        assert (trace, flags) == (TRACE_ID, "01")


@pytest.mark.parametrize("header", INVALID)
def test_without_a_collector_an_invalid_one_is_replaced_by_a_valid_one(header: str | None) -> None:
    made = traceparent_of(unexported(context_of(header)))
    assert context_of(made)
    assert TRACE_ID not in str(made)


def test_a_trace_that_nobody_records_does_not_say_that_it_is_sampled() -> None:
    made = unexported(context_of(None)).get_span_context()
    assert not made.trace_flags.sampled


def test_outside_of_everything_there_is_no_trace() -> None:
    assert current_traceparent() is None


def test_a_span_is_the_child_of_the_context_that_came_in(recorded: Recorded) -> None:
    with span("process", SpanKind.CONSUMER, parent=context_of(TRACEPARENT)):
        pass
    process = recorded.one("process")
    assert process.parent is not None
    assert format_trace_id(process.context.trace_id) == TRACE_ID
    assert format_span_id(process.parent.span_id) == SPAN_ID


@pytest.mark.parametrize("header", INVALID)
def test_an_invalid_context_begins_a_new_trace_with_no_parent(
    recorded: Recorded, header: str | None
) -> None:
    begin_span("submit", SpanKind.SERVER, context_of(header)).end()
    assert recorded.one("submit").parent is None


def test_a_caller_that_does_not_sample_is_followed(recorded: Recorded) -> None:
    with span("process", parent=context_of(TRACEPARENT[:-1] + "0")):
        assert (current_traceparent() or "").endswith("-00")
    assert recorded.spans == []


def test_an_error_is_recorded_by_its_class_and_nothing_of_its_text(recorded: Recorded) -> None:
    with pytest.raises(ValueError, match=CANARY), span("process"):
        raise ValueError(CANARY)
    process = recorded.one("process")
    assert (process.attributes or {})["error.type"] == "ValueError"
    assert process.status.is_ok is False
    assert process.events == ()
    assert CANARY not in recorded.everything


def test_after_a_span_nothing_of_it_is_current(recorded: Recorded) -> None:
    with span("process"):
        assert get_current_span().get_span_context().is_valid
    assert not get_current_span().get_span_context().is_valid


# What is published


def published(message: Message) -> Message:
    inner = FakePublisher()
    TracedPublisher(inner).publish(message)
    (sent,) = inner.published
    return sent


@pytest.fixture
def sdk_disabled(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """OpenTelemetry's own variable: its tracers then give spans without an id."""
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    install(without_export.__wrapped__())
    yield
    install(without_export())


@pytest.mark.usefixtures("sdk_disabled")
def test_where_the_sdk_is_disabled_a_message_leaves_without_a_trace_of_ours() -> None:
    assert published(Message(b"x", {"schema": "1"})) == Message(b"x", {"schema": "1"})


@pytest.mark.usefixtures("sdk_disabled")
def test_where_the_sdk_is_disabled_the_callers_trace_goes_on_as_it_is() -> None:
    message = Message(b"x", {"traceparent": TRACEPARENT})
    assert published(message) == message


def test_without_a_collector_a_message_leaves_in_its_own_trace() -> None:
    sent = published(Message(b"x", {"traceparent": TRACEPARENT, "schema": "1"}))
    assert (sent.data, sent.attributes["schema"]) == (b"x", "1")
    assert sent.attributes["traceparent"].startswith(f"00-{TRACE_ID}-")


def test_with_tracing_a_message_leaves_with_the_context_of_its_publish(recorded: Recorded) -> None:
    sent = published(Message(b"x", {"traceparent": TRACEPARENT}))
    publish = recorded.one("publish")
    span_id = format_span_id(publish.context.span_id)
    assert sent.attributes["traceparent"] == f"00-{TRACE_ID}-{span_id}-01"
    assert publish.kind is SpanKind.PRODUCER


def test_a_message_without_a_context_goes_on_with_the_current_one(recorded: Recorded) -> None:
    with span("submit") as submit:
        sent = published(Message(b"x"))
    trace_id = format_trace_id(submit.get_span_context().trace_id)
    assert trace_id in sent.attributes["traceparent"]


def test_a_publish_that_fails_is_marked_and_raised(recorded: Recorded) -> None:
    broken = FakePublisher()
    broken.broken = True
    with pytest.raises(PublishFailed):
        TracedPublisher(broken).publish(Message(b"x"))
    assert (recorded.one("publish").attributes or {})["error.type"] == "PublishFailed"


def test_a_very_long_header_is_not_logged_about() -> None:
    with capture_logs() as logs:
        context_of("0" * 8000)
    assert logs == []
