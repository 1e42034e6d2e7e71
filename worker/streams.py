"""Pull a subscription: each message goes to a handler, many at once, and is acked or nacked."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import structlog
from google.cloud.pubsub_v1 import SubscriberClient
from google.cloud.pubsub_v1.subscriber.message import Message as PulledMessage
from google.cloud.pubsub_v1.subscriber.scheduler import ThreadScheduler
from google.cloud.pubsub_v1.types import FlowControl
from structlog.contextvars import clear_contextvars

from shared.domain.messages import Message
from shared.errors import MessageNotUnderstood, StoreUnavailable
from shared.telemetry.logs import log_activation
from shared.telemetry.traces import trace_of

log = structlog.get_logger(__name__)

Handle = Callable[[str, Message], bool]
"""Takes a message's id and the message; whether to ack it."""


@dataclass(frozen=True, kw_only=True)
class Source:
    subscription: str
    handle: Handle
    at_once: int


def deliver(handle: Handle, pulled: PulledMessage) -> None:
    """Handle one message, then ack or nack it. Whatever goes wrong is a nack: what can't be handled
    ends as a dead letter."""
    clear_contextvars()  # what the last message left in this thread
    log_activation(pulled.attributes.get("activation_id", ""))
    try:
        with trace_of(pulled.attributes.get("traceparent")):
            acked = handle(pulled.message_id, Message(pulled.data, dict(pulled.attributes)))
    except MessageNotUnderstood as error:
        log.error("pull.not_understood", error=str(error))
        acked = False
    except StoreUnavailable as error:
        log.error("store.unavailable", error=str(error))
        acked = False
    except Exception as error:
        log.error("unexpected", error=type(error).__name__)
        acked = False
    if acked:
        pulled.ack()
    else:
        pulled.nack()


class Stream:
    """A StreamingPull that has begun. The library opens it again after passing failures; after one
    that will not pass (no such subscription, no right to it) it ends."""

    def __init__(
        self,
        subscriber: SubscriberClient,
        path: str,
        source: Source,
        *,
        lease_seconds: float,
        wake: Callable[[], object],
    ) -> None:
        """Pub/Sub keeps a message from others for `lease_seconds` at most. `wake` is called from
        another thread when the stream has ended."""
        self.subscription = source.subscription
        executor = ThreadPoolExecutor(source.at_once, thread_name_prefix=source.subscription)
        self._scheduler = _Scheduler(executor)
        self._future = subscriber.subscribe(
            path,
            callback=lambda pulled: deliver(source.handle, pulled),
            flow_control=FlowControl(max_messages=source.at_once, max_lease_duration=lease_seconds),
            scheduler=self._scheduler,
            await_callbacks_on_shutdown=True,
        )
        self._future.add_done_callback(lambda _: wake())

    @property
    def receives(self) -> bool:
        """False from when it was cancelled or has failed, also while messages are still handled."""
        return not self._scheduler.is_shut_down

    @property
    def ended(self) -> bool:
        """No message is handled any more, and none will be."""
        return bool(self._future.done())

    @property
    def error(self) -> BaseException | None:
        """What ended it."""
        return self._future.exception(0) if self.ended else None

    def cancel(self) -> None:
        """Receive nothing more. Returns at once; `ended` when the rest is handled."""
        self._future.cancel()


class _Scheduler(ThreadScheduler):  # type: ignore[misc]  # Google's libraries have no types
    """The library shuts it down first of all when a stream ends. The future tells only after the
    last message was handled, which takes as long as a call to Gemini."""

    is_shut_down = False

    def shutdown(self, await_msg_callbacks: bool = False) -> Any:
        self.is_shut_down = True
        return super().shutdown(await_msg_callbacks)
