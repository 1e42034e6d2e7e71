"""How long Google's Pub/Sub emulator takes from a publish to the delivery to one who pulls."""

import time
import uuid
from queue import Queue

from google.cloud import pubsub_v1
from google.pubsub_v1.services.publisher import PublisherClient

from shared.google import pubsub

PROJECT = "bench-delivery"
PAUSE_SECONDS = 0.05


def delivery_ms(messages: int) -> list[float]:
    """Milliseconds of each message, published one after the other with the plain RPC."""
    arrived: Queue[float] = Queue()

    def receive(message: pubsub_v1.subscriber.message.Message) -> None:
        arrived.put(time.monotonic())
        message.ack()

    publisher = pubsub.connect()
    with pubsub_v1.SubscriberClient() as subscriber:
        topic = publisher.topic_path(PROJECT, f"bench-{uuid.uuid4().hex}")
        subscription = subscriber.subscription_path(PROJECT, topic.rpartition("/")[2])
        publisher.create_topic(name=topic)
        subscriber.create_subscription(name=subscription, topic=topic)
        stream = subscriber.subscribe(subscription, callback=receive)
        found = [_one(publisher, topic, arrived) for _ in range(messages)]
        stream.cancel()
        stream.result(timeout=10)
    return found


def _one(publisher: PublisherClient, topic: str, arrived: "Queue[float]") -> float:
    time.sleep(PAUSE_SECONDS)
    began = time.monotonic()
    publisher.publish(topic=topic, messages=[{"data": b"x" * 1500}], timeout=10)
    return (arrived.get(timeout=30) - began) * 1000
