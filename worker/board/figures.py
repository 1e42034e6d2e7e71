"""The figures on the board, added up from what the store returned. No I/O, no clock."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from operator import attrgetter

from shared.domain.activation import Usage
from shared.domain.summary import Summary
from worker.board.latency import Latency, latency_of
from worker.gemini.port import Health
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
    today: tuple[Summary, ...]
    cut: bool
    overdue: tuple[Summary, ...]
    dead_letters: int


@dataclass(frozen=True)
class Waiting:
    """The activations that are not done: today's, and older ones that are overdue."""

    queued: int
    processing: int
    oldest_seconds: float | None
    oldest_id: str | None

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
    models: Mapping[str, int]
    reasons: Mapping[str, int]
    latency: Latency
    waiting: Waiting
    lately: Lately
    bill: Bill
    health: Health
    dead_letters: int


def midnight_before(now: datetime) -> datetime:
    """`now` must be in UTC, where every day has 24 hours."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def board_of(reading: Reading, *, health: Health, prices: Prices, model: str) -> Board:
    """`model` is the one that calls go to: a fallback does not record which model was asked."""
    today = reading.today
    answered = [summary for summary in today if summary.status == "completed"]
    return Board(
        now=reading.now,
        since=today[-1].created_at if reading.cut else reading.midnight,
        accepted=len(today),
        cut=reading.cut,
        states=Counter(summary.status for summary in today),
        sources=Counter(summary.source for summary in answered if summary.source),
        models=Counter(summary.model for summary in answered if summary.model),
        reasons=_reasons(answered),
        latency=latency_of(
            (_seconds(summary.updated_at - summary.created_at), summary.source)
            for summary in answered
            if summary.source
        ),
        waiting=_waiting([*today, *reading.overdue], reading.now),
        lately=_lately(answered, reading.now),
        bill=_bill(today, prices, model, reading.now.date()),
        health=health,
        dead_letters=reading.dead_letters,
    )


def _seconds(time: timedelta) -> float:
    """Never below zero, although the times come from two machines' clocks."""
    return max(0.0, time.total_seconds())


def _reasons(answered: Iterable[Summary]) -> Counter[str]:
    return Counter(summary.fallback_reason for summary in answered if summary.fallback_reason)


def _waiting(summaries: Iterable[Summary], now: datetime) -> Waiting:
    waiting = {summary.activation_id: summary for summary in summaries if summary.waiting}
    states = Counter(summary.status for summary in waiting.values())
    oldest = min(waiting.values(), key=attrgetter("created_at"), default=None)
    return Waiting(
        queued=states["queued"],
        processing=states["processing"],
        oldest_seconds=_seconds(now - oldest.created_at) if oldest else None,
        oldest_id=oldest.activation_id if oldest else None,
    )


def _lately(answered: Iterable[Summary], now: datetime) -> Lately:
    of_late = [summary for summary in answered if summary.updated_at > now - LATELY]
    fallbacks = [summary for summary in of_late if summary.source == "fallback"]
    commonest = _reasons(fallbacks).most_common(1)
    return Lately(len(of_late), len(fallbacks), commonest[0][0] if commonest else None)


def _bill(today: Iterable[Summary], prices: Prices, model: str, on: date) -> Bill:
    by_model: defaultdict[str, Usage] = defaultdict(Usage)
    for summary in today:
        if summary.usage.gemini_calls:
            asked = summary.model or model
            by_model[asked] = by_model[asked].plus(summary.usage)
    total, usd = Usage(), 0.0
    known = True
    for asked, usage in by_model.items():
        total = total.plus(usage)
        cost = prices.cost(asked, usage, on)
        known = known and cost is not None
        usd += cost or 0.0
    return Bill(usage=total, usd=usd if known else None, models=tuple(sorted(by_model)))
