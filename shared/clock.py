"""The wall clock, injected wherever time decides, so that tests own it."""

from collections.abc import Callable
from datetime import datetime, timezone

Clock = Callable[[], datetime]
"""Returns the current time, aware, in UTC."""


def utc_now() -> datetime:
    return datetime.now(timezone.utc)
