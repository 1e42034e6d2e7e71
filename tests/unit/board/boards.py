"""Activations of a day, and the board that shows them."""

from collections.abc import Iterable
from datetime import timedelta
from itertools import count

from shared.domain.activation import Activation, FallbackReason, Source, Usage
from shared.domain.summary import Summary
from tests.builders import NOON, an_activation, an_answer
from worker.board.figures import Board, Reading, board_of
from worker.gemini.port import Health
from worker.gemini.prices import Price, Prices

_SINCE = NOON.date()
PRICES = Prices(
    {"m": [(_SINCE, Price(input=2.0, cached=0.2, output=10.0))]}, {"latest": [(_SINCE, "m")]}
)
WELL = Health(key="ok", breakers={"m": "closed", "lite": "closed"})
MIDNIGHT = NOON.replace(hour=0, minute=0, second=0, microsecond=0)
SPENT = Usage(gemini_calls=1, prompt_tokens=1_000_000, output_tokens=100_000, gemini_ms=900)

_numbers = count()


def waiting(age: float = 1) -> Activation:
    return an_activation(f"b{next(_numbers)}", now=NOON - timedelta(seconds=age))


def answered(
    source: Source = "gemini",
    reason: FallbackReason | None = None,
    *,
    age: float = 60,
    took: float = 2,
    usage: Usage = SPENT,
    model: str | None = "m",
) -> Activation:
    activation = waiting(age)
    answer = an_answer(source=source, fallback_reason=reason, usage=usage, model=model)
    return activation.completed(answer, now=activation.created_at + timedelta(seconds=took))


def board(
    *today: Activation,
    overdue: Iterable[Activation] = (),
    cut: bool = False,
    dead_letters: int = 0,
    health: Health = WELL,
) -> Board:
    reading = Reading(
        now=NOON,
        midnight=MIDNIGHT,
        today=tuple(map(Summary.of, today)),
        cut=cut,
        overdue=tuple(map(Summary.of, overdue)),
        dead_letters=dead_letters,
    )
    return board_of(reading, health=health, prices=PRICES, model="latest")
