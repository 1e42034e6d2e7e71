"""Each user's counter for the daily limit, written in the same commit as the activation it counts.

A commit changes the counter on condition that it is the one that this process saw last, so no two
processes take the same place. While a user stays with one process, a submit is one RPC.
"""

import time
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from threading import Lock
from typing import Any

from google.api_core import exceptions as google_errors
from google.api_core.datetime_helpers import DatetimeWithNanoseconds
from google.cloud import firestore
from pydantic import TypeAdapter

from shared.domain.activation import Activation
from shared.domain.daily_limit import A_DAY, counter_of, still_counted
from shared.errors import AlreadyExists, StoreUnavailable
from shared.google.calls import bounded
from shared.stored_documents import read_document

SUBMISSIONS = "submissions"
USERS_REMEMBERED = 10_000

_SOMETHING_CHANGED = (
    google_errors.AlreadyExists,  # the activation, or a counter where there was none
    google_errors.FailedPrecondition,
    google_errors.NotFound,  # the TTL policy has deleted the counter
)
_TIMES = TypeAdapter(list[datetime])


@dataclass
class _Counter:
    """A user's counter as this process saw it last. The lock lets the submits of one user in one
    process wait for each other, instead of failing each other's condition."""

    document: firestore.DocumentReference
    lock: Lock = field(default_factory=Lock)
    times: list[datetime] | None = None
    """None: to be read."""
    version: DatetimeWithNanoseconds | None = None
    """None: there is no document."""


class SubmissionCounters:
    def __init__(
        self, client: firestore.Client, *, attempt_seconds: float, total_seconds: float
    ) -> None:
        self._client = client
        self._attempt_seconds = attempt_seconds
        self._total_seconds = total_seconds
        collection = client.collection(SUBMISSIONS)
        self._counter = lru_cache(maxsize=USERS_REMEMBERED)(
            lambda name: _Counter(collection.document(name))
        )

    def create(
        self,
        document: firestore.DocumentReference,
        fields: dict[str, Any],
        activation: Activation,
        limit: int,
    ) -> DatetimeWithNanoseconds:
        """Create the activation's document and count it, or neither. The update time.

        Raises AlreadyExists, LimitReached, StoreUnavailable and Google's errors.
        """
        end = time.monotonic() + self._total_seconds
        counter = self._counter(counter_of(activation.user_id))
        if not counter.lock.acquire(timeout=self._total_seconds):
            raise StoreUnavailable("too many submits of one user at once")
        try:
            while True:
                if counter.times is None:
                    self._look(counter, document, end)
                now = activation.created_at
                times = [*still_counted(counter.times or (), now=now, limit=limit), now]
                try:
                    return self._commit(counter, times, document, fields, end)
                except _SOMETHING_CHANGED:
                    continue
        finally:
            counter.lock.release()

    def _look(self, counter: _Counter, document: firestore.DocumentReference, end: float) -> None:
        """Read the counter. Raises AlreadyExists where the activation is there: it may be the one
        of a commit whose answer was lost."""
        both = [document, counter.document]
        found = self._client.get_all(both, field_paths=["times"], **self._bounds(end))
        by_path = {snapshot.reference.path: snapshot for snapshot in found}
        there = by_path[counter.document.path]
        stored = (there.to_dict() or {}).get("times", [])
        counter.times = read_document(there.id, lambda: _TIMES.validate_python(stored))
        counter.version = there.update_time if there.exists else None
        if by_path[document.path].exists:
            raise AlreadyExists(document.id)

    def _commit(
        self,
        counter: _Counter,
        times: list[datetime],
        document: firestore.DocumentReference,
        fields: dict[str, Any],
        end: float,
    ) -> DatetimeWithNanoseconds:
        counted = {"times": times, "expires_at": max(times) + A_DAY}  # for the TTL policy
        batch = self._client.batch()
        batch.create(document, fields)
        if counter.version is None:
            batch.create(counter.document, counted)
        else:
            unchanged = self._client.write_option(last_update_time=counter.version)
            batch.update(counter.document, counted, option=unchanged)
        counter.times = None  # until the answer is there, nobody knows
        created, written = batch.commit(**self._bounds(end))
        counter.times, counter.version = times, written.update_time
        return created.update_time

    def _bounds(self, end: float) -> dict[str, Any]:
        left = end - time.monotonic()
        if left <= 0:
            raise StoreUnavailable("too many submits of one user at once")
        return bounded(attempt_seconds=self._attempt_seconds, total_seconds=left)
