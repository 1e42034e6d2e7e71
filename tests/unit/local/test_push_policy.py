"""How the local queue pushes: backoff, the envelope, and what counts as an ack."""

import base64
import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from local.sqlite.database import Database
from local.sqlite.dispatcher import Dispatcher, PushPolicy, envelope
from local.sqlite.queue import Delivery, SqliteQueue
from shared.domain.messages import Message
from shared.errors import StoreUnavailable
from tests.builders import NOON
from tests.support.eventually import eventually
from tests.support.push_target import PushTarget
from worker.http.envelope import unwrap

TOPIC = "requests"


def a_delivery(**changes: Any) -> Delivery:
    fields: dict[str, Any] = {
        "message_id": "17",
        "topic": TOPIC,
        "message": Message(b"\x00\xff", {"schema": "1"}),
        "published_at": NOON,
        "number": 3,
        **changes,
    }
    return Delivery(**fields)


@pytest.fixture
def target() -> Iterator[PushTarget]:
    with PushTarget() as target:
        yield target


@pytest.fixture
def queue(database: Database, target: PushTarget) -> Iterator[SqliteQueue]:
    """A queue whose messages a dispatcher pushes to the target."""
    queue = SqliteQueue(database, TOPIC)
    policy = PushPolicy(
        endpoints={TOPIC: target.url("/push")},
        min_backoff=timedelta(milliseconds=20),
        max_backoff=timedelta(milliseconds=20),
        max_deliveries=2,
    )
    dispatcher = Dispatcher(queue, policy)
    dispatcher.start()
    yield queue
    dispatcher.stop()


# Backoff


@pytest.mark.parametrize(
    ("deliveries", "seconds"),
    [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 32), (7, 60), (8, 60), (100_000, 60)],
)
def test_the_backoff_doubles_from_a_second_to_a_minute(deliveries: int, seconds: int) -> None:
    assert PushPolicy(endpoints={}).backoff(deliveries) == timedelta(seconds=seconds)


def test_the_backoff_starts_and_ends_where_the_policy_says() -> None:
    policy = PushPolicy(
        endpoints={}, min_backoff=timedelta(seconds=2), max_backoff=timedelta(seconds=5)
    )
    assert [policy.backoff(number).total_seconds() for number in (1, 2, 3, 4)] == [2, 4, 5, 5]


# The envelope


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("data", base64.b64encode(b"\x00\xff").decode()),
        ("attributes", {"schema": "1"}),
        ("messageId", "17"),
        ("message_id", "17"),
        ("publishTime", "2026-11-23T12:00:00.123456Z"),
        ("publish_time", "2026-11-23T12:00:00.123456Z"),
    ],
)
def test_the_wrapped_message_has(key: str, value: object) -> None:
    assert envelope(a_delivery())["message"][key] == value


@pytest.mark.parametrize(
    ("key", "value"),
    [("subscription", "projects/local/subscriptions/requests"), ("deliveryAttempt", 3)],
)
def test_the_envelope_has(key: str, value: object) -> None:
    assert envelope(a_delivery())[key] == value


@pytest.mark.parametrize("microsecond", [0, 1, 999_999])
def test_the_time_of_publishing_can_be_read_back(microsecond: int) -> None:
    published_at = NOON.replace(microsecond=microsecond)
    text = str(envelope(a_delivery(published_at=published_at))["message"]["publishTime"])
    assert text.endswith("Z")
    read = datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=timezone.utc)
    assert read == published_at


# Acks


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_what_acks_in_production_acks_here(
    queue: SqliteQueue, target: PushTarget, status: int
) -> None:
    target.plan.append(status)
    queue.publish(Message(b"once"))
    eventually(lambda: queue.next_visible_at() is None, seconds=10, what="the ack")
    assert len(target.pushes) == 1


def test_203_is_a_nack_as_in_production_and_unlike_the_emulator(
    queue: SqliteQueue, target: PushTarget
) -> None:
    target.plan.extend([203, 204])
    queue.publish(Message(b"again"))
    eventually(lambda: queue.next_visible_at() is None, seconds=10, what="the ack")
    assert [push.data for push in target.pushes] == [b"again", b"again"]


def test_deliveries_are_counted_in_the_envelope(queue: SqliteQueue, target: PushTarget) -> None:
    target.plan.extend([503, 503, 204])
    queue.publish(Message(b"again"))
    eventually(lambda: len(target.to("/push")) == 3, seconds=10, what="the third push")
    assert [push.envelope["deliveryAttempt"] for push in target.pushes] == [1, 2, 3]


def test_the_worker_can_unwrap_what_is_pushed(queue: SqliteQueue, target: PushTarget) -> None:
    message = Message(b"\x00\xffdata", {"activation_id": "a1"})
    queue.publish(message)
    eventually(lambda: target.to("/push"), seconds=10, what="the push")
    (push,) = target.pushes
    body = json.dumps(push.envelope).encode()
    assert unwrap(body) == (push.message_id, message)


def test_what_nobody_dead_letters_is_pushed_for_ever(
    queue: SqliteQueue, target: PushTarget
) -> None:
    more_than_allowed = 4
    target.plan.extend([503] * more_than_allowed)
    queue.publish(Message(b"again"))
    pushed = eventually(
        lambda: target.to("/push")[more_than_allowed:], seconds=10, what="the last push"
    )
    assert pushed[0].data == b"again"


def test_a_message_of_a_topic_that_nobody_subscribes_to_waits_and_blocks_nobody(
    database: Database, queue: SqliteQueue, target: PushTarget
) -> None:
    SqliteQueue(database, "an-older-topic").publish(Message(b"waits"))
    queue.publish(Message(b"mine"))
    eventually(lambda: target.to("/push"), seconds=10, what="the push")
    row = database.execute("SELECT deliveries FROM messages WHERE topic = 'an-older-topic'")
    assert row.fetchone() == (0,)
    assert [push.data for push in target.pushes] == [b"mine"]


class FullDisk(SqliteQueue):
    """Counts how often it was looked at."""

    looks = 0

    def make_leased_visible(self) -> None:
        pass

    def lease(self, *_: object, **__: object) -> list[Delivery]:
        self.looks += 1
        raise StoreUnavailable("database or disk is full")


def test_a_full_disk_is_not_looked_at_fifty_times_a_second(
    database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    queue = FullDisk(database, TOPIC)
    dispatcher = Dispatcher(queue, PushPolicy(endpoints={}))
    dispatcher.start()
    eventually(lambda: queue.looks, seconds=10, what="the first look")
    dispatcher.stop()  # the pause after an outage ends at once
    assert queue.looks == 1
    assert "queue.unavailable" in capsys.readouterr().out
