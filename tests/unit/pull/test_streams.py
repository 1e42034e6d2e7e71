"""A pulled message is acked or nacked whatever happens, and a stream says how it is."""

import pytest
from google.api_core.exceptions import NotFound
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from shared.domain.messages import Message
from shared.errors import MessageNotUnderstood, StoreUnavailable
from shared.telemetry.traces import current_traceparent
from tests.unit.pull.streams import PATH, FakeSubscriber, Pulled, a_stream
from worker.streams import deliver

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.mark.parametrize(("acked", "said"), [(True, "ack"), (False, "nack")])
def test_a_message_is_acked_or_nacked_as_its_handler_says(acked: bool, said: str) -> None:
    pulled = Pulled()
    deliver(lambda *_: acked, pulled)
    assert pulled.said == [said]


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (MessageNotUnderstood("schema"), {"event": "pull.not_understood", "error": "schema"}),
        (StoreUnavailable("Aborted"), {"event": "store.unavailable", "error": "Aborted"}),
        (ValueError("a goal of a user"), {"event": "unexpected", "error": "ValueError"}),
    ],
)
def test_a_message_whose_handler_fails_is_nacked_and_logged_in_one_line(
    error: Exception, line: dict[str, str]
) -> None:
    def fail(*_: object) -> bool:
        raise error

    pulled = Pulled()
    with capture_logs() as logs:
        deliver(fail, pulled)
    assert pulled.said == ["nack"]
    assert logs == [{**line, "log_level": "error"}]


def test_a_line_of_a_message_that_fails_names_its_activation_and_the_next_one_does_not() -> None:
    def fail(*_: object) -> bool:
        raise StoreUnavailable("Aborted")

    with capture_logs(processors=[merge_contextvars]) as lines:
        deliver(fail, Pulled(attributes={"activation_id": "a1"}))
        deliver(fail, Pulled())
    assert [line.get("activation_id") for line in lines] == ["a1", None]


def test_a_handler_gets_the_message_and_its_id_in_the_trace_of_the_message() -> None:
    handled = []

    def handle(message_id: str, message: Message) -> bool:
        handled.append((message_id, message, current_traceparent()))
        return True

    deliver(handle, Pulled(b"data", {"traceparent": TRACEPARENT}, "m7"))
    assert handled == [("m7", Message(b"data", {"traceparent": TRACEPARENT}), TRACEPARENT)]


def test_a_stream_takes_as_many_messages_as_it_may_handle_at_once_for_as_long_as_a_lease() -> None:
    subscriber = FakeSubscriber()
    a_stream(subscriber)
    flow = subscriber.opened["flow_control"]
    assert subscriber.opened["path"] == PATH
    assert (flow.max_messages, flow.max_lease_duration) == (3, 90)


def test_a_stream_that_has_failed_receives_nothing_while_its_messages_are_still_handled() -> None:
    subscriber = FakeSubscriber()
    stream = a_stream(subscriber)
    assert (stream.receives, stream.ended) == (True, False)
    subscriber.stop()
    assert (stream.receives, stream.ended) == (False, False)


def test_a_stream_that_has_ended_wakes_the_main_thread_and_says_why() -> None:
    subscriber = FakeSubscriber()
    woken: list[bool] = []
    stream = a_stream(subscriber, wake=lambda: woken.append(True))
    assert (woken, stream.error) == ([], None)
    error = NotFound("no such subscription")
    subscriber.finish(error)
    assert (woken, stream.ended, stream.error) == ([True], True, error)


def test_a_cancelled_stream_ends_when_its_messages_are_handled() -> None:
    subscriber = FakeSubscriber()
    stream = a_stream(subscriber)
    stream.cancel()
    assert (stream.receives, stream.ended) == (False, False)
    subscriber.finish()
    assert (stream.ended, stream.error) == (True, None)
