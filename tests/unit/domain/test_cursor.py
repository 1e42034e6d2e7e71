"""The opaque cursor of a page."""

import base64
from datetime import datetime, timedelta, timezone

import pytest

from shared.domain.cursor import decode_cursor, encode_cursor
from shared.errors import InvalidCursor
from tests.builders import NOON


def raw_cursor(text: bytes) -> str:
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


@pytest.mark.parametrize(
    "created_at",
    [
        NOON,
        NOON.replace(microsecond=0),
        NOON.replace(microsecond=1),
        NOON.replace(microsecond=999_999),
        datetime(1970, 1, 1, tzinfo=timezone.utc),
        datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=timezone.utc),
    ],
)
def test_a_cursor_gives_back_its_time_to_the_microsecond(created_at: datetime) -> None:
    assert decode_cursor(encode_cursor(created_at, "a1"))[0] == created_at


@pytest.mark.parametrize("activation_id", ["a", "a1", "f" * 32, "with space", "å"])
def test_a_cursor_gives_back_its_id(activation_id: str) -> None:
    assert decode_cursor(encode_cursor(NOON, activation_id))[1] == activation_id


def test_a_time_of_another_zone_is_the_same_moment() -> None:
    stockholm = NOON.astimezone(timezone(timedelta(hours=1)))
    assert encode_cursor(stockholm, "a1") == encode_cursor(NOON, "a1")


@pytest.mark.parametrize("length", range(1, 6))
def test_a_cursor_needs_no_escaping_in_a_query(length: int) -> None:
    cursor = encode_cursor(NOON, "ÿ" * length)
    assert cursor.replace("-", "").replace("_", "").isalnum()


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        " ",
        "!",
        "a",
        "%%%%",
        "åäö",
        "\x00",
        "\ud800",
        "====",
        encode_cursor(NOON, "a1") + "*",
        raw_cursor(b""),
        raw_cursor(b"a1"),
        raw_cursor(b"5"),
        raw_cursor(b"5 "),
        raw_cursor(b" a1"),
        raw_cursor(b"five a1"),
        raw_cursor(b"5.5 a1"),
        raw_cursor(b"nan a1"),
        raw_cursor(b"9" * 30 + b" a1"),
        raw_cursor(b"-" + b"9" * 30 + b" a1"),
        raw_cursor(b"9" * 5000 + b" a1"),
        raw_cursor(b"\xff\xfe a1"),
    ],
)
def test_what_is_no_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidCursor):
        decode_cursor(cursor)


def test_the_refusal_does_not_repeat_the_cursor() -> None:
    with pytest.raises(InvalidCursor) as caught:
        decode_cursor("kanariefågel")
    assert "kanariefågel" not in str(caught.value)
