"""What a store should hold, kept beside it: each call is compared with the rules of the life cycle.

A write that breaks a rule fails the test at once, whoever made it.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, cast

from shared.domain.activation import Activation
from shared.domain.daily_limit import A_DAY
from shared.errors import AlreadyExists, Conflict, LimitReached
from shared.ports import ActivationStore, Stored
from tests.builders import LEASE
from tests.doubles import FakeTime

MAX_ATTEMPTS = 1
"""Low, so that the few steps of one example reach it."""

A_WRITE = 0.001
"""Seconds that each write takes: no two are written, and so none is due, at the same moment."""

Kind = Literal["submit", "delivery", "dead letter", "sweep", "cancel", "erasure", "shutdown"]
FIXED = ("user_id", "goal", "mood", "language", "creation_id", "created_at", "deadline")


@dataclass
class Actor:
    """Who calls the store. A worker's `claims` are those that it may answer or give back."""

    kind: Kind
    claims: dict[str, Stored] = field(default_factory=dict)
    wrote: list[str] = field(default_factory=list)


NOBODY = Actor("sweep")


class WatchedStore:
    """The methods of a store that the life cycle uses."""

    def __init__(self, store: ActivationStore, time: FakeTime) -> None:
        self._store = store
        self._time = time
        self.actor = NOBODY
        self.holds: dict[str, Stored] = {}
        """As last written."""
        self.counted: list[datetime] = []
        self.reached: Counter[str] = Counter()
        """How often each transition was made."""

    def create(self, activation: Activation, *, daily_limit: int = 0) -> Stored:
        activation_id, now = activation.activation_id, activation.created_at
        counted = sum(time > now - A_DAY for time in self.counted)
        try:
            written = self._store.create(activation, daily_limit=daily_limit)
        except AlreadyExists:
            assert activation_id in self.holds, "refused, although the id is free"
            raise
        except LimitReached:
            assert counted >= daily_limit, "refused before the limit"
            raise
        assert activation_id not in self.holds, "an id was taken twice"
        assert counted < daily_limit, "more than the daily limit: the count has decreased"
        self.counted.append(now)
        return self._now_holds(written, "submitted")

    def replace(self, activation: Activation, expected_version: str) -> Stored:
        before = self.holds.get(activation.activation_id)
        is_current = before is not None and before.version == expected_version
        try:
            written = self._store.replace(activation, expected_version)
        except Conflict:
            assert not is_current, "refused, although the version is the current one"
            raise
        assert before is not None, "an erased one came back"
        assert is_current, "another's write was overwritten"
        change = self._judged(before, activation)
        self.actor.wrote.append(activation.status)
        if activation.status == "processing":
            self.actor.claims[cast(str, activation.claim_id)] = written
        return self._now_holds(written, f"{self.actor.kind}: {change}")

    def get(self, activation_id: str) -> Stored | None:
        found = self._store.get(activation_id)
        expected = self.holds.get(activation_id)
        assert (found and found.activation) == (expected and expected.activation)
        assert (found and found.version) == (expected and expected.version)
        return found

    def due(self, now: datetime, *, limit: int) -> list[Stored]:
        found = self._store.due(now, limit=limit)
        waiting = [one.activation for one in self.holds.values() if one.activation.due_at]
        expected = [one for one in sorted(waiting, key=_due_at) if _due_at(one) <= now]
        assert [one.activation for one in found] == expected[:limit]
        return found

    def delete(self, activation_id: str) -> None:
        self._store.delete(activation_id)
        self._forget(lambda one: one.activation_id == activation_id)

    def delete_all(self, user_id: str) -> None:
        self._store.delete_all(user_id)
        self._forget(lambda one: one.user_id == user_id)

    def _forget(self, erased: Callable[[Activation], bool]) -> None:
        kept = {k: one for k, one in self.holds.items() if not erased(one.activation)}
        self.reached["erased"] += len(self.holds) - len(kept)
        self.holds = kept

    def _now_holds(self, written: Stored, change: str) -> Stored:
        self.holds[written.activation.activation_id] = written
        self.reached[change] += 1
        self._time.advance(A_WRITE)
        return written

    def _judged(self, before: Stored, wanted: Activation) -> str:
        """Which change it is. Fails the test where the life cycle knows none such."""
        there, kind = before.activation, self.actor.kind
        assert there.waiting, f"{kind} changed a {there.status} one"
        assert [getattr(wanted, name) for name in FIXED] == [getattr(there, name) for name in FIXED]
        assert (wanted.due_at is None) == wanted.done
        assert wanted.due_at is None or wanted.due_at <= wanted.deadline
        assert wanted.usage.gemini_calls >= there.usage.gemini_calls
        assert len(wanted.attempts) >= len(there.attempts)
        is_released = self._owns(there) and wanted.status == "queued"
        attempt = there.attempt + (wanted.status == "processing") - is_released
        assert wanted.attempt == attempt
        assert self._may_write(wanted.status, before), f"{kind}: {there.status} to {wanted.status}"
        is_taken_over = there.status == wanted.status == "processing"
        return "takeover" if is_taken_over else wanted.status

    def _may_write(self, status: str, before: Stored) -> bool:
        there, kind, now = before.activation, self.actor.kind, self._time.now()
        is_claimed = there.status == "processing"
        is_leased = is_claimed and now < before.written_at + LEASE
        is_late = now >= there.deadline
        is_paused = there.not_before is not None and now < there.not_before
        allowed = {
            ("processing", "delivery"): not is_leased and not is_paused,
            ("queued", "delivery"): self._owns(there),
            ("queued", "shutdown"): self._owns(there),
            ("queued", "submit"): not is_claimed,
            ("queued", "sweep"): not is_leased,
            ("completed", "delivery"): self._owns(there),
            ("completed", "sweep"): is_late,
            ("completed", "dead letter"): not is_leased and (is_claimed or is_late),
            ("cancelled", "cancel"): True,
        }
        return allowed.get((status, kind), False)

    def _owns(self, there: Activation) -> bool:
        return there.status == "processing" and there.claim_id in self.actor.claims


def _due_at(activation: Activation) -> datetime:
    assert activation.due_at is not None
    return activation.due_at
