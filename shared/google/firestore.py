"""The store on Firestore.

Each method is one RPC; `due` and `recent` take more where documents can't be read, erasing looks
for dead letters as well, and `create` with a limit reads a counter that this process does not know.
Conditional writes use the `last_update_time` precondition instead of a transaction: a claim with
eight racers took 20 ms and had one winner, where transactions retried without backoff
(docs/adr/0002).
"""

import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from threading import Event
from typing import Any, TypeVar

from google.api_core import exceptions as google_errors
from google.api_core.datetime_helpers import DatetimeWithNanoseconds
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from shared.domain.activation import Activation
from shared.domain.cursor import decode_cursor, encode_cursor
from shared.domain.messages import DeadLetter
from shared.domain.summary import Summary
from shared.errors import AlreadyExists, Conflict, StoreUnavailable
from shared.google.calls import GOOGLE_ERRORS, bounded
from shared.google.dead_letters import document_of, letter_of
from shared.google.submissions import SubmissionCounters
from shared.google.waiting import wait_until_changed
from shared.ports import Page, Stored
from shared.stored_documents import read_all, read_document, read_up_to

ATTEMPT_SECONDS = 3.0
TOTAL_SECONDS = 6.0
"""With the last attempt a call ends within 9 s, so that a user gets a 503 within 10."""

SHARDS = 8
"""`due` reads an index on (shard, due_at), `recent` one on (shard, created_at desc). An index on a
time alone limits a collection to about 500 writes a second (page: Best practices, 'Writes to a
narrow range'); eight lift that to 4,000."""

ERASED_AT_ONCE = 300
"""Writes in one commit; well within its 10 MiB (page: Quotas)."""

BEFORE_ALL = datetime(1, 1, 1, tzinfo=timezone.utc)
"""Firestore's earliest time (page: Supported data types)."""

DEAD_LETTERS = "dead_letters"
READINESS_PROBE = "readyz"

_NOT_THE_CURRENT_VERSION = (
    google_errors.FailedPrecondition,
    google_errors.NotFound,
    google_errors.InvalidArgument,  # a time that no document can have, in a forged message
)
_BOUNDED = bounded(attempt_seconds=ATTEMPT_SECONDS, total_seconds=TOTAL_SECONDS)

Read = TypeVar("Read")


class FirestoreStore:
    """ActivationStore on one collection, and DeadLetterStore."""

    def __init__(self, client: firestore.Client, collection: str) -> None:
        self._client = client
        self._collection = client.collection(collection)
        self._letters = client.collection(DEAD_LETTERS)
        self._counters = SubmissionCounters(
            client, attempt_seconds=ATTEMPT_SECONDS, total_seconds=TOTAL_SECONDS
        )

    def create(self, activation: Activation, *, daily_limit: int = 0) -> Stored:
        document = self._collection.document(activation.activation_id)
        fields = _to_document(activation)
        with _translated():
            if daily_limit:
                written_at = self._counters.create(document, fields, activation, daily_limit)
                return _just_written(activation, written_at)
            try:
                result = document.create(fields, **_BOUNDED)
            except google_errors.AlreadyExists:
                raise AlreadyExists(activation.activation_id) from None
        return _just_written(activation, result.update_time)

    def get(self, activation_id: str) -> Stored | None:
        with _translated():
            snapshot = self._collection.document(activation_id).get(**_BOUNDED)
        return _to_stored(snapshot)

    def replace(self, activation: Activation, expected_version: str) -> Stored:
        document = self._collection.document(activation.activation_id)
        try:
            expected = DatetimeWithNanoseconds.from_rfc3339(expected_version)
        except ValueError:  # a message that somebody else has made
            raise Conflict(activation.activation_id) from None
        fields = {**_ABSENT, **_to_document(activation)}
        with _translated():
            try:
                result = document.update(
                    fields, option=self._client.write_option(last_update_time=expected), **_BOUNDED
                )
            except _NOT_THE_CURRENT_VERSION:
                raise Conflict(activation.activation_id) from None
        return _just_written(activation, result.update_time)

    def owner(self, activation_id: str) -> str | None:
        with _translated():
            snapshot = self._collection.document(activation_id).get(["user_id"], **_BOUNDED)
        user_id = (snapshot.to_dict() or {}).get("user_id")
        return user_id if isinstance(user_id, str) else None

    def delete(self, activation_id: str) -> None:
        with _translated():
            self._erase(self._letters, "activation_id", activation_id)
            # Last, so that its owner still finds it and can try again where this was cut off.
            self._collection.document(activation_id).delete(**_BOUNDED)

    def delete_all(self, user_id: str) -> None:
        with _translated():
            self._erase(self._collection, "user_id", user_id)
            self._erase(self._letters, "user_id", user_id)

    def _erase(self, collection: Any, field: str, whose: str) -> None:
        found = collection.where(filter=FieldFilter(field, "==", whose)).select([])
        while snapshots := list(found.limit(ERASED_AT_ONCE).stream(**_BOUNDED)):
            batch = self._client.batch()
            for snapshot in snapshots:
                batch.delete(snapshot.reference)
            batch.commit(**_BOUNDED)

    def page(self, user_id: str, *, limit: int, cursor: str | None = None) -> Page:
        query = (
            self._collection.where(filter=FieldFilter("user_id", "==", user_id))
            # Any time: what is no time at all would make a cursor that can't be followed.
            .where(filter=FieldFilter("created_at", ">=", BEFORE_ALL))
            .order_by("created_at", direction=firestore.Query.DESCENDING)
            .order_by("activation_id", direction=firestore.Query.DESCENDING)
        )
        if cursor is not None:
            created_at, activation_id = decode_cursor(cursor)
            query = query.start_after({"created_at": created_at, "activation_id": activation_id})
        with _translated():
            snapshots = list(query.limit(limit + 1).stream(**_BOUNDED))
        items = tuple(read_all(snapshots[:limit], _to_stored))
        if len(snapshots) <= limit:
            return Page(items=items, cursor=None)
        last = snapshots[limit - 1]
        return Page(items=items, cursor=encode_cursor(last.get("created_at"), last.id))

    def due(self, now: datetime, *, limit: int) -> list[Stored]:
        query = (
            self._collection.where(filter=FieldFilter("shard", "in", list(range(SHARDS))))
            .where(filter=FieldFilter("due_at", "<=", now))
            .order_by("due_at")
        )
        return _read_up_to(limit, query, _to_waiting)

    def recent(self, since: datetime, *, limit: int) -> list[Summary]:
        query = (
            self._collection.where(filter=FieldFilter("shard", "in", list(range(SHARDS))))
            .where(filter=FieldFilter("created_at", ">=", since))
            .order_by("created_at", direction=firestore.Query.DESCENDING)
            .select(Summary.model_fields)
        )
        return _read_up_to(limit, query, _to_summary)

    def wait(
        self, activation_id: str, *, seen: str, seconds: float, stop: Event | None = None
    ) -> Stored | None:
        return wait_until_changed(
            lambda: self.get(activation_id), seen=seen, seconds=seconds, stop=stop
        )

    def keep_dead_letter(self, letter: DeadLetter) -> None:
        with _translated():
            self._letters.document(letter.message_id).set(document_of(letter), **_BOUNDED)

    def count_dead_letters(self, *, up_to: int) -> int:
        query = self._letters.limit(up_to)
        with _translated():
            return int(query.count().get(**_BOUNDED)[0][0].value)

    def dead_letters(self, *, limit: int, after: str | None = None) -> list[DeadLetter]:
        query = self._letters.order_by("__name__").limit(limit)
        if after is not None:
            query = query.start_after([after])
        with _translated():
            return [letter_of(snapshot) for snapshot in query.stream(**_BOUNDED)]

    def dead_letter(self, message_id: str) -> DeadLetter | None:
        with _translated():
            try:
                snapshot = self._letters.document(message_id).get(**_BOUNDED)
            except (ValueError, google_errors.InvalidArgument):
                return None  # such as a/b: no document can have this id
        return letter_of(snapshot) if snapshot.exists else None

    def discard_dead_letter(self, message_id: str) -> None:
        with _translated():
            self._letters.document(message_id).delete(**_BOUNDED)

    def ping(self) -> None:
        with _translated():
            self._collection.document(READINESS_PROBE).get(**_BOUNDED)


def connect(project: str, database: str) -> firestore.Client:
    """A client; against the emulator where the library finds FIRESTORE_EMULATOR_HOST."""
    return firestore.Client(project=project, database=database)


def shard_of(activation_id: str) -> int:
    return zlib.crc32(activation_id.encode()) % SHARDS


def _read_up_to(
    limit: int, query: firestore.Query, read: Callable[[Any], Read | None]
) -> list[Read]:
    def fetch(skip: int) -> list[Any]:
        with _translated():
            return list(query.offset(skip).limit(limit).stream(**_BOUNDED))

    return read_up_to(limit, fetch, read)


def _to_document(activation: Activation) -> dict[str, Any]:
    """Times stay times, so that queries and the TTL policy see them; None is left out."""
    document = activation.model_dump(exclude_none=True)
    return {**document, "shard": shard_of(activation.activation_id)}


_ABSENT = {
    name: firestore.DELETE_FIELD
    for name, field in Activation.model_fields.items()
    if field.default is None
}
"""An update changes only the fields it names: those that may become None are deleted by name."""


def _to_stored(snapshot: Any) -> Stored | None:
    """The TTL policy deletes within a day (page: TTL); until then an expired one is hidden here."""
    if not snapshot.exists:
        return None
    activation = read_document(snapshot.id, lambda: Activation.model_validate(snapshot.to_dict()))
    if activation.expires_at <= snapshot.read_time:
        return None
    return Stored(
        activation=activation,
        version=snapshot.update_time.rfc3339(),
        written_at=snapshot.update_time,
        read_at=snapshot.read_time,
    )


def _to_waiting(snapshot: Any) -> Stored | None:
    stored = _to_stored(snapshot)
    return stored if stored is not None and stored.activation.waiting else None


def _to_summary(snapshot: Any) -> Summary | None:
    summary = read_document(snapshot.id, lambda: Summary.model_validate(snapshot.to_dict()))
    return None if summary.expires_at <= snapshot.read_time else summary


def _just_written(activation: Activation, update_time: DatetimeWithNanoseconds) -> Stored:
    return Stored(
        activation=activation,
        version=update_time.rfc3339(),
        written_at=update_time,
        read_at=update_time,
    )


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except GOOGLE_ERRORS as error:
        raise StoreUnavailable(type(error).__name__) from error
