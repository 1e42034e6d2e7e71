"""The store on SQLite: the same port and the same contract tests as Firestore's."""

import json
import secrets
import time
from collections.abc import Callable
from datetime import datetime
from threading import Event
from typing import Any, TypeVar

from local.sqlite.changes import LOOK_SECONDS, Changes
from local.sqlite.database import Database
from shared.clock import Clock, utc_now
from shared.domain.activation import Activation
from shared.domain.cursor import decode_cursor, encode_cursor
from shared.domain.daily_limit import A_DAY, counter_of, still_counted
from shared.domain.messages import DEAD_LETTERS_KEPT, DeadLetter
from shared.domain.summary import Summary
from shared.domain.timestamps import from_microseconds, to_microseconds
from shared.errors import AlreadyExists, Conflict
from shared.ports import Page, Stored
from shared.stored_documents import read_all, read_document, read_up_to

_READ = "SELECT activation_id, created_at, version, written_at, body FROM activations WHERE "
_READ_LETTER = "SELECT message_id, data, attributes, why, received_at FROM dead_letters WHERE "
_ONE = (
    "DELETE FROM messages WHERE json_extract(attributes, '$.activation_id') = ?",
    "DELETE FROM dead_letters WHERE activation_id = ?",
    "DELETE FROM activations WHERE activation_id = ?",
)
_ALL_OF_A_USER = (
    "DELETE FROM messages WHERE json_extract(attributes, '$.activation_id') IN"
    " (SELECT activation_id FROM activations WHERE user_id = ?)",
    "DELETE FROM dead_letters WHERE user_id = ?",
    "DELETE FROM activations WHERE user_id = ?",
)
_Row = tuple[str, int, int, int, str, datetime]
"""The columns of _READ, and when they were read."""

Read = TypeVar("Read")


class SqliteStore:
    """ActivationStore and DeadLetterStore on one file. The clock is the store's own: it decides
    about leases."""

    def __init__(self, database: Database, clock: Clock = utc_now) -> None:
        self._database = database
        self._clock = clock
        self._changes = Changes(database.changed)

    def create(self, activation: Activation, *, daily_limit: int = 0) -> Stored:
        row = self._row(activation)
        # The one promise to a user: what was accepted outlives a power cut. A claim, a lease or a
        # result that is lost with the power is made again.
        with self._database.transaction(durable=True):
            created = self._database.execute(
                "INSERT INTO activations (activation_id, user_id, created_at, expires_at, due_at,"
                " version, written_at, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (activation_id) DO NOTHING",
                *row.values(),
            )
            if daily_limit and created.rowcount == 1:
                self._count(activation, daily_limit)
        if created.rowcount != 1:
            raise AlreadyExists(activation.activation_id)
        return self._just_written(activation, row)

    def get(self, activation_id: str) -> Stored | None:
        found = self._select("activation_id = ?", activation_id)
        return _to_stored(found[0]) if found else None

    def replace(self, activation: Activation, expected_version: str) -> Stored:
        row = self._row(activation)
        # A patch keeps the fields that a later release has added, and deletes those that are null.
        changed = self._database.write(
            "UPDATE activations SET expires_at = ?, due_at = ?, version = ?, written_at = ?,"
            " body = json_patch(body, ?) WHERE activation_id = ? AND CAST(version AS TEXT) = ?",
            *(row[name] for name in ("expires_at", "due_at", "version", "written_at", "body")),
            activation.activation_id,
            expected_version,  # as text: a message may carry anything
        )
        if changed.rowcount != 1:
            raise Conflict(activation.activation_id)
        self._database.changed.ring(activation.activation_id)
        return self._just_written(activation, row)

    def owner(self, activation_id: str) -> str | None:
        query = "SELECT user_id FROM activations WHERE activation_id = ?"
        found = self._database.execute(query, activation_id).fetchone()
        return None if found is None else str(found[0])

    def delete(self, activation_id: str) -> None:
        self._erase(_ONE, activation_id)
        self._database.changed.ring(activation_id)

    def delete_all(self, user_id: str) -> None:
        self._erase(_ALL_OF_A_USER, user_id)

    def page(self, user_id: str, *, limit: int, cursor: str | None = None) -> Page:
        where, parameters = "user_id = ?", [user_id]
        if cursor is not None:
            created_at, activation_id = decode_cursor(cursor)
            where += " AND (created_at, activation_id) < (?, ?)"
            parameters += [str(to_microseconds(created_at)), activation_id]
        order = " ORDER BY created_at DESC, activation_id DESC LIMIT ?"
        found = self._select(where, *parameters, tail=order, tail_parameters=(limit + 1,))
        items = tuple(read_all(found[:limit], _to_stored))
        if len(found) <= limit:
            return Page(items=items, cursor=None)
        last = found[limit - 1]  # also where it can't be read: the next page is behind it
        return Page(items=items, cursor=encode_cursor(from_microseconds(last[1]), last[0]))

    def due(self, now: datetime, *, limit: int) -> list[Stored]:
        return self._read_up_to(limit, "due_at <= ?", now, "due_at", _to_waiting)

    def recent(self, since: datetime, *, limit: int) -> list[Summary]:
        order = "created_at DESC"
        return self._read_up_to(limit, "created_at >= ?", since, order, _to_summary)

    def wait(
        self, activation_id: str, *, seen: str, seconds: float, stop: Event | None = None
    ) -> Stored | None:
        end = time.monotonic() + seconds
        with self._changes.of(activation_id) as changed:
            while True:
                # Read at once: it may have changed before this wait was known.
                changed.clear()
                stored = self.get(activation_id)
                left = end - time.monotonic()
                if stored is None or stored.version != seen or left <= 0:
                    return stored
                if stop is not None and stop.is_set():
                    return stored
                changed.wait(min(left, LOOK_SECONDS))

    def keep_dead_letter(self, letter: DeadLetter) -> None:
        self._database.write(
            "INSERT OR IGNORE INTO dead_letters (message_id, data, attributes, why, received_at,"
            " activation_id, user_id) VALUES (?, ?, ?, ?, ?, ?, ?)",
            letter.message_id,
            letter.data,
            json.dumps(letter.attributes),
            letter.why,
            to_microseconds(letter.received_at),
            *letter.owner,
        )

    def count_dead_letters(self, *, up_to: int) -> int:
        counted = self._database.execute(
            "SELECT count(*) FROM (SELECT 1 FROM dead_letters LIMIT ?)", up_to
        )
        return int(counted.fetchone()[0])

    def dead_letters(self, *, limit: int, after: str | None = None) -> list[DeadLetter]:
        where = "message_id > ? ORDER BY message_id LIMIT ?"
        return self._letters(where, "" if after is None else after, limit)

    def dead_letter(self, message_id: str) -> DeadLetter | None:
        found = self._letters("message_id = ?", message_id)
        return found[0] if found else None

    def discard_dead_letter(self, message_id: str) -> None:
        self._database.write("DELETE FROM dead_letters WHERE message_id = ?", message_id)
        self._database.forget_old_pages()

    def ping(self) -> None:
        self._database.execute("SELECT 1 FROM activations LIMIT 1")

    def purge_expired(self) -> int:
        """What Firestore's TTL policies do by themselves. How many activations were deleted.

        It also finishes an erasure that a crash has cut off.
        """
        now = self._clock()
        self._database.write(
            "DELETE FROM dead_letters WHERE received_at <= ?",
            to_microseconds(now - DEAD_LETTERS_KEPT),
        )
        self._database.write(
            "DELETE FROM submissions WHERE submitted_at <= ?", to_microseconds(now - A_DAY)
        )
        gone = self._database.write(
            "DELETE FROM activations WHERE expires_at <= ?", to_microseconds(now)
        )
        self._database.forget_old_pages()
        return gone.rowcount

    def _count(self, activation: Activation, limit: int) -> None:
        """Take a place of the user's day. Raises LimitReached."""
        counter, now = counter_of(activation.user_id), activation.created_at
        rows = self._database.execute(
            "SELECT submitted_at FROM submissions WHERE counter = ?", counter
        )
        still_counted((from_microseconds(row[0]) for row in rows.fetchall()), now=now, limit=limit)
        self._database.execute(
            "INSERT INTO submissions (counter, submitted_at) VALUES (?, ?)",
            counter,
            to_microseconds(now),
        )

    def _erase(self, statements: tuple[str, ...], whose: str) -> None:
        """The queue's messages too: they carry the goal."""
        with self._database.transaction():
            for statement in statements:
                self._database.execute(statement, whose)
        self._database.forget_old_pages()

    def _letters(self, where: str, *parameters: Any) -> list[DeadLetter]:
        rows = self._database.execute(f"{_READ_LETTER}{where}", *parameters).fetchall()
        return [
            DeadLetter(
                message_id=message_id,
                data=data,
                attributes=json.loads(attributes),
                why=why,
                received_at=from_microseconds(received_at),
            )
            for message_id, data, attributes, why, received_at in rows
        ]

    def _select(
        self, where: str, *parameters: Any, tail: str = "", tail_parameters: tuple[Any, ...] = ()
    ) -> list[_Row]:
        now = self._clock()
        rows = self._database.execute(
            f"{_READ}{where} AND expires_at > ?{tail}",
            *parameters,
            to_microseconds(now),
            *tail_parameters,
        )
        return [(*row, now) for row in rows.fetchall()]

    def _read_up_to(
        self,
        limit: int,
        where: str,
        moment: datetime,
        order: str,
        read: Callable[[_Row], Read | None],
    ) -> list[Read]:
        tail = f" ORDER BY {order} LIMIT ? OFFSET ?"

        def fetch(skip: int) -> list[_Row]:
            bounds = (limit, skip)
            return self._select(where, to_microseconds(moment), tail=tail, tail_parameters=bounds)

        return read_up_to(limit, fetch, read)

    def _row(self, activation: Activation) -> dict[str, Any]:
        due_at = activation.due_at
        return {
            "activation_id": activation.activation_id,
            "user_id": activation.user_id,
            "created_at": to_microseconds(activation.created_at),
            "expires_at": to_microseconds(activation.expires_at),
            "due_at": None if due_at is None else to_microseconds(due_at),
            # Random, not counted: an erased and recreated id must not meet an old version again.
            "version": secrets.randbits(62),
            "written_at": to_microseconds(self._clock()),
            "body": activation.model_dump_json(),
        }

    def _just_written(self, activation: Activation, row: dict[str, Any]) -> Stored:
        written_at = from_microseconds(row["written_at"])
        return Stored(
            activation=activation,
            version=str(row["version"]),
            written_at=written_at,
            read_at=written_at,
        )


def _to_stored(row: _Row) -> Stored:
    activation_id, _, version, written_at, body, read_at = row

    def read() -> Stored:
        return Stored(
            activation=Activation.model_validate_json(body),
            version=str(version),
            written_at=from_microseconds(written_at),
            read_at=read_at,
        )

    return read_document(activation_id, read)


def _to_waiting(row: _Row) -> Stored | None:
    stored = _to_stored(row)
    return stored if stored.activation.waiting else None


def _to_summary(row: _Row) -> Summary:
    activation_id, body = row[0], row[4]
    return read_document(activation_id, lambda: Summary.model_validate_json(body))
