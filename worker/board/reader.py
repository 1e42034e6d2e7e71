"""Read the board and one activation's story from the store.

The board is read at most once in a few seconds, however many people watch it.
"""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

from shared.clock import Clock
from shared.domain.activation import is_activation_id
from shared.domain.summary import Summary
from shared.errors import StoreUnavailable
from shared.ports import ActivationStore
from worker.board.figures import MOST_DEAD_LETTERS, Board, Reading, board_of, midnight_before
from worker.board.story import Story, story_of
from worker.gemini.port import Health
from worker.gemini.prices import Prices

FRESH = timedelta(seconds=4)
"""How long watchers share a reading. The page asks every 5 s, so each time it gets a new one."""

MOST = 1_000
MOST_OVERDUE = 100


class BoardReader:
    """`health` tells of this process' calls; `model` is the one that calls go to first."""

    def __init__(
        self,
        store: ActivationStore,
        *,
        clock: Clock,
        health: Callable[[], Health],
        prices: Prices,
        model: str,
        lease: timedelta,
    ) -> None:
        self._store = store
        self._clock = clock
        self._health = health
        self._prices = prices
        self._model = model
        self._lease = lease
        self._lock = threading.Lock()
        self._latest: Board | StoreUnavailable | None = None
        self._looked_at: datetime | None = None

    def board(self) -> Board:
        """At most a few seconds old. Raises StoreUnavailable.

        The error is shared as long as a reading is: while the store is away, one watcher waits for
        its deadline and not each of them.
        """
        with self._lock:
            if not _within(FRESH, self._looked_at, self._clock()):
                self._latest = self._look()
                self._looked_at = self._clock()
            latest = self._latest
        if latest is None or isinstance(latest, StoreUnavailable):
            raise StoreUnavailable(str(latest))
        return latest

    def story(self, activation_id: str) -> Story | None:
        """None where there is no such activation. Raises StoreUnavailable, also where this release
        can't read it."""
        stored = self._store.get(activation_id) if is_activation_id(activation_id) else None
        return story_of(stored, lease=self._lease) if stored else None

    def _look(self) -> Board | StoreUnavailable:
        now = self._clock().astimezone(timezone.utc)
        try:
            reading = self._read(now)
        except StoreUnavailable as error:
            return error
        return board_of(reading, health=self._health(), prices=self._prices, model=self._model)

    def _read(self, now: datetime) -> Reading:
        midnight = midnight_before(now)
        today = self._store.recent(midnight, limit=MOST + 1)
        overdue = self._store.due(now, limit=MOST_OVERDUE)
        return Reading(
            now=now,
            midnight=midnight,
            today=tuple(today[:MOST]),
            cut=len(today) > MOST,
            overdue=tuple(Summary.of(stored.activation) for stored in overdue),
            dead_letters=self._store.count_dead_letters(up_to=MOST_DEAD_LETTERS),
        )


def _within(duration: timedelta, then: datetime | None, now: datetime) -> bool:
    """False also where the clock was set back, so that a reading can't stay fresh for ever."""
    return then is not None and timedelta(0) <= now - then < duration
