"""Google's library as far as a stream sees it: a subscriber, its future, a message."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from google.cloud.pubsub_v1.subscriber.scheduler import ThreadScheduler

from worker.streams import Handle, Source, Stream

PATH = "projects/p/subscriptions/requests"


@dataclass
class Pulled:
    """A message that was pulled, and what was said to it."""

    data: bytes = b"{}"
    attributes: dict[str, str] = field(default_factory=dict)
    message_id: str = "m1"
    said: list[str] = field(default_factory=list)

    def ack(self) -> None:
        self.said.append("ack")

    def nack(self) -> None:
        self.said.append("nack")


class FakeSubscriber:
    """Has one stream; `stop` and `finish` are what happens to it, in the library's order."""

    def __init__(self) -> None:
        self.opened: dict[str, Any] = {}
        self.future = _StreamFuture(self.stop)

    def subscribe(self, path: str, **options: Any) -> Future[bool]:
        self.opened = {"path": path, **options}
        return self.future

    def stop(self) -> None:
        """No message comes any more, whatever the reason."""
        scheduler: ThreadScheduler = self.opened["scheduler"]
        scheduler.shutdown(await_msg_callbacks=True)

    def finish(self, error: Exception | None = None) -> None:
        """The last message was handled."""
        if error is None:
            self.future.set_result(True)
        else:
            self.future.set_exception(error)


class _StreamFuture(Future[bool]):
    def __init__(self, stop: Callable[[], None]) -> None:
        super().__init__()
        self._stop = stop

    def cancel(self) -> bool:
        """Begins the end; does not wait for it."""
        self._stop()
        return True


def a_stream(
    subscriber: FakeSubscriber,
    handle: Handle = lambda *_: True,
    wake: Callable[[], object] = lambda: None,
) -> Stream:
    source = Source(subscription="requests", handle=handle, at_once=3)
    return Stream(subscriber, PATH, source, lease_seconds=90, wake=wake)
