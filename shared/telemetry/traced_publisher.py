"""A publisher whose messages carry on the trace that they belong to."""

from dataclasses import replace

from opentelemetry.trace import SpanKind

from shared.domain.messages import Message
from shared.ports import Publisher
from shared.telemetry.traces import ACTIVATION_ID, context_of, span, traceparent_of


class TracedPublisher:
    """The span `publish` is the child of the `traceparent` that the message comes with, or else of
    the current span; the message leaves with the span's own, so that `process` is its child."""

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
