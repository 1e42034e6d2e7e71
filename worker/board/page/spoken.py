"""Numbers formatted so that they are quick to read."""


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
