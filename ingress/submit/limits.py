"""How much one user, or one address, may ask for.

The daily limit counts in the store, so it holds across processes. Bursts are counted by the library
`limits` in each process: they protect this process, and a user who reaches several of them gets a
little more.
"""

import math
import threading
from collections import deque
from datetime import datetime, timedelta

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from shared.clock import Clock, utc_now
from shared.http.problems import Problem
from shared.ports import ActivationStore

A_DAY = timedelta(days=1)
MOST_REMEMBERED = 10_000
"""Users whose places are remembered before those are forgotten who took none since yesterday."""

COME_BACK_SECONDS = 3600
"""The day is a rolling one: after an hour there may be room again."""


class DailyLimit:
    """So many activations within 24 hours; 0 is no limit.

    Two counts, and the larger one decides. The store's holds across processes, but is read before
    the write, so submits at once would all pass; and what a user erases is gone from it. This
    process' own has neither fault. At worst each process lets one user's full number through.
    """

    def __init__(self, store: ActivationStore, clock: Clock, limit: int) -> None:
        self._store = store
        self._clock = clock
        self._limit = limit
        self._lock = threading.Lock()
        self._taken: dict[str, deque[datetime]] = {}

    def reserve(self, user_id: str) -> Problem | None:
        """None when there was room, which is now taken. Raises StoreUnavailable."""
        if not self._limit:
            return None
        since = self._clock() - A_DAY
        if self._store.count_since(user_id, since) < self._limit and self._take(user_id, since):
            return None
        return Problem(
            429,
            "You have reached the limit of {limit} activations in 24 hours. "
            "Please come back later.",
            values={"limit": self._limit},
            headers={"Retry-After": str(COME_BACK_SECONDS)},
        )

    def release(self, user_id: str) -> None:
        """Nothing new was made of the place that was taken last."""
        with self._lock:
            taken = self._taken.get(user_id)
            if taken:
                taken.pop()

    def _take(self, user_id: str, since: datetime) -> bool:
        with self._lock:
            if len(self._taken) > MOST_REMEMBERED:
                self._forget(since)
            taken = self._taken.setdefault(user_id, deque())
            while taken and taken[0] <= since:
                taken.popleft()
            if len(taken) >= self._limit:
                return False
            taken.append(self._clock())
            return True

    def _forget(self, since: datetime) -> None:
        gone = [user for user, taken in self._taken.items() if not taken or taken[-1] <= since]
        for user in gone:
            del self._taken[user]


class BurstLimit:
    """So many requests a minute for each name; 0 is no limit."""

    def __init__(self, per_minute: int, clock: Clock = utc_now) -> None:
        self._clock = clock
        self._item = RateLimitItemPerMinute(per_minute) if per_minute else None
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def count(self, name: str) -> None:
        """One more request of this user or address. Raises Problem (429)."""
        if self._item is not None and not self._limiter.hit(self._item, name):
            raise self._refusal(self._item, name)

    def _refusal(self, item: RateLimitItem, name: str) -> Problem:
        free_at = self._limiter.get_window_stats(item, name).reset_time
        seconds = max(1, math.ceil(free_at - self._clock().timestamp()))
        return Problem(
            429,
            "That was a lot at once. Please wait a moment and try again.",
            headers={"Retry-After": str(seconds)},
        )
