"""One contract, two queues that push: ours on SQLite and Pub/Sub on Google's emulator."""

import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from local.emulators.subscriptions import Delivery, Subscriptions
from local.sqlite.database import open_database
from local.sqlite.dispatcher import Dispatcher, PushPolicy
from local.sqlite.queue import SqliteQueue
from shared.domain.messages import Message
from shared.google import pubsub
from shared.google.pubsub import PubSubPublisher
from shared.ports import Publisher
from shared.settings import Settings
from tests.support.emulators import PROJECT, GoogleEmulators
from tests.support.eventually import eventually
from tests.support.push_target import PushTarget

ATTEMPTS = 5
"""The fewest after which Pub/Sub dead-letters."""

ACK_DEADLINE_SECONDS = 10
"""The shortest that Pub/Sub has."""


@dataclass(frozen=True)
class Backend:
    publisher: Publisher
    target: PushTarget


@pytest.fixture
def target() -> Iterator[PushTarget]:
    with PushTarget() as target:
        yield target


@pytest.fixture(params=["sqlite", "pubsub"])
def queue(request: pytest.FixtureRequest, target: PushTarget, tmp_path: Path) -> Iterator[Backend]:
    if request.param == "sqlite":
        yield from sqlite_queue(target, tmp_path)
    else:
        yield from pubsub_queue(target, request.getfixturevalue("emulators"))


def sqlite_queue(target: PushTarget, folder: Path) -> Iterator[Backend]:
    queue = SqliteQueue(open_database(folder), "requests")
    policy = PushPolicy(
        endpoints={"requests": target.url("/push"), "dead": target.url("/dead")},
        dead_letter_topics={"requests": "dead"},
        ack_deadline=timedelta(seconds=ACK_DEADLINE_SECONDS),
        min_backoff=timedelta(seconds=0.1),
        max_backoff=timedelta(seconds=1),
        max_deliveries=ATTEMPTS,
    )
    dispatcher = Dispatcher(queue, policy)
    dispatcher.start()
    yield Backend(queue, target)
    dispatcher.stop()


def pubsub_queue(target: PushTarget, emulators: GoogleEmulators) -> Iterator[Backend]:
    name = f"t{uuid.uuid4().hex}"
    settings = Settings(
        google_cloud_project=f"{PROJECT}-{name}"[:30],
        pubsub_topic=name,
        pubsub_dead_letter_topic=f"{name}-dead",
    )
    delivery = Delivery(
        min_backoff=0, max_backoff=1, max_attempts=ATTEMPTS, ack_deadline=ACK_DEADLINE_SECONDS
    )
    with emulators.found_by_libraries():
        subscriptions = Subscriptions(settings)
        client = pubsub.connect()
    subscriptions.create_topics()
    subscriptions.push_requests_to(target.url("/push"), delivery)
    subscriptions.push_dead_letters_to(target.url("/dead"), delivery)
    yield Backend(
        PubSubPublisher(client, str(settings.google_cloud_project), settings.pubsub_topic), target
    )
    subscriptions.delete()
    subscriptions.close()
    client.transport.close()


def pushed(queue: Backend, number: int, path: str = "/push") -> Callable[[], bool]:
    return lambda: len(queue.target.to(path)) >= number


def test_a_message_is_pushed_as_it_was_published(queue: Backend) -> None:
    queue.publisher.publish(Message(b"\x00\xffdata", {"activation_id": "a1", "schema": "1"}))
    eventually(pushed(queue, 1))
    (push,) = queue.target.pushes
    assert push.data == b"\x00\xffdata"
    assert push.attributes == {"activation_id": "a1", "schema": "1"}
    assert push.message_id
    assert push.envelope["subscription"]


def test_204_acks_and_the_message_does_not_come_again(queue: Backend) -> None:
    queue.publisher.publish(Message(b"first"))
    eventually(pushed(queue, 1))
    queue.target.plan.extend([503, 204])
    queue.publisher.publish(Message(b"second"))
    eventually(pushed(queue, 3))
    assert [push.data for push in queue.target.pushes] == [b"first", b"second", b"second"]


@pytest.mark.parametrize("status", [503, 400, 401, 500, 429, 302])
def test_any_other_status_has_it_delivered_again(queue: Backend, status: int) -> None:
    queue.target.plan.append(status)
    queue.publisher.publish(Message(b"again"))
    eventually(pushed(queue, 2))
    first, second = queue.target.pushes
    assert first.message_id == second.message_id
    assert first.data == second.data


def test_after_the_last_attempt_it_goes_to_the_dead_letter_topic(queue: Backend) -> None:
    queue.target.plan.extend([503] * ATTEMPTS)
    queue.publisher.publish(Message(b"poison", {"schema": "1"}))
    eventually(pushed(queue, 1, "/dead"), seconds=40)
    (dead,) = queue.target.to("/dead")
    assert len(queue.target.to("/push")) == ATTEMPTS
    assert dead.data == b"poison"
    assert dead.attributes["schema"] == "1"
    assert dead.attributes["CloudPubSubDeadLetterSourceDeliveryCount"] == str(ATTEMPTS)
    assert "CloudPubSubDeadLetterSourceSubscription" in dead.attributes


def test_a_push_that_outlasts_the_ack_deadline_is_delivered_again(queue: Backend) -> None:
    second_came = threading.Event()

    def until_the_second_comes() -> int:
        second_came.wait(60)
        return 204

    def second() -> int:
        second_came.set()
        return 204

    queue.target.plan.extend([until_the_second_comes, second])
    queue.publisher.publish(Message(b"slow"))
    eventually(pushed(queue, 2), seconds=ACK_DEADLINE_SECONDS + 20)
    first, again = queue.target.pushes
    assert first.message_id == again.message_id
    assert again.at - first.at >= ACK_DEADLINE_SECONDS - 1


def test_several_are_pushed_at_once(queue: Backend) -> None:
    both_there = threading.Barrier(2, timeout=20)

    def together() -> int:
        both_there.wait()
        return 204

    queue.target.plan.extend([together, together])
    for number in range(2):
        queue.publisher.publish(Message(str(number).encode()))
    eventually(pushed(queue, 2))
    assert queue.target.most_at_once == 2


def test_every_one_of_many_arrives(queue: Backend) -> None:
    wanted = {str(number).encode() for number in range(100)}
    for data in wanted:
        queue.publisher.publish(Message(data))
    eventually(lambda: {push.data for push in queue.target.to("/push")} == wanted)


def test_answers_a_ping(queue: Backend) -> None:
    queue.publisher.ping()
