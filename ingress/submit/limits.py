"""How much one user, or one address, may ask for.

The store counts for the daily limit, so it holds across processes. Bursts are counted by the
library `limits` in each process: they protect this process, and a user who reaches several of them
gets a little more.
"""

import math
from datetime import datetime

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from shared.clock import Clock, utc_now
from shared.errors import LimitReached
from shared.http.problems import Problem


def daily_limit_reached(limit: int, reached: LimitReached, now: datetime) -> Problem:
    seconds = max(1, math.ceil((reached.free_at - now).total_seconds()))
    return Problem(
        429,
        "You have reached the limit of {limit} activations in 24 hours. Please come back later.",
        values={"limit": limit},
        headers={"Retry-After": str(seconds)},
    )


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
