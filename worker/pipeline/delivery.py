"""One delivery of a message, pushed or pulled: the span `process`."""

from opentelemetry.trace import SpanKind

from shared.domain.messages import Message, decode
from shared.telemetry.traces import ACTIVATION_ID, context_of, span
from worker.pipeline.process import Outcome, Processor


def deliver(processor: Processor, message: Message) -> Outcome:
    """Raises MessageNotUnderstood, and what `process` raises."""
    parent = context_of(message.attributes.get("traceparent")) or None
    attributes = {"messaging.system": "gcp_pubsub", "messaging.operation.type": "process"}
    with span("process", SpanKind.CONSUMER, parent=parent, attributes=attributes) as process:
        wanted = decode(message)
        process.set_attribute(ACTIVATION_ID, wanted.activation.activation_id)
        outcome = processor.process(wanted)
        process.set_attribute("innerjourney.outcome", outcome)
        return outcome
