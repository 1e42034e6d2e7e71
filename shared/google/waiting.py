"""Wait until an activation changes, by reading it at growing intervals.

The first look comes quickly, because an answer from the library takes milliseconds; the later ones
after a tenth of the wait so far, because one from Gemini takes seconds: a wait of 30 s is 41 reads.
docs/adr/0005 measures this against listeners and other schedules.
"""

import time
from collections.abc import Callable
from threading import Event

from shared.ports import Stored

FIRST_PAUSE_SECONDS = 0.1
SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.4, 1.0
PART_OF_AGE = 0.1


def wait_until_changed(
    get: Callable[[], Stored | None],
    *,
    seen: str,
    seconds: float,
    stop: Event | None = None,
    sleep: Callable[[float], object] = time.sleep,
    monotonic: Callable[[], float] = time.monotonic,
) -> Stored | None:
    """What `get` returns, as soon as its version is not `seen`, at the latest after `seconds` or
    when `stop` is set.

    It does not look at once: the caller has just read what it has seen.
    """
    stop = stop or Event()
    if sleep is time.sleep:
        sleep = stop.wait  # which is woken up
    started = monotonic()
    end = started + seconds
    pause = FIRST_PAUSE_SECONDS
    while True:
        sleep(max(0.0, min(pause, end - monotonic())))
        stored = get()
        changed = stored is None or stored.version != seen
        if changed or monotonic() >= end or stop.is_set():
            return stored
        age = monotonic() - started
        pause = min(max(SHORTEST_PAUSE_SECONDS, PART_OF_AGE * age), LONGEST_PAUSE_SECONDS)
