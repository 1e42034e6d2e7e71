"""How many activations a user may submit within 24 hours; both stores count by these rules."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256

from shared.errors import LimitReached

A_DAY = timedelta(days=1)


def counter_of(user_id: str) -> str:
    """The name of a user's counter, which outlives the erasure of all else: a hash, not the id."""
    return sha256(user_id.encode()).hexdigest()


def still_counted(times: Iterable[datetime], *, now: datetime, limit: int) -> list[datetime]:
    """The times of the last 24 hours, oldest first. Raises LimitReached if they are `limit`."""
    counted = sorted(time for time in times if time > now - A_DAY)
    if len(counted) >= limit:
        raise LimitReached(free_at=counted[-limit] + A_DAY)
    return counted
