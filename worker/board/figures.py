"""The figures on the board, added up from what the store returned. No I/O, no clock."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.activation import Usage
from shared.domain.summary import Outline
from worker.board.latency import Latency, latency_of
from worker.gemini.prices import Prices

LATELY = timedelta(hours=1)
"""The share of fallbacks is taken over this time. Over a whole day it would hide an outage that has
just begun, and still show one that is over."""

MOST_DEAD_LETTERS = 1_000
"""Where counting stops: a higher number would say nothing more."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What the store returned. `today` is newest first; `cut` if there were more than we read."""

    now: datetime
    midnight: datetime
    today: tuple[Outline, ...]
    cut: bool
    overdue: tuple[Outline, ...]
    dead_letters: int


@dataclass(frozen=True)
class Waiting:
    """The activations that are not done: today's, and older ones that are overdue."""

    queued: int
    processing: int
    oldest_seconds: float | None

    @property
    def count(self) -> int:
        return self.queued + self.processing


@dataclass(frozen=True)
class Lately:
    """The answers of the last hour, and the most common reason of the fallbacks among them."""

    answers: int
    fallbacks: int
    reason: str | None

    @property
    def share(self) -> float:
        return self.fallbacks / self.answers if self.answers else 0.0


@dataclass(frozen=True, kw_only=True)
class Bill:
    """What today's activations spent at Gemini. `usd` is None where a model has no known price."""

    usage: Usage
    usd: float | None
    models: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Board:
    """Everything that the page shows. `since`: midnight UTC, or the oldest one read if `cut`."""

    now: datetime
    since: datetime
    accepted: int
    cut: bool
    states: Mapping[str, int]
    sources: Mapping[str, int]
    reasons: Mapping[str, int]
    latency: Latency
    waiting: Waiting
    lately: Lately
    bill: Bill
    breaker: str
    dead_letters: int


def midnight_before(now: datetime) -> datetime:
    """`now` must be in UTC, where every day has 24 hours."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def board_of(reading: Reading, *, breaker: str, prices: Prices, model: str) -> Board:
    """`model` is the one that calls go to: a fallback does not record which model was asked."""
    today = reading.today
    answered = [outline for outline in today if outline.status == "completed"]
    return Board(
        now=reading.now,
        since=today[-1].created_at if reading.cut else reading.midnight,
        accepted=len(today),
        cut=reading.cut,
        states=Counter(outline.status for outline in today),
        sources=Counter(outline.source for outline in answered if outline.source),
        reasons=_reasons(answered),
        latency=latency_of(
            (_seconds(outline.updated_at - outline.created_at), outline.source)
            for outline in answered
            if outline.source
        ),
        waiting=_waiting([*today, *reading.overdue], reading.now),
        lately=_lately(answered, reading.now),
        bill=_bill(today, prices, model),
        breaker=breaker,
        dead_letters=reading.dead_letters,
    )


def _seconds(time: timedelta) -> float:
    """Never below zero, although the times come from two machines' clocks."""
    return max(0.0, time.total_seconds())


def _reasons(answered: Iterable[Outline]) -> Counter[str]:
    return Counter(outline.fallback_reason for outline in answered if outline.fallback_reason)


def _waiting(outlines: Iterable[Outline], now: datetime) -> Waiting:
    waiting = {outline.activation_id: outline for outline in outlines if outline.waiting}
    states = Counter(outline.status for outline in waiting.values())
    ages = [_seconds(now - outline.created_at) for outline in waiting.values()]
    return Waiting(states["queued"], states["processing"], max(ages, default=None))


def _lately(answered: Iterable[Outline], now: datetime) -> Lately:
    of_late = [outline for outline in answered if outline.updated_at > now - LATELY]
    fallbacks = [outline for outline in of_late if outline.source == "fallback"]
    commonest = _reasons(fallbacks).most_common(1)
    return Lately(len(of_late), len(fallbacks), commonest[0][0] if commonest else None)


def _bill(today: Iterable[Outline], prices: Prices, model: str) -> Bill:
    by_model: defaultdict[str, Usage] = defaultdict(Usage)
    for outline in today:
        if outline.usage.gemini_calls:
            asked = outline.model or model
            by_model[asked] = by_model[asked].plus(outline.usage)
    total, usd = Usage(), 0.0
    known = True
    for asked, usage in by_model.items():
        total = total.plus(usage)
        cost = prices.cost(asked, usage)
        known = known and cost is not None
        usd += cost or 0.0
    return Bill(usage=total, usd=usd if known else None, models=tuple(sorted(by_model)))
