"""The opaque cursor of a page: where the last one ended, so that the next goes on behind it."""

import base64
import binascii
from datetime import datetime

from shared.domain.timestamps import from_microseconds, to_microseconds
from shared.errors import InvalidCursor


def encode_cursor(created_at: datetime, activation_id: str) -> str:
    raw = f"{to_microseconds(created_at)} {activation_id}"
    return base64.urlsafe_b64encode(raw.encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> tuple[datetime, str]:
    """Raises InvalidCursor."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        raw = base64.b64decode(padded, altchars=b"-_", validate=True).decode()
        microseconds, _, activation_id = raw.partition(" ")
        created_at = from_microseconds(int(microseconds))
    except (ValueError, OverflowError, OSError, binascii.Error):
        raise InvalidCursor("not a cursor of ours") from None
    if not activation_id:
        raise InvalidCursor("not a cursor of ours")
    return created_at, activation_id
