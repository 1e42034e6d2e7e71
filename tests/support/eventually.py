"""Wait for a condition instead of sleeping in hope."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

LOOK_SECONDS = 0.02


def eventually(look: Callable[[], T], *, seconds: float = 30, what: str = "it") -> T:
    """The first truthy value of `look`. Raises AssertionError when there is none in time."""
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < end, f"{what} did not happen within {seconds:g} s"
        time.sleep(LOOK_SECONDS)
