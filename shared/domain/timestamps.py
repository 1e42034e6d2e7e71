"""Moments as whole microseconds since 1970: exact, where a float of seconds would round."""

from datetime import datetime, timezone

_PER_SECOND = 1_000_000


def to_microseconds(moment: datetime) -> int:
    return int(moment.replace(microsecond=0).timestamp()) * _PER_SECOND + moment.microsecond


def from_microseconds(value: int) -> datetime:
    """In UTC. Raises ValueError, OverflowError or OSError for what no datetime can hold."""
    moment = datetime.fromtimestamp(value // _PER_SECOND, timezone.utc)
    return moment.replace(microsecond=value % _PER_SECOND)
