"""Look into the queue of a running pipeline from outside, and publish to it."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from google.cloud import pubsub_v1

from local.sqlite.database import open_database
from local.sqlite.queue import SqliteQueue
from shared.domain.messages import Message
from shared.google import pubsub
from shared.google.pubsub import PubSubPublisher
from shared.settings import Settings
from tests.e2e.pipeline import Pipeline
from tests.support.emulators import GoogleEmulators
from tests.support.eventually import eventually

PROJECT = "innerjourney-local"
TOPIC = Settings.model_fields["pubsub_topic"].default


class Queue(Protocol):
    def message_of(self, activation_id: str) -> Message:
        """The message as it was published; while it is being handled."""
        ...

    def publish(self, message: Message) -> None: ...


@contextmanager
def listening(pipeline: Pipeline) -> Iterator[Queue]:
    """From now on messages can be asked for."""
    if not pipeline.emulators:
        yield _SqliteTable(pipeline)
        return
    queue = _SpySubscription(pipeline)
    yield queue
    queue.close()


class _SqliteTable:
    def __init__(self, pipeline: Pipeline) -> None:
        self._database = open_database(pipeline.folder / ".data")

    def message_of(self, activation_id: str) -> Message:
        rows = self._database.execute("SELECT data, attributes FROM messages").fetchall()
        ((data, _),) = [row for row in rows if activation_id in row[1]]
        return Message(data, {"activation_id": activation_id, "schema": "1"})

    def publish(self, message: Message) -> None:
        SqliteQueue(self._database, TOPIC).publish(message)


class _SpySubscription:
    """A second subscription gets a copy of everything."""

    def __init__(self, pipeline: Pipeline) -> None:
        with emulators_of(pipeline).found_by_libraries():
            self._subscriber = pubsub_v1.SubscriberClient()
            self._client = pubsub.connect()
        name = f"spy-{uuid.uuid4().hex}"
        self._path = self._subscriber.subscription_path(PROJECT, name)
        topic = self._client.topic_path(PROJECT, TOPIC)
        self._subscriber.create_subscription(name=self._path, topic=topic)

    def message_of(self, activation_id: str) -> Message:
        def pulled() -> Message | None:
            answer = self._subscriber.pull(subscription=self._path, max_messages=10, timeout=10)
            for received in answer.received_messages:
                if received.message.attributes["activation_id"] == activation_id:
                    return Message(received.message.data, dict(received.message.attributes))
            return None

        found = eventually(pulled, what="a copy of the message")
        assert found is not None
        return found

    def publish(self, message: Message) -> None:
        PubSubPublisher(self._client, PROJECT, TOPIC).publish(message)

    def close(self) -> None:
        self._subscriber.delete_subscription(subscription=self._path)
        self._subscriber.close()
        self._client.transport.close()


def emulators_of(pipeline: Pipeline) -> GoogleEmulators:
    return GoogleEmulators(
        f"127.0.0.1:{pipeline.pubsub_port}", f"127.0.0.1:{pipeline.firestore_port}"
    )
