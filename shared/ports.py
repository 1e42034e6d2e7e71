"""What the core asks of the outside: a store and a queue. Two of each exist: Google's and SQLite's.

A version is opaque and changes with every write (Firestore's update_time, SQLite's integer). Every
write after `create` is a compare-and-set on it, so a lost lease, a cancel or an erasure can never
be overwritten: the version is the fencing token.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event
from typing import Protocol

from shared.domain.activation import Activation
from shared.domain.messages import DeadLetter, Message
from shared.domain.summary import Summary


@dataclass(frozen=True, kw_only=True)
class Stored:
    """An activation as the store holds it. Both times are the store's own clock's."""

    activation: Activation
    version: str
    written_at: datetime
    read_at: datetime

    def lease_is_live(self, lease: timedelta) -> bool:
        """Whether a worker may still be at it. Judged by the store's time alone, so a worker whose
        clock is wrong neither steals a lease early nor leaves one immortal."""
        return self.activation.status == "processing" and self.read_at < self.written_at + lease

    def is_past_deadline(self) -> bool:
        """Judged by the store's time, as the lease is."""
        return self.read_at >= self.activation.deadline


@dataclass(frozen=True, kw_only=True)
class Page:
    """A stretch of a user's activations, newest first; `cursor` asks for the next one."""

    items: tuple[Stored, ...]
    cursor: str | None


class ActivationStore(Protocol):
    """Every method raises StoreUnavailable when the store does not answer within its deadline.

    A document that can't be read (mood 7, say) stops nothing but itself: `get` and `wait` raise
    StoreUnavailable for it, `page`, `due` and `recent` pass over it. A top-level field that a
    later release has added outlives `replace`; inside `usage`, `profile` and `step` it may not.
    """

    def create(self, activation: Activation, *, daily_limit: int = 0) -> Stored:
        """Write a new one and, unless the limit is 0, count it for its user: both or neither.

        Counted are those that were created, with a limit, in the 24 hours before its `created_at`,
        the erased ones as well. Raises AlreadyExists when the id is taken, LimitReached when
        `daily_limit` are counted already.
        """
        ...

    def get(self, activation_id: str) -> Stored | None:
        """The current one, or None when it is missing or expired."""
        ...

    def replace(self, activation: Activation, expected_version: str) -> Stored:
        """Write on condition that the version is the expected one; a single RPC, no read.

        Raises Conflict when it is not, or when nothing is there any more.
        """
        ...

    def owner(self, activation_id: str) -> str | None:
        """Its user's id, or None when it is missing; also of one that can't be read, and of an
        expired one that is not deleted yet, so that the owner can erase them."""
        ...

    def delete(self, activation_id: str) -> None:
        """Erase it and its dead letters; that it is gone already is no error."""
        ...

    def delete_all(self, user_id: str) -> None:
        """Erase all of the user's that are there when it begins, the unreadable ones as well, and
        the dead letters that say they are the user's. The count of `create` stays."""
        ...

    def page(self, user_id: str, *, limit: int, cursor: str | None = None) -> Page:
        """The user's own, newest first; at most `limit`, and fewer, or none, where some can't be
        read: only a missing cursor means that there are no more. Raises InvalidCursor."""
        ...

    def due(self, now: datetime, *, limit: int) -> list[Stored]:
        """Those whose `due_at` has come, the longest overdue first. One in a status of a later
        release is left out: this release can't judge it, so it leaves it alone."""
        ...

    def recent(self, since: datetime, *, limit: int) -> list[Summary]:
        """Everybody's that were created at or after `since`, newest first; the newest `limit`."""
        ...

    def wait(
        self, activation_id: str, *, seen: str, seconds: float, stop: Event | None = None
    ) -> Stored | None:
        """Block until the version differs from `seen`, the seconds are over or `stop` is set;
        then as `get`."""
        ...

    def keep_dead_letter(self, letter: DeadLetter) -> None:
        """Keep what could not be understood, for a person to look at; once per message id."""
        ...

    def count_dead_letters(self, *, up_to: int) -> int:
        """How many are kept; it stops counting at `up_to`."""
        ...

    def ping(self) -> None:
        """Return when the store answers; raises StoreUnavailable."""
        ...


class DeadLetterStore(Protocol):
    """What operators do with the dead letters that `keep_dead_letter` has kept.

    Every method raises StoreUnavailable when the store does not answer within its deadline.
    """

    def dead_letters(self, *, limit: int, after: str | None = None) -> list[DeadLetter]:
        """The next `limit` in the order of their message ids, `after` being the last one seen."""
        ...

    def dead_letter(self, message_id: str) -> DeadLetter | None:
        """None when there is none of this id."""
        ...

    def discard_dead_letter(self, message_id: str) -> None:
        """Delete it; that it is gone already is no error."""
        ...


class Publisher(Protocol):
    def publish(self, message: Message) -> None:
        """Hand over to the queue. Raises PublishFailed; the message may arrive all the same."""
        ...

    def ping(self) -> None:
        """Return when the queue answers and the topic is there; raises PublishFailed."""
        ...
