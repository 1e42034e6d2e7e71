"""Create topics and push subscriptions, with retry and dead-letter policy, where missing.

`make emulators` and docker-compose's one-shot service call this same code.
"""

import contextlib
from dataclasses import dataclass

import structlog
from google.api_core.exceptions import AlreadyExists, GoogleAPIError, NotFound
from google.cloud import pubsub_v1
from google.protobuf.duration_pb2 import Duration
from google.pubsub_v1.types import (
    DeadLetterPolicy,
    ExpirationPolicy,
    PushConfig,
    RetryPolicy,
    Subscription,
)

from shared.google.calls import bounded
from shared.periodic import Periodic
from shared.settings import ACK_DEADLINE_SECONDS, Settings

log = structlog.get_logger(__name__)

LOOK_SECONDS = 2.0
PUSH_SUBSCRIPTION = "activation-requests-push"
DEAD_LETTER_SUBSCRIPTION = "activation-requests-dead-push"
_BOUNDED = bounded(attempt_seconds=5, total_seconds=15)
_ONCE = {"timeout": 5.0, "retry": None}


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """How a subscription delivers. Times in seconds; Pub/Sub's page: Handle message failures."""

    min_backoff: int = 1
    max_backoff: int = 60
    max_attempts: int = 10
    ack_deadline: int = ACK_DEADLINE_SECONDS


PULLED = Delivery(ack_deadline=60)
"""With the ack deadline that a StreamingPull of Google's library sets for its messages anyway."""


class Subscriptions:
    """The topics of one project and what is subscribed to them."""

    def __init__(self, settings: Settings) -> None:
        project = settings.google_cloud_project or ""
        self._publisher = pubsub_v1.PublisherClient()
        self._subscriber = pubsub_v1.SubscriberClient()
        self._project = project
        self.requests = self._publisher.topic_path(project, settings.pubsub_topic)
        self.dead = self._publisher.topic_path(project, settings.pubsub_dead_letter_topic)

    def push_to(self, worker_url: str) -> None:
        """Both topics, each pushed to its route of the worker at this URL."""
        self.create_topics()
        self.push_requests_to(f"{worker_url}/pubsub/push")
        self.push_dead_letters_to(f"{worker_url}/pubsub/dead-letter")

    def create_topics(self) -> None:
        for topic in (self.requests, self.dead):
            with contextlib.suppress(AlreadyExists):
                self._publisher.create_topic(name=topic, **_BOUNDED)

    def push_requests_to(self, endpoint: str, delivery: Delivery | None = None) -> None:
        delivery = delivery or Delivery()
        dead = DeadLetterPolicy(
            dead_letter_topic=self.dead, max_delivery_attempts=delivery.max_attempts
        )
        self._create(PUSH_SUBSCRIPTION, self.requests, endpoint, delivery, dead)

    def push_dead_letters_to(self, endpoint: str, delivery: Delivery | None = None) -> None:
        self._create(DEAD_LETTER_SUBSCRIPTION, self.dead, endpoint, delivery or Delivery(), None)

    def pull_requests(self, name: str, delivery: Delivery = PULLED) -> None:
        """A subscription for `python -m worker.pull`."""
        dead = DeadLetterPolicy(
            dead_letter_topic=self.dead, max_delivery_attempts=delivery.max_attempts
        )
        self._create(name, self.requests, None, delivery, dead)

    def pull_dead_letters(self, name: str, delivery: Delivery = PULLED) -> None:
        """Another one for it."""
        self._create(name, self.dead, None, delivery, None)

    def are_missing(self) -> bool:
        """Whether the emulator answers and lacks our subscriptions: a restart loses them.

        Topics are not enough: a start that was interrupted may have created only these.
        """
        try:
            for name in (PUSH_SUBSCRIPTION, DEAD_LETTER_SUBSCRIPTION):
                self._subscriber.get_subscription(subscription=self._path(name), **_ONCE)
        except NotFound:
            return True
        except GoogleAPIError:
            return False
        return False

    def delete(self) -> None:
        """Unsubscribe; what was not delivered is lost."""
        for name in (PUSH_SUBSCRIPTION, DEAD_LETTER_SUBSCRIPTION):
            with contextlib.suppress(NotFound):
                self._subscriber.delete_subscription(subscription=self._path(name), **_BOUNDED)

    def close(self) -> None:
        self._publisher.stop()
        self._publisher.transport.close()
        self._subscriber.close()

    def _path(self, name: str) -> str:
        return str(self._subscriber.subscription_path(self._project, name))

    def _create(
        self,
        name: str,
        topic: str,
        endpoint: str | None,
        delivery: Delivery,
        dead: DeadLetterPolicy | None,
    ) -> None:
        subscription = Subscription(
            name=self._path(name),
            topic=topic,
            push_config=PushConfig(push_endpoint=endpoint) if endpoint else None,
            ack_deadline_seconds=delivery.ack_deadline,
            retry_policy=RetryPolicy(
                minimum_backoff=Duration(seconds=delivery.min_backoff),
                maximum_backoff=Duration(seconds=delivery.max_backoff),
            ),
            dead_letter_policy=dead,
            expiration_policy=ExpirationPolicy(),  # empty: a quiet month does not delete it
        )
        with contextlib.suppress(AlreadyExists):
            self._subscriber.create_subscription(request=subscription, **_BOUNDED)


def keeping_subscribed(subscriptions: Subscriptions, worker_url: str) -> Periodic:
    """Subscribes again when the emulator was restarted: it keeps nothing across a restart."""

    def look() -> None:
        if subscriptions.are_missing():
            subscriptions.push_to(worker_url)
            log.warning("subscriptions.created_again")

    return Periodic("subscriptions", LOOK_SECONDS, look)
