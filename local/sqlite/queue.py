"""The queue on SQLite: published messages wait in a table until a delivery is acked.

A leased message is one whose `visible_at` lies ahead: when the lease ends without an ack it is
delivered again, also after the process that held it was killed.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from local.sqlite.database import Database
from shared.clock import utc_now
from shared.domain.messages import Message
from shared.domain.timestamps import from_microseconds, to_microseconds
from shared.errors import PublishFailed, StoreUnavailable


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """A message on its way; `number` counts the deliveries, this one included."""

    message_id: str
    topic: str
    message: Message
    published_at: datetime
    number: int


class SqliteQueue:
    """Publishes to one topic of the database, and delivers the messages of all its topics."""

    def __init__(self, database: Database, topic: str) -> None:
        self._database = database
        self._topic = topic
        self.published = database.published

    def publish(self, message: Message) -> None:
        try:
            self._insert(self._topic, message)
        except StoreUnavailable as error:
            raise PublishFailed(str(error)) from error
        self.published.ring()

    def ping(self) -> None:
        try:
            self._database.execute("SELECT 1 FROM messages LIMIT 1")
        except StoreUnavailable as error:
            raise PublishFailed(str(error)) from error

    def lease(
        self, topics: Collection[str], *, limit: int, ack_deadline: timedelta
    ) -> list[Delivery]:
        """The oldest visible messages of these topics, hidden from now until the ack deadline."""
        now = utc_now()
        with self._database.transaction():
            rows = self._database.execute(
                "SELECT message_id, topic, data, attributes, published_at, deliveries FROM messages"
                " WHERE visible_at <= ? AND topic IN (SELECT value FROM json_each(?))"
                " ORDER BY visible_at, message_id LIMIT ?",
                to_microseconds(now),
                json.dumps(list(topics)),
                limit,
            ).fetchall()
            for row in rows:
                self._database.execute(
                    "UPDATE messages SET deliveries = deliveries + 1, visible_at = ?"
                    " WHERE message_id = ?",
                    to_microseconds(now + ack_deadline),
                    row[0],
                )
        return [
            Delivery(
                message_id=str(message_id),
                topic=topic,
                message=Message(data, json.loads(attributes)),
                published_at=from_microseconds(published_at),
                number=deliveries + 1,
            )
            for message_id, topic, data, attributes, published_at, deliveries in rows
        ]

    def ack(self, delivery: Delivery) -> None:
        if self._take_off(delivery) and self._was_erased(delivery.message):
            self._database.forget_old_pages()  # published while it was erased: its last trace

    def nack(self, delivery: Delivery, *, pause: timedelta) -> None:
        """Deliver it again after the pause, unless a later delivery has leased it meanwhile."""
        self._database.write(
            "UPDATE messages SET visible_at = ? WHERE message_id = ? AND deliveries = ?",
            to_microseconds(utc_now() + pause),
            delivery.message_id,
            delivery.number,
        )

    def move(self, delivery: Delivery, *, topic: str, attributes: dict[str, str]) -> None:
        """Move it to another topic, in one transaction; an erased message stays erased."""
        with self._database.transaction():
            if self._take_off(delivery):
                self._insert(topic, Message(delivery.message.data, attributes))

    def make_leased_visible(self) -> None:
        """End all leases. Called when the only dispatcher starts: nobody holds one any more."""
        now = to_microseconds(utc_now())
        self._database.write(
            "UPDATE messages SET visible_at = ? WHERE deliveries > 0 AND visible_at > ?", now, now
        )

    def next_visible_at(self) -> datetime | None:
        earliest = self._database.execute("SELECT min(visible_at) FROM messages").fetchone()[0]
        return None if earliest is None else from_microseconds(earliest)

    def _take_off(self, delivery: Delivery) -> bool:
        """False when it is gone already."""
        gone = self._database.write(
            "DELETE FROM messages WHERE message_id = ?", delivery.message_id
        )
        return gone.rowcount == 1

    def _was_erased(self, message: Message) -> bool:
        activation_id = message.attributes.get("activation_id")
        found = self._database.execute(
            "SELECT 1 FROM activations WHERE activation_id = ?", activation_id
        )
        return activation_id is not None and found.fetchone() is None

    def _insert(self, topic: str, message: Message) -> None:
        now = to_microseconds(utc_now())
        self._database.write(
            "INSERT INTO messages (topic, data, attributes, published_at, visible_at)"
            " VALUES (?, ?, ?, ?, ?)",
            topic,
            message.data,
            json.dumps(message.attributes),
            now,
            now,
        )
