"""Push what is in the SQLite queue to the worker, as Pub/Sub push does.

Wrapped envelopes over HTTP; 102, 200, 201, 202 and 204 ack, everything else is delivered again with
exponential backoff; after `max_deliveries` a message goes to the dead-letter topic with the
attributes that Pub/Sub adds (pages: Push subscriptions, Handle message failures).
"""

import base64
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import structlog
import urllib3

from local.sqlite.queue import Delivery, SqliteQueue
from shared.clock import utc_now
from shared.errors import StoreUnavailable

log = structlog.get_logger(__name__)

ACKS = frozenset({102, 200, 201, 202, 204})
CONNECT_SECONDS = 2.0
LOOK_SECONDS = 1.0
"""How often messages are looked for without a ring: a lease or a pause may have ended."""

AFTER_OUTAGE_SECONDS = 1.0
"""The pause after the file could not be read or written, as on a full disk."""


@dataclass(frozen=True, kw_only=True)
class PushPolicy:
    """What a Pub/Sub subscription calls ack deadline, retry policy and dead-letter policy."""

    endpoints: dict[str, str]
    """By topic, the address to push to."""
    dead_letter_topics: dict[str, str] = field(default_factory=dict)
    """By topic, where its messages go after `max_deliveries`. Others are delivered for ever."""
    ack_deadline: timedelta = timedelta(seconds=120)
    min_backoff: timedelta = timedelta(seconds=1)
    max_backoff: timedelta = timedelta(seconds=60)
    max_deliveries: int = 10
    in_flight: int = 16

    def backoff(self, deliveries: int) -> timedelta:
        doubled: timedelta = self.min_backoff * 2 ** min(deliveries - 1, 30)
        return min(doubled, self.max_backoff)


class Dispatcher:
    """Runs in threads of its own between `start` and `stop`."""

    def __init__(self, queue: SqliteQueue, policy: PushPolicy) -> None:
        self._queue = queue
        self._policy = policy
        self._stopping = threading.Event()
        self._free = threading.BoundedSemaphore(policy.in_flight)
        self._short_of_slots = False
        self._connections = urllib3.PoolManager(maxsize=policy.in_flight, retries=False)
        self._pool = ThreadPoolExecutor(policy.in_flight, thread_name_prefix="push")
        self._thread = threading.Thread(target=self._run, name="dispatcher", daemon=True)

    def start(self) -> None:
        self._queue.make_leased_visible()
        self._thread.start()

    def stop(self) -> None:
        """Waits until the worker has answered the pushes under way, at most the ack deadline."""
        self._stopping.set()
        self._queue.published.ring()
        self._thread.join()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _run(self) -> None:
        listener = self._queue.published.listen()
        while not self._stopping.is_set():
            try:
                self._short_of_slots = not self._push_what_is_visible()
                listener.wait(self._seconds_until_the_next())
            except StoreUnavailable as error:
                log.error("queue.unavailable", error=str(error))
                self._stopping.wait(AFTER_OUTAGE_SECONDS)
        listener.close()

    def _seconds_until_the_next(self) -> float:
        """A message that is paused or leased becomes visible without a ring."""
        earliest = None if self._short_of_slots else self._queue.next_visible_at()
        if earliest is None:
            return LOOK_SECONDS
        return min(max(0.0, (earliest - utc_now()).total_seconds()), LOOK_SECONDS)

    def _push_what_is_visible(self) -> bool:
        """True when everything visible is being pushed; False when all slots are taken."""
        slots = 0
        while self._free.acquire(blocking=False):
            slots += 1
        deliveries: list[Delivery] = []
        try:
            if slots:
                deliveries = self._queue.lease(
                    self._policy.endpoints, limit=slots, ack_deadline=self._policy.ack_deadline
                )
        finally:
            for _ in range(slots - len(deliveries)):
                self._free.release()
        for delivery in deliveries:
            self._pool.submit(self._push_in_a_slot, delivery)
        return len(deliveries) < slots

    def _push_in_a_slot(self, delivery: Delivery) -> None:
        try:
            self._push(delivery)
        except StoreUnavailable as error:
            log.error("queue.unavailable", error=str(error))  # delivered again after the lease
        except Exception as error:
            # Nobody looks at the future's result: without this line it would be lost in silence.
            log.error("queue.push_broke", error=type(error).__name__, topic=delivery.topic)
        finally:
            self._free.release()
            if self._short_of_slots:
                self._queue.published.ring()  # a message may wait for this slot

    def _push(self, delivery: Delivery) -> None:
        status = self._post(delivery)
        if status in ACKS:
            self._queue.ack(delivery)
        elif self._is_exhausted(delivery):
            log.warning("queue.dead_letter", message_id=delivery.message_id, status=status)
            self._dead_letter(delivery)
        else:
            self._queue.nack(delivery, pause=self._policy.backoff(delivery.number))

    def _post(self, delivery: Delivery) -> int | None:
        """The status of the answer; None when there was none in time."""
        read_seconds = self._policy.ack_deadline.total_seconds()
        try:
            answer = self._connections.request(
                "POST",
                self._policy.endpoints[delivery.topic],
                json=envelope(delivery),
                timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=read_seconds),
                redirect=False,
            )
        except urllib3.exceptions.HTTPError as error:
            log.debug("queue.push_failed", error=type(error).__name__)
            return None
        return answer.status

    def _is_exhausted(self, delivery: Delivery) -> bool:
        has_dead_letters = delivery.topic in self._policy.dead_letter_topics
        return has_dead_letters and delivery.number >= self._policy.max_deliveries

    def _dead_letter(self, delivery: Delivery) -> None:
        source = {
            "CloudPubSubDeadLetterSourceDeliveryCount": str(delivery.number),
            "CloudPubSubDeadLetterSourceSubscription": delivery.topic,
            "CloudPubSubDeadLetterSourceSubscriptionProject": "local",
            "CloudPubSubDeadLetterSourceTopicPublishTime": delivery.published_at.isoformat(),
        }
        self._queue.move(
            delivery,
            topic=self._policy.dead_letter_topics[delivery.topic],
            attributes={**delivery.message.attributes, **source},
        )


def envelope(delivery: Delivery) -> dict[str, Any]:
    """The wrapped form, with both spellings that Pub/Sub sends."""
    published_at = delivery.published_at.isoformat().replace("+00:00", "Z")
    return {
        "message": {
            "data": base64.b64encode(delivery.message.data).decode(),
            "attributes": delivery.message.attributes,
            "messageId": delivery.message_id,
            "message_id": delivery.message_id,
            "publishTime": published_at,
            "publish_time": published_at,
        },
        "subscription": f"projects/local/subscriptions/{delivery.topic}",
        "deliveryAttempt": delivery.number,
    }
