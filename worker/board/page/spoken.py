"""Numbers and times formatted so that they are quick to read."""

from datetime import datetime, timezone


def clock(at: datetime) -> str:
    """UTC, with its milliseconds."""
    return at.astimezone(timezone.utc).isoformat(timespec="milliseconds")[11:23]


def kept(seconds_before: float | None, done: bool) -> str:
    """Whether a deadline was kept, by so many seconds before it. None: it does not count."""
    if seconds_before is None:
        return "–"
    if seconds_before < 0:
        return f"missed by {duration(-seconds_before)}"
    return f"{'kept by' if done else 'in'} {duration(seconds_before)}"


def number(value: int) -> str:
    return f"{value:,}"


def duration(seconds: float | None) -> str:
    """With about two significant digits, in ms, s, min or h."""
    if seconds is None:
        return "–"
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 9.95:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    if round(seconds) < 120:
        return f"{seconds:.0f} s"
    if round(seconds / 60) < 120:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:,.0f} h"


def usd(value: float | None) -> str:
    """Below a dollar with four decimals, so that one activation's cost still shows."""
    if value is None:
        return "?"
    return f"${value:,.2f}" if value >= 1 or value == 0 else f"${value:.4f}"
