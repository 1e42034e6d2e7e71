"""The publisher on Pub/Sub.

It calls the plain publish RPC. The batching client would hold messages back to save RPCs, and its
future says nothing certain when it times out: one that had raised was published 33 s later.
bench/publish.py measures both.
"""

import os

import grpc
from google.api_core.exceptions import PermissionDenied
from google.pubsub_v1.services.publisher import PublisherClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.types import PubsubMessage

from shared.domain.messages import Message
from shared.errors import PublishFailed
from shared.google.calls import GOOGLE_ERRORS, bounded

ATTEMPT_SECONDS = 2.0
TOTAL_SECONDS = 4.0
"""The library's defaults are 60 s an attempt and 600 s in all; a request that waits on us gets its
202 without the publish after these, and the sweeper publishes later."""

_BOUNDED = bounded(attempt_seconds=ATTEMPT_SECONDS, total_seconds=TOTAL_SECONDS)


class PubSubPublisher:
    """Publisher on one topic."""

    def __init__(self, client: PublisherClient, project: str, topic: str) -> None:
        self._client = client
        self._topic = client.topic_path(project, topic)

    def publish(self, message: Message) -> None:
        wire = PubsubMessage(data=message.data, attributes=message.attributes)
        try:
            self._client.publish(topic=self._topic, messages=[wire], **_BOUNDED)
        except GOOGLE_ERRORS as error:
            raise PublishFailed(type(error).__name__) from error

    def ping(self) -> None:
        try:
            self._client.get_topic(topic=self._topic, **_BOUNDED)
        except PermissionDenied:
            return  # it answered: roles/pubsub.publisher may publish to a topic, not look at it
        except GOOGLE_ERRORS as error:
            raise PublishFailed(type(error).__name__) from error


def connect() -> PublisherClient:
    """A client; against the emulator where PUBSUB_EMULATOR_HOST is set."""
    emulator = os.environ.get("PUBSUB_EMULATOR_HOST")
    if emulator:
        transport = PublisherGrpcTransport(channel=grpc.insecure_channel(emulator))
        return PublisherClient(transport=transport)
    return PublisherClient()
