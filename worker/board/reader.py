"""Read the board from the store, seldom and little, however many watch it.

What is done does not change any more. So a look reads from the last look on, or from the oldest
that was still waiting then, and the whole day again every few minutes, for what was erased.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from shared.clock import Clock
from shared.domain.summary import Outline
from shared.errors import StoreUnavailable
from shared.ports import ActivationStore
from worker.board.figures import MOST_DEAD_LETTERS, Board, Reading, board_of, midnight_before
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
        self._day: _Day | None = None
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
        known = self._day if self._day is not None and self._day.serves(now) else None
        since = midnight if known is None else max(midnight, known.may_have_changed_since)
        found = self._store.recent(since, limit=MOST + 1)
        overdue = self._store.due(now, limit=MOST_OVERDUE)
        dead_letters = self._store.count_dead_letters(up_to=MOST_DEAD_LETTERS)
        today = (*found, *(known.before(since) if known else ()))[: MOST + 1]
        self._day = _Day(looked_at=now, whole_at=known.whole_at if known else now, outlines=today)
        return Reading(
            now=now,
            midnight=midnight,
            today=today[:MOST],
            cut=len(today) > MOST,
            overdue=tuple(Outline.of(stored.activation) for stored in overdue),
            dead_letters=dead_letters,
        )


@dataclass(frozen=True, kw_only=True)
class _Day:
    """What the last look knew of today, newest first, and when all of it was read."""

    looked_at: datetime
    whole_at: datetime
    outlines: tuple[Outline, ...]

    def serves(self, now: datetime) -> bool:
        same_day = midnight_before(self.looked_at) == midnight_before(now)
        return same_day and self.looked_at <= now and _within(WHOLE_AGAIN, self.whole_at, now)

    @property
    def may_have_changed_since(self) -> datetime:
        """From here on it must be read: what came after the look or late, and what still waited."""
        waiting = (outline.created_at for outline in self.outlines if outline.waiting)
        return min([self.looked_at - LATE, *waiting])

    def before(self, moment: datetime) -> tuple[Outline, ...]:
        return tuple(outline for outline in self.outlines if outline.created_at < moment)


def _within(duration: timedelta, then: datetime | None, now: datetime) -> bool:
    """A clock that was set back ends it as well."""
    return then is not None and timedelta(0) <= now - then < duration
