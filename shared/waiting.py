"""Wait until an activation changes, by reading it at growing intervals.

The first looks come quickly, because an answer from the library takes milliseconds; the later ones
come at most once a second, because one from Gemini takes seconds: a wait of 30 s is 37 reads.
"""

import time
from collections.abc import Callable

from shared.ports import Stored

FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 1.0
GROWTH = 1.5


def wait_until_changed(
    get: Callable[[], Stored | None],
    *,
    seen: str,
    seconds: float,
    sleep: Callable[[float], None] = time.sleep,
    monotonic: Callable[[], float] = time.monotonic,
) -> Stored | None:
    """What `get` returns, as soon as its version is not `seen`, at the latest after `seconds`."""
    end = monotonic() + seconds
    pause = FIRST_PAUSE_SECONDS
    while True:
        stored = get()
        left = end - monotonic()
        if stored is None or stored.version != seen or left <= 0:
            return stored
        sleep(min(pause, left))
        pause = min(pause * GROWTH, LONGEST_PAUSE_SECONDS)
