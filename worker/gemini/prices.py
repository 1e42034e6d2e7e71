"""What Gemini's tokens cost, by model and day: list prices from prices.json, with their sources."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TypeVar

from shared.domain.activation import Usage

A_MILLION = 1_000_000

T = TypeVar("T")
Since = Sequence[tuple[date, T]]
"""What counts from each day on, the earliest first."""


@dataclass(frozen=True, kw_only=True)
class Price:
    """US dollars for a million tokens. `cached` are input tokens that Gemini had in its cache."""

    input: float
    cached: float
    output: float

    def of(self, usage: Usage) -> float:
        """US dollars. Thoughts are billed as output."""
        paid = (
            (usage.prompt_tokens - usage.cached_tokens) * self.input
            + usage.cached_tokens * self.cached
            + (usage.output_tokens + usage.thought_tokens) * self.output
        )
        return paid / A_MILLION


@dataclass(frozen=True)
class Prices:
    models: Mapping[str, Since[Price]]
    aliases: Mapping[str, Since[str]]

    def cost(self, model: str, usage: Usage, on: date) -> float | None:
        """US dollars for tokens of that day; None for a model that the table does not know."""
        if model in self.aliases:
            model = _of_the_day(self.aliases[model], on)
        if model not in self.models:
            return None
        return _of_the_day(self.models[model], on).of(usage)


def load_prices() -> Prices:
    table = json.loads(Path(__file__).with_name("prices.json").read_text("utf-8"))
    return Prices(
        models={
            model: [
                (_day(row), Price(input=row["input"], cached=row["cached"], output=row["output"]))
                for row in rows
            ]
            for model, rows in table["models"].items()
        },
        aliases={
            alias: [(_day(row), row["model"]) for row in rows]
            for alias, rows in table["aliases"].items()
        },
    )


def _day(row: Mapping[str, str]) -> date:
    return date.fromisoformat(row["from"])


def _of_the_day(rows: Since[T], on: date) -> T:
    """For a day before the first row, the first: a price is older than the day we read it."""
    counting = [value for since, value in rows if since <= on]
    return counting[-1] if counting else rows[0][1]
