"""A publisher that makes each publish a span of the message's trace."""

from dataclasses import replace

from opentelemetry.trace import SpanKind

from shared.domain.messages import Message
from shared.ports import Publisher
from shared.telemetry.traces import ACTIVATION_ID, context_of, span, traceparent_of


class TracedPublisher:
    """The span `publish` is a child of the message's `traceparent`, or else of the current span.

    The message is sent with the span's own `traceparent`, so that `process` is its child.
    """

    def __init__(self, inner: Publisher) -> None:
        self._inner = inner

    def publish(self, message: Message) -> None:
        attributes = {
            "messaging.system": "gcp_pubsub",
            "messaging.operation.type": "send",
            ACTIVATION_ID: message.attributes.get("activation_id", ""),
        }
        parent = context_of(message.attributes.get("traceparent")) or None
        with span("publish", SpanKind.PRODUCER, parent=parent, attributes=attributes) as publish:
            own = traceparent_of(publish)
            sent = {**message.attributes, **({"traceparent": own} if own else {})}
            self._inner.publish(replace(message, attributes=sent))

    def ping(self) -> None:
        self._inner.ping()
