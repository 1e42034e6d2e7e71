"""Read the board from the store, seldom and little, however many watch it.

What is done does not change any more. So a look reads from the oldest that is still waiting, and
the whole day again every few minutes, for what was erased.
"""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

from shared.clock import Clock
from shared.errors import StoreUnavailable
from shared.outline import Outline
from shared.ports import ActivationStore
from worker.board import MOST_DEAD_LETTERS, Board, Reading, board_of, midnight_before
from worker.cost import Prices

FRESH = timedelta(seconds=4)
"""Below the page's 5 s, so that one watcher sees each look, and many share it."""

WHOLE_AGAIN = timedelta(minutes=5)
LATE = timedelta(minutes=1)
"""How much later than its `created_at` an activation may turn up: the ingress' clock made that, and
its write took a while."""

MOST = 1_000
MOST_OVERDUE = 100


class BoardReader:
    """`breaker` tells the state of this process' own; `model` is the one that calls go to."""

    def __init__(
        self,
        store: ActivationStore,
        *,
        clock: Clock,
        breaker: Callable[[], str],
        prices: Prices,
        model: str,
    ) -> None:
        self._store = store
        self._clock = clock
        self._breaker = breaker
        self._prices = prices
        self._model = model
        self._lock = threading.Lock()
        self._day = _Day()
        self._latest: Board | StoreUnavailable | None = None
        self._looked_at: datetime | None = None

    def board(self) -> Board:
        """At most a few seconds old. Raises StoreUnavailable, for as long from memory too, so that
        watchers of a store that is away don't hold a thread each until its deadline."""
        with self._lock:
            if not _within(FRESH, self._looked_at, self._clock()):
                self._latest = self._look()
                self._looked_at = self._clock()
            latest = self._latest
        if latest is None or isinstance(latest, StoreUnavailable):
            raise StoreUnavailable(str(latest))
        return latest

    def _look(self) -> Board | StoreUnavailable:
        now = self._clock().astimezone(timezone.utc)
        try:
            reading = self._read(now)
        except StoreUnavailable as error:
            return error
        return board_of(reading, breaker=self._breaker(), prices=self._prices, model=self._model)

    def _read(self, now: datetime) -> Reading:
        midnight = midnight_before(now)
        whole = not _within(WHOLE_AGAIN, self._day.read_at, now) or self._day.midnight != midnight
        since = midnight if whole else max(midnight, self._day.changes_since(now - LATE))
        found = self._store.recent(since, limit=MOST + 1)
        overdue = self._store.due(now, limit=MOST_OVERDUE)
        dead_letters = self._store.count_dead_letters(up_to=MOST_DEAD_LETTERS)
        today = found if whole else [*found, *self._day.before(since)]
        self._day = _Day(midnight, now if whole else self._day.read_at, tuple(today[: MOST + 1]))
        return Reading(
            now=now,
            midnight=midnight,
            today=tuple(today[:MOST]),
            cut=len(today) > MOST,
            overdue=tuple(Outline.of(stored.activation) for stored in overdue),
            dead_letters=dead_letters,
        )


class _Day:
    """What is known of today, newest first, and when all of it was read."""

    def __init__(
        self,
        midnight: datetime | None = None,
        read_at: datetime | None = None,
        outlines: tuple[Outline, ...] = (),
    ) -> None:
        self.midnight = midnight
        self.read_at = read_at
        self._outlines = outlines

    def changes_since(self, moment: datetime) -> datetime:
        """`moment`, or when the oldest that is still waiting was created."""
        return min([moment, *(o.created_at for o in self._outlines if o.waiting)])

    def before(self, moment: datetime) -> list[Outline]:
        return [outline for outline in self._outlines if outline.created_at < moment]


def _within(duration: timedelta, then: datetime | None, now: datetime) -> bool:
    """A clock that was set back ends it as well."""
    return then is not None and timedelta(0) <= now - then < duration
